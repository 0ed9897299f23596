package server

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"time"

	"github.com/pires/go-proxyproto"
)

// openTime is how long a client may take before it is greeted, for each of what comes before: the PROXY header, and the TLS
// handshake.
const openTime = 30 * time.Second

// open does what comes before the greeting. ok is false if there will be none.
func (c *conn) open(ctx context.Context) (ok bool) {
	if c.uid != nil && c.ep.OfUID != nil {
		c.peer.Channel.Names = c.ep.OfUID(*c.uid)
	}
	if c.awaitsProxyHeader() {
		if err := c.proxied(); err != nil {
			c.log.Warn("connection refused", "peer", peerName(c.peer), "cause", err)
			return false
		}
	}
	if c.ep.TLS == nil || c.ep.Start != ImplicitTLS {
		return true
	}
	ch, ok := c.secure(ctx)
	c.peer.Secured, c.peer.TLS, c.peer.Channel = true, true, ch
	return ok
}

// hurry sets the deadline for what comes before a greeting, and for every handshake.
func (c *conn) hurry() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.srv.closing.Load() && !c.busy {
		return errShutdown
	}
	return c.rwc.SetDeadline(time.Now().Add(min(openTime, c.srv.cfg.CommandTimeout)))
}

func (c *conn) awaitsProxyHeader() bool { return c.ep.Proxy == ProxyProtocol && c.peer.Trusted }

// proxied reads for whom the peer has made the connection, as the PROXY protocol has it: with LOCAL for itself. The client is no
// peer that is trusted unless it is among those, and nobody knows who is at the other end of a proxy's unix socket.
func (c *conn) proxied() error {
	if err := c.hurry(); err != nil {
		return err
	}
	r := bufio.NewReaderSize(c.rwc, 256)
	h, err := proxyproto.Read(r)
	if err != nil {
		return fmt.Errorf("PROXY header: %w", err)
	}
	c.replace(&readAhead{c.rwc, r})
	if h.Version == 2 && h.Command.IsLocal() { // UNKNOWN of version 1 is none, and is read as one
		return nil
	}
	var ap netip.AddrPort // of a client that is not known
	if src, is := h.SourceAddr.(*net.TCPAddr); is {
		ap = addrOf(src)
	}
	if r := c.srv.readdress(c, ap); !r.IsZero() {
		_, _ = c.rwc.Write(r.Append(nil)) // whether it is heard changes nothing
		return errors.New(r.Text)
	}
	c.peer.Trusted = ap.IsValid() && c.ep.Trusted(ap.Addr())
	c.peer.Proxied, c.peer.Secured, c.peer.Channel.Names = true, false, nil
	return nil
}

// readAhead is a connection of which a part was read already.
type readAhead struct {
	net.Conn
	r *bufio.Reader
}

func (c *readAhead) Read(p []byte) (int, error) {
	if c.r.Buffered() > 0 {
		return c.r.Read(p)
	}
	return c.Conn.Read(p)
}

// CloseWrite ends what is written, where the connection can.
func (c *readAhead) CloseWrite() error {
	if cw, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return cw.CloseWrite()
	}
	return errors.ErrUnsupported
}

// replace has c go on with another connection, on top of the one it has.
func (c *conn) replace(nc net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rwc = nc
}
