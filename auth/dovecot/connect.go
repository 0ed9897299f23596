package dovecot

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// How connections are made.
const (
	connecting = 5 * time.Second        // an attempt, to the end of the handshake
	patience   = 3 * time.Second        // of an exchange that begins while there is no connection: Dovecot may be starting again
	firstPause = 100 * time.Millisecond // from the end of a connection to the next attempt; it doubles with each that fails
	maxPause   = 2 * time.Second        // less than patience, so that who waits lives to see an attempt
)

// keep keeps a connection until ctx ends.
func (c *Client) keep(ctx context.Context) {
	defer close(c.done)
	pause := firstPause
	for {
		conn, err := c.connect(ctx)
		if err == nil {
			began := time.Now()
			c.set(conn, nil)
			err = conn.serve(ctx)
			// One that goes at once is as good as none.
			if time.Since(began) >= maxPause {
				pause = firstPause
			}
		}
		if ctx.Err() != nil {
			c.set(nil, ErrClosed)
			return
		}
		c.set(nil, err)
		select {
		case <-time.After(pause):
		case <-ctx.Done():
		}
		pause = min(2*pause, maxPause)
	}
}

// connect makes a connection.
func (c *Client) connect(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, connecting)
	defer cancel()
	nc, err := c.dial(ctx)
	if err != nil {
		return nil, err
	}
	undo := context.AfterFunc(ctx, func() { nc.Close() })
	conn := newConn(nc)
	err = conn.handshake(clientID())
	if !undo() {
		err = ctx.Err()
	}
	if err != nil {
		nc.Close()
		return nil, fmt.Errorf("handshake: %w", err)
	}
	return conn, nil
}

// clientID is a CPID, of which Dovecot wants another for each connection at a time. It is not 0.
func clientID() uint32 {
	var b [4]byte
	rand.Read(b[:]) // never fails
	return binary.BigEndian.Uint32(b[:]) | 1
}

// set has the Client know what has become of its connection, and logs what is new.
func (c *Client) set(conn *conn, failed error) {
	c.mu.Lock()
	had, hadFailed := c.conn, c.failed
	c.conn, c.failed = conn, failed
	if conn != nil {
		c.mechanisms = conn.mechanisms
	}
	close(c.changed)
	c.changed = make(chan struct{})
	c.mu.Unlock()
	where := slog.String("address", c.cfg.Address)
	switch {
	case conn != nil:
		c.cfg.Log.Info("Dovecot's authentication service is there", where)
	case errors.Is(failed, ErrClosed):
	case had != nil:
		c.cfg.Log.Warn("the connection to Dovecot's authentication service is lost", where, slog.String("cause", failed.Error()))
	case hadFailed == nil:
		c.cfg.Log.Error("Dovecot's authentication service is not there", where, slog.String("cause", failed.Error()))
	}
}

// connection returns the connection, for which it waits a while.
func (c *Client) connection(ctx context.Context) (*conn, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		c.mu.Lock()
		conn, failed, changed := c.conn, c.failed, c.changed
		c.mu.Unlock()
		switch {
		case errors.Is(failed, ErrClosed):
			return nil, failed
		case conn != nil && !conn.isBroken():
			return conn, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			if failed == nil {
				failed = ctx.Err()
			}
			return nil, fmt.Errorf("no connection to Dovecot's authentication service: %w", failed)
		}
	}
}
