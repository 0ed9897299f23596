package server

import (
	"net"
	"net/netip"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

var (
	tooManyConns = smtp.Reply{Code: 421, Status: smtp.StatusSecurity, Text: "Too many connections"}
	notAllowed   = smtp.Reply{Code: 421, Status: smtp.StatusSecurity, Text: "Not allowed to connect"}
	shuttingDown = smtp.Reply{Code: 421, Status: smtp.StatusGoingDown, Text: "Shutting down"}
)

// admit starts a session on a new connection, or says why there is none. That is always a transient reply: an
// MTA keeps its mail when too many of it come at once, or when permissions are set wrong.
func (s *Server) admit(nc net.Conn, ep *Endpoint) {
	peer := peerOf(nc, ep)
	r, cause, uid := s.refusal(nc, ep)
	if !r.IsZero() {
		s.cfg.Log.Warn("connection refused", "peer", peerName(peer), "cause", cause)
		refuse(nc, r)
		return
	}
	peer.Session = s.cfg.NewID()
	c := newConn(s, nc, ep, peer)
	c.uid = uid
	if r := s.add(c); !r.IsZero() {
		s.cfg.Log.Warn("connection refused", "peer", peerName(peer), "cause", r.Text)
		refuse(nc, r)
		return
	}
	go c.serve(s.ctx)
}

// refusal says who may not connect to a unix socket, and who does.
func (s *Server) refusal(nc net.Conn, ep *Endpoint) (r smtp.Reply, cause string, uid *uint32) {
	uc, unix := nc.(*net.UnixConn)
	if !unix || ep.Allowed == nil && ep.OfUID == nil {
		return smtp.Reply{}, "", nil
	}
	id, err := peerUID(uc)
	switch {
	case err != nil:
		return notAllowed, "peer's uid: " + err.Error(), nil
	case ep.Allowed != nil && !ep.Allowed(id):
		return notAllowed, "uid " + uitoa(id) + " is not among those who may connect", nil
	}
	return smtp.Reply{}, "", &id
}

// refuse writes one reply and hangs up. A new connection's socket buffer takes it without waiting.
func refuse(nc net.Conn, r smtp.Reply) {
	_, _ = nc.Write(r.Append(nil)) // whether it is heard changes nothing
	nc.Close()
}

// add counts c in, if the limits allow it.
func (s *Server) add(c *conn) smtp.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closing.Load():
		return shuttingDown
	case s.at[c.ep] >= s.cfg.MaxConns:
		return tooManyConns
	case c.key.IsValid() && s.peers[c.key] >= s.cfg.MaxConnsPeer:
		return tooManyConns
	}
	s.count(c.key, 1)
	s.conns[c] = struct{}{}
	s.at[c.ep]++
	return smtp.Reply{}
}

// count counts a connection of a peer in, or out.
func (s *Server) count(key netip.Prefix, n int) {
	if !key.IsValid() {
		return
	}
	if s.peers[key] += n; s.peers[key] == 0 {
		delete(s.peers, key)
	}
}

// readdress counts c as a connection of another peer, the one that it was made for, if that has not too many.
func (s *Server) readdress(c *conn, to netip.AddrPort) smtp.Reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := peerKey(to.Addr())
	if key.IsValid() && s.peers[key] >= s.cfg.MaxConnsPeer {
		return tooManyConns
	}
	s.count(c.key, -1)
	s.count(key, 1)
	c.key, c.peer.Client.Addr = key, to
	return smtp.Reply{}
}

// remove counts c out.
func (s *Server) remove(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
	s.at[c.ep]--
	s.count(c.key, -1)
	if len(s.conns) == 0 {
		s.idle.Broadcast()
	}
}

// peerKey is what counts as one peer: an IPv4 address, or an IPv6 /64, which is what one site has at least.
func peerKey(a netip.Addr) netip.Prefix {
	bits := 32
	if a.Is6() {
		bits = 64
	}
	p, _ := a.Prefix(bits) // invalid for a unix socket
	return p
}

func peerOf(nc net.Conn, ep *Endpoint) session.Peer {
	var p session.Peer
	if ta, ok := nc.RemoteAddr().(*net.TCPAddr); ok {
		p.Client.Addr = addrOf(ta)
	} else {
		p.Secured = true // what goes through a unix socket is seen by nobody
	}
	p.Trusted = ep.Trusted != nil && ep.Trusted(p.Client.Addr.Addr())
	return p
}

// addrOf is an address as it is compared and told.
func addrOf(a *net.TCPAddr) netip.AddrPort {
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap().WithZone(""), ap.Port())
}

func peerName(p session.Peer) string {
	if p.Client.Addr.IsValid() {
		return p.Client.Addr.String()
	}
	return "unix"
}
