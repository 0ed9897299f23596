package client

import (
	"cmp"
	"context"
	"errors"
	"slices"
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
	MaxIdle  int                                      // connections that wait at most; 0: 100
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

// Send hands over one message as Conn.Send does, and returns the name of the server besides. A connection that has waited may have
// gone meanwhile: then the message goes over a new one, as long as none of its content has been read. What was sent, or may have
// been, is never sent again.
func (p *Pool) Send(ctx context.Context, m Message) (results []Result, server string, err error) {
	c, err := p.take(ctx)
	if err != nil {
		return make([]Result, len(m.Recipients)), "", err
	}
	results, err = c.conn.Send(ctx, m)
	if c.sent > 0 && c.conn.lost != nil && !c.conn.read && ctx.Err() == nil && untouched(results) {
		if c, err = p.dial(ctx); err != nil {
			return make([]Result, len(m.Recipients)), "", err
		}
		results, err = c.conn.Send(ctx, m)
	}
	c.sent++
	p.give(c)
	return results, c.conn.Server(), err
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
	closed, n := p.closed, len(p.idle)
	if n == 0 || closed {
		p.mu.Unlock()
		if closed {
			return nil, ErrPoolClosed
		}
		return p.dial(ctx)
	}
	defer p.mu.Unlock()
	c := p.idle[n-1]
	p.idle = slices.Delete(p.idle, n-1, n)
	c.timer.Stop()
	return c, nil
}

func (p *Pool) dial(ctx context.Context) (*pooled, error) {
	conn, err := p.Dial(ctx)
	if err != nil {
		return nil, err
	}
	return &pooled{conn: conn}, nil
}

// give takes a connection back. What cannot be used again ends, and so does the one that has waited longest if there are too many.
func (p *Pool) give(c *pooled) {
	if c.conn.lost != nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.closed:
		go quit(c.conn) // nobody counts on it any more
		return
	case c.sent >= cmp.Or(p.Messages, 1000):
		p.quits.Go(func() { quit(c.conn) })
		return
	}
	c.timer = time.AfterFunc(cmp.Or(p.Idle, 30*time.Second), func() { p.expire(c) })
	p.idle = append(p.idle, c)
	if len(p.idle) > cmp.Or(p.MaxIdle, 100) {
		p.remove(0)
	}
}

// expire ends a connection that has waited long enough, unless it is in use again.
func (p *Pool) expire(c *pooled) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := slices.Index(p.idle, c); i >= 0 {
		p.remove(i)
	}
}

// remove ends the connection number i of those that wait. p.mu is held.
func (p *Pool) remove(i int) {
	c := p.idle[i]
	p.idle = slices.Delete(p.idle, i, i+1)
	c.timer.Stop()
	p.quits.Go(func() { quit(c.conn) })
}

// quit ends a session in good order. How that goes changes nothing any more; Timeouts.Quit bounds it.
func quit(c *Conn) { _ = c.Quit(context.Background()) }

// Close ends the sessions that wait, in good order, and others when their message is over. It waits for the former.
func (p *Pool) Close() error {
	p.mu.Lock()
	p.closed = true
	for len(p.idle) > 0 {
		p.remove(len(p.idle) - 1)
	}
	p.mu.Unlock()
	p.quits.Wait()
	return nil
}
