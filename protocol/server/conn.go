package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"time"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

const (
	flushAt     = 16 << 10 // replies pending: more is written at once, so that memory stays bounded
	lingerTime  = time.Second
	lingerBytes = 1 << 20
)

// A conn drives one session on one connection.
type conn struct {
	srv     *Server
	ep      *Endpoint
	peer    session.Peer
	uid     *uint32      // of the process at the other end of a unix socket, where it matters; else nil
	key     netip.Prefix // whose connection it is counted as; invalid: nobody's
	session *session.Session
	log     *slog.Logger

	rwc     net.Conn
	reader  *smtp.Reader
	out     []byte // replies not yet written
	shaking bool   // a TLS handshake is under way: nothing can be said
	silent  bool   // the client has sent nothing that is unread

	mu      sync.Mutex
	armed   bool // the deadline for the line at hand is set
	content bool // content is being read: each block has its own deadline
	busy    bool // inside a message or a handshake: shutdown waits
}

func newConn(s *Server, nc net.Conn, ep *Endpoint, peer session.Peer) *conn {
	c := &conn{srv: s, ep: ep, rwc: nc, peer: peer, log: s.cfg.Log.With("session", peer.Session)}
	if !c.awaitsProxyHeader() { // else it is yet to say whose it is
		c.key = peerKey(peer.Client.Addr.Addr())
	}
	return c
}

// begin begins the session, once it is known who the client is and whether anybody can listen.
func (c *conn) begin() session.Step {
	cfg, handler := c.ep.Session, c.ep.Handler
	cfg.Trusted = c.ep.Trusted
	cfg.StartTLS = c.ep.TLS != nil && c.ep.Start == StartTLS
	if handler == nil {
		handler = c.srv.cfg.Handler
	}
	c.session = session.New(cfg, handler, c.peer)
	c.reader = smtp.NewReader(c)
	return c.session.Start()
}

// serve carries out the session's steps until one says to hang up.
func (c *conn) serve(ctx context.Context) {
	defer c.srv.remove(c)
	defer func() { c.rwc.Close() }() // whatever it is by then
	step := c.guard(func() session.Step {
		if !c.open(ctx) {
			return session.Step{Next: session.Next{Kind: session.Close}}
		}
		c.log.Debug("connected", "peer", peerName(c.peer))
		return c.begin()
	})
	if c.session == nil {
		return
	}
	for step.Next.Kind != session.Close {
		c.reply(step.Replies)
		step = c.guard(func() session.Step { return c.turn(ctx, step.Next) })
	}
	c.reply(step.Replies)
	c.hangUp(step.Replies)
	c.guard(func() session.Step { c.session.Close(); return session.Step{} })
	c.log.Debug("disconnected", "peer", peerName(c.peer))
}

// guard is where a panic stops: it is logged, its client hears a transient reply, and the others nothing.
func (c *conn) guard(f func() session.Step) (step session.Step) {
	defer func() {
		if v := recover(); v != nil {
			c.log.Error("panic", "cause", v, "stack", string(debug.Stack()))
			step = session.Step{Next: session.Next{Kind: session.Close}}
			if c.session != nil && !c.shaking {
				step = c.session.Panicked()
			}
		}
	}()
	return f()
}

// turn reads what is next and gives it to the session.
func (c *conn) turn(ctx context.Context, next session.Next) session.Step {
	c.await(next)
	switch next.Kind {
	case session.Command:
		return c.line(ctx, smtp.MaxCommand)
	case session.Response:
		return c.line(ctx, session.MaxResponse)
	case session.Content:
		return c.session.Content(ctx, c.reader.Content())
	case session.Chunk:
		return c.session.Chunk(ctx, c.reader.Chunk(next.Octets))
	case session.Handshake:
		return c.handshake(ctx)
	}
	return session.Step{Next: session.Next{Kind: session.Close}}
}

func (c *conn) line(ctx context.Context, limit int) session.Step {
	line, err := c.reader.ReadLine(limit)
	switch {
	case err == nil:
		c.trace("C", line)
		return c.session.Line(ctx, line)
	case errors.Is(err, smtp.ErrLineTooLong), errors.Is(err, smtp.ErrBareLineEnd):
		return c.session.Malformed(err)
	case errors.Is(err, errShutdown):
		c.silent = true
		return c.session.Shutdown()
	case errors.Is(err, os.ErrDeadlineExceeded):
		c.silent = true
		return c.session.TimedOut()
	}
	return session.Step{Next: session.Next{Kind: session.Close}}
}

// reply adds replies to those that wait to be written.
func (c *conn) reply(replies []smtp.Reply) {
	for _, r := range replies {
		n := len(c.out)
		c.out = r.Append(c.out)
		c.trace("S", c.out[n:])
	}
	if len(c.out) > flushAt {
		_ = c.flush() // what is wrong is seen by the next read
	}
}

// flush writes the replies that wait.
func (c *conn) flush() error {
	if len(c.out) == 0 {
		return nil
	}
	if err := c.rwc.SetWriteDeadline(time.Now().Add(c.srv.cfg.CommandTimeout)); err != nil {
		return err
	}
	_, err := c.rwc.Write(c.out)
	c.out = c.out[:0]
	if err != nil {
		c.rwc.Close()
	}
	return err
}

// hangUp writes the last replies. When a client that is still sending is hung up on, what it sends is read for a
// moment: a connection closed with octets unread is reset, and the reply would be lost with it.
func (c *conn) hangUp(last []smtp.Reply) {
	if c.flush() != nil || c.silent || len(last) == 0 || last[len(last)-1].Positive() {
		return
	}
	if cw, ok := c.rwc.(interface{ CloseWrite() error }); !ok || cw.CloseWrite() != nil {
		return
	}
	if c.rwc.SetReadDeadline(time.Now().Add(lingerTime)) == nil {
		_, _ = io.CopyN(io.Discard, c.rwc, lingerBytes)
	}
}

// trace logs a line of the dialogue, without the client's secrets.
func (c *conn) trace(side string, line []byte) {
	if !c.log.Enabled(context.Background(), LevelTrace) {
		return
	}
	text := strings.TrimSuffix(string(line), "\r\n")
	if side == "C" {
		text = c.session.Mask(text)
	}
	c.log.Log(context.Background(), LevelTrace, side, "line", text)
}

func uitoa(n uint32) string { return strconv.FormatUint(uint64(n), 10) }
