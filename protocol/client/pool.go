package client

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"
)

// ErrPoolClosed is returned for a pool that was closed.
var ErrPoolClosed = errors.New("pool of connections is closed")

// A Pool keeps connections to one server for the next message: a connection, a handshake and a login cost more than a transaction.
// There are as many connections as there are messages under way at once. Only Dial is needed. The fields are not changed once it is
// used; its methods may be called from many goroutines at once.
type Pool struct {
	Dial     func(ctx context.Context) (*Conn, error) // begins a session, authenticated if it is to be
	Idle     time.Duration                            // for which a connection waits for the next message; 0: 30 seconds
	Messages int                                      // that one connection is good for; 0: 1000

	mu     sync.Mutex
	idle   []*pooled // the one that was used last is the last
	closed bool
	quits  sync.WaitGroup
}

// A pooled connection is one that waits.
type pooled struct {
	conn  *Conn
	sent  int // messages
	timer *time.Timer
}

// Send hands over one message as Conn.Send does, and returns the name of the server besides. On a connection that has waited, and
// has gone meanwhile, nothing is lost: the message goes over a new one, as long as none of its content has been read.
func (p *Pool) Send(ctx context.Context, m Message) (results []Result, server string, err error) {
	for {
		c, err := p.take(ctx)
		if err != nil {
			return make([]Result, len(m.Recipients)), "", err
		}
		results, err = c.conn.Send(ctx, m)
		again := c.sent > 0 && c.conn.lost != nil && !c.conn.read && ctx.Err() == nil && untouched(results)
		c.sent++
		p.give(c)
		if !again {
			return results, c.conn.Server(), err
		}
	}
}

// untouched says whether no recipient has an outcome but that the server has gone.
func untouched(results []Result) bool {
	for _, r := range results {
		if r.Outcome != NotSent && r.Reply.Code != 421 {
			return false
		}
	}
	return true
}

// take returns a connection that waits, or a new one.
func (p *Pool) take(ctx context.Context) (*pooled, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrPoolClosed
	}
	if n := len(p.idle); n > 0 {
		c := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		c.timer.Stop()
		return c, nil
	}
	p.mu.Unlock()
	conn, err := p.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &pooled{conn: conn}, nil
}

// give takes a connection back. What cannot be used again ends.
func (p *Pool) give(c *pooled) {
	if c.conn.lost != nil {
		c.conn.Close()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || c.sent >= cmp.Or(p.Messages, 1000) {
		p.quit(c)
		return
	}
	c.timer = time.AfterFunc(cmp.Or(p.Idle, 30*time.Second), func() { p.expire(c) })
	p.idle = append(p.idle, c)
}

// expire ends a connection that has waited long enough.
func (p *Pool) expire(c *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i := range p.idle {
		if p.idle[i] == c {
			p.idle = append(p.idle[:i], p.idle[i+1:]...)
			p.quit(c)
			return
		}
	}
}

// quit ends a session in good order, and nobody waits for it but Close.
func (p *Pool) quit(c *pooled) {
	p.quits.Go(func() { _ = c.conn.Quit(context.Background()) }) // how it ends changes nothing; Timeouts.Quit bounds it
}

// Close ends the sessions that wait, in good order, and others when their message is over. It waits for the former.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	for _, c := range p.idle {
		c.timer.Stop()
		p.quit(c)
	}
	p.idle = nil
	p.mu.Unlock()
	p.quits.Wait()
	return nil
}
