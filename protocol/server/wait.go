package server

import (
	"errors"
	"net"
	"time"

	"lmtpd/protocol/session"
)

// errShutdown ends a read that waits for a command while the server goes down.
var errShutdown = errors.New("shutting down")

// longAgo is a deadline that wakes whoever reads.
var longAgo = time.Unix(1, 0)

// await notes what the next reads are for.
func (c *conn) await(next session.Next) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.armed = false
	c.content = next.Kind == session.Content || next.Kind == session.Chunk
	c.busy = c.content || next.Kind == session.Handshake || c.session.Inside()
}

// Read is what the smtp.Reader calls when nothing is read ahead: now the replies must leave, and the client may
// be waited for.
func (c *conn) Read(p []byte) (int, error) {
	if err := c.flush(); err != nil {
		return 0, err
	}
	if err := c.arm(); err != nil {
		return 0, err
	}
	n, err := c.rwc.Read(p)
	if err != nil && c.woken() {
		err = errShutdown
	}
	if op, is := errors.AsType[*net.OpError](err); is {
		err = op.Err // logs know the session; addresses of sockets say nothing more
	}
	return n, err
}

// arm sets the deadline: one for a whole line, so that a client cannot drip, and one for each block of content.
func (c *conn) arm() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.content:
		return c.rwc.SetReadDeadline(time.Now().Add(c.srv.cfg.ContentTimeout))
	case c.srv.closing.Load() && !c.busy:
		return errShutdown
	case c.armed:
		return nil
	}
	c.armed = true
	return c.rwc.SetReadDeadline(time.Now().Add(c.srv.cfg.CommandTimeout))
}

// wake ends a read that waits for a command. The server is closing already, so that a read that begins later
// sees it by itself.
func (c *conn) wake() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.busy {
		_ = c.rwc.SetReadDeadline(longAgo) // a connection that is closed needs no waking
	}
}

// close hangs up, whatever the connection is being used for.
func (c *conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.rwc.Close()
}

// woken says whether a read was ended by wake.
func (c *conn) woken() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.srv.closing.Load() && !c.busy
}
