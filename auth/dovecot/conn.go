package dovecot

import (
	"bufio"
	"container/list"
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	maxOpen = 1000            // requests of one connection
	writing = 5 * time.Second // one line; a server that does not take it hangs
	idling  = 2 * time.Minute // of a client between challenge and response; Dovecot forgets it after 2.5
)

var (
	errBusy    = errors.New("as many exchanges as may be wait for Dovecot")
	errIdle    = errors.New("the client took too long to respond")
	errEvicted = errors.New("the exchange was given up for newer ones while it waited for the client")
)

// A conn is one connection, on which requests are told apart by their ids. But for the handshake its methods may be called from
// many goroutines.
type conn struct {
	nc         net.Conn
	in         *bufio.Reader
	minor      int
	mechanisms []mechanism
	turn       chan struct{} // held by who writes

	mu     sync.Mutex
	open   map[uint32]*request
	idle   list.List // those of open whose client is to respond, the longest first
	last   uint32    // id
	broken chan struct{}
	err    error // why it is broken
}

func newConn(nc net.Conn) *conn {
	return &conn{
		nc:     nc,
		in:     bufio.NewReaderSize(nc, maxReceived),
		turn:   make(chan struct{}, 1),
		open:   make(map[uint32]*request),
		broken: make(chan struct{}),
	}
}

// serve takes answers to where they are waited for, until the connection is broken or ctx ends. The error says why.
func (c *conn) serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, func() { c.fail(ErrClosed) })()
	for {
		line, err := readLine(c.in)
		if err == nil {
			err = c.take(line)
		}
		if err != nil {
			return c.fail(err)
		}
	}
}

// take takes one line. That of a verb which is not known is left alone, as is one for a request that was given up.
func (c *conn) take(line string) error {
	a, known, err := parseAnswer(parseCommand(line))
	if err != nil || !known {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	r := c.open[a.id]
	if r == nil {
		return nil
	}
	if r.idle != nil && a.verb != verbFail {
		return fmt.Errorf("%s without a request", a.verb)
	}
	if a.verb == verbContinue {
		r.idle, r.since = c.idle.PushBack(r), time.Now()
	} else {
		c.forget(r)
	}
	r.answers <- a // there is room: for one, and a failure that nobody has asked for
	return nil
}

// fail ends the connection, for the first of all reasons, which it returns.
func (c *conn) fail(err error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
		close(c.broken)
		c.nc.Close()
	}
	return c.err
}

// reason is why the connection is broken.
func (c *conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *conn) isBroken() bool {
	select {
	case <-c.broken:
		return true
	default:
		return false
	}
}

// write writes a line when it is its turn.
func (c *conn) write(ctx context.Context, line []byte) error {
	select {
	case c.turn <- struct{}{}:
	case <-c.broken:
		return c.reason()
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-c.turn }()
	if err := c.send(line); err != nil {
		return c.fail(err)
	}
	return nil
}

// send writes what only one goroutine does at a time.
func (c *conn) send(line []byte) error {
	c.nc.SetWriteDeadline(time.Now().Add(writing))
	_, err := c.nc.Write(line)
	return err
}

// request opens a request. If there are as many as may be, the one whose client has been waited for longest makes room.
func (c *conn) request() (*request, error) {
	evicted, r, err := c.admit()
	if evicted != nil {
		evicted.cancel()
	}
	return r, err
}

func (c *conn) admit() (evicted, r *request, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.open) >= maxOpen {
		longest := c.idle.Front()
		if longest == nil {
			return nil, nil, errBusy
		}
		evicted = longest.Value.(*request)
		evicted.over, evicted.idle = errEvicted, nil
		c.idle.Remove(longest)
	}
	for c.last++; c.last == 0 || c.open[c.last] != nil; c.last++ {
	}
	r = &request{conn: c, id: c.last, answers: make(chan answer, 2)}
	c.open[r.id] = r
	return evicted, r, nil
}

// forget has a request be one that no answer is taken for. The caller holds mu.
func (c *conn) forget(r *request) {
	delete(c.open, r.id)
	if r.idle != nil {
		c.idle.Remove(r.idle)
		r.idle = nil
	}
}
