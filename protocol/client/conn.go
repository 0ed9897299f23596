package client

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"strings"

	"lmtpd/protocol/smtp"
)

// Errors of Dial, New and of using a connection.
var (
	ErrNoDialect = errors.New("no dialect")
	ErrBadHello  = errors.New("neither a domain nor an address literal")
	// ErrOutOfStep is returned when replies can no longer be told apart: the server said what it was not asked.
	ErrOutOfStep = errors.New("server is out of step")
)

// A Conn is a session with a server. It is for one goroutine at a time, except for Close. After an error of the
// connection (anything but a refusal) it is closed, and every further use returns that error.
type Conn struct {
	w        *wire
	host     string               // that the server is reached by; "": it is not known
	state    *tls.ConnectionState // nil: no TLS
	account  bool                 // authentication has succeeded
	dialect  Dialect
	timeouts Timeouts
	greeting smtp.Reply
	name     string // that the server calls itself
	ext      Extensions
	read     bool   // some content of the last message was read
	open     bool   // a transaction was begun and not ended: RSET before the next
	lost     error  // why the connection can no longer be used
	block    []byte // read buffer of content
	out      []byte // what is about to be written
}

// Dial connects to a, waits for the greeting and says hello. An error that holds a smtp.Reply is the server's
// refusal; ctx bounds the whole of it.
func Dial(ctx context.Context, a Address, o Options) (*Conn, error) {
	nc, err := o.dial(ctx, a)
	if err != nil {
		var op *net.OpError
		if errors.As(err, &op) {
			err = op.Err // the rest of it says again where
		}
		return nil, fmt.Errorf("connect %s: %w", a, err)
	}
	c, err := open(ctx, nc, a, o)
	if err != nil {
		return nil, fmt.Errorf("connect %s: %w", a, err)
	}
	return c, nil
}

func (o Options) dial(ctx context.Context, a Address) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, o.Timeouts.withDefaults().Connect)
	defer cancel()
	if o.Dial != nil {
		return o.Dial(ctx, a.Network, a.Name)
	}
	return (&net.Dialer{}).DialContext(ctx, a.Network, a.Name)
}

// New begins a session on a connection that is there already, which may be one over TLS; it closes nc if that fails. ctx bounds
// the greeting and what follows it, no longer.
func New(ctx context.Context, nc net.Conn, d Dialect, o Options) (*Conn, error) {
	return open(ctx, nc, Address{Dialect: d}, o)
}

func open(ctx context.Context, nc net.Conn, a Address, o Options) (*Conn, error) {
	c := &Conn{w: newWire(nc, o.Trace), host: a.Host(), dialect: a.Dialect, timeouts: o.Timeouts.withDefaults()}
	defer c.w.bind(ctx)()
	if err := c.begin(a, o); err != nil {
		return nil, because(ctx, c.lose(err))
	}
	return c, nil
}

func (c *Conn) begin(a Address, o Options) error {
	name := cmp.Or(o.Hello, "localhost")
	if c.dialect.IsZero() {
		return ErrNoDialect
	}
	if !smtp.IsDomain(name, smtp.ASCII) && !smtp.IsAddressLiteral(name) {
		return fmt.Errorf("hello %q: %w", name, ErrBadHello)
	}
	if tc, is := c.w.raw.(*tls.Conn); is {
		c.w.expire(c.timeouts.Command)
		if err := tc.Handshake(); err != nil {
			return fmt.Errorf("TLS handshake: %w", err)
		}
		c.secure(tc)
	} else if a.TLS {
		if err := c.handshake(o.Security, false); err != nil {
			return err
		}
	}
	greeting, err := c.w.read(c.timeouts.Greeting)
	if err != nil {
		return fmt.Errorf("wait for the greeting: %w", err)
	}
	if greeting.Code != 220 {
		return fmt.Errorf("greeting: %w", greeting)
	}
	c.greeting = greeting
	if err := c.hello(name); err != nil {
		return err
	}
	return c.protect(o.Security, name)
}

// hello says hello and keeps the list of extensions, which replaces any that was there (RFC 5321 §4.1.4).
func (c *Conn) hello(name string) error {
	r, err := c.command(c.dialect.hello+" "+name, c.timeouts.Command)
	if err != nil {
		return err
	}
	verb := c.dialect.hello
	if r.Permanent() && c.dialect.old != "" { // RFC 5321 §3.2
		verb = c.dialect.old
		if r, err = c.command(verb+" "+name, c.timeouts.Command); err != nil {
			return err
		}
		r.Text = firstLine(r.Text)
	}
	if r.Code != 250 {
		return fmt.Errorf("%s: %w", verb, r)
	}
	c.name, _, _ = strings.Cut(firstLine(r.Text), " ")
	c.ext = parseExtensions(r.Text)
	return nil
}

func firstLine(text string) string {
	first, _, _ := strings.Cut(text, "\n")
	return first
}

// Server returns the server's name as it says it in its reply to the hello (RFC 5321 §4.1.1.1).
func (c *Conn) Server() string { return c.name }

// lose closes the connection for good and returns err. Over TLS there is no farewell: it could have to wait for a server that reads
// no more, and whoever takes half of a message for all of it must not be told that this was the end.
func (c *Conn) lose(err error) error {
	c.lost = err
	c.w.raw.Close()
	return err
}

// because names the end of ctx as the cause of a deadline that it brought about.
func because(ctx context.Context, err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) && ctx.Err() != nil {
		return fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return err
}

// Greeting returns the server's first reply.
func (c *Conn) Greeting() smtp.Reply { return c.greeting }

// Extensions returns what the server offers. The caller may change the map.
func (c *Conn) Extensions() Extensions { return maps.Clone(c.ext) }

// Reset ends a transaction that was begun and not finished. Send does so itself where it must.
func (c *Conn) Reset(ctx context.Context) error {
	if err := c.usable(ctx); err != nil {
		return err
	}
	defer c.w.bind(ctx)()
	r, err := c.command("RSET", c.timeouts.Command)
	if err == nil && r.Code != 250 {
		err = fmt.Errorf("RSET: %w", r)
	}
	if err != nil {
		return because(ctx, c.lose(err))
	}
	c.open = false
	return nil
}

func (c *Conn) usable(ctx context.Context) error {
	if c.lost != nil {
		return fmt.Errorf("connection is closed: %w", c.lost)
	}
	return ctx.Err()
}

// Quit says QUIT, waits for the reply and closes the connection, whatever happens. Its error says nothing about
// messages that were sent before.
func (c *Conn) Quit(ctx context.Context) error {
	if err := c.usable(ctx); err != nil {
		c.Close()
		return err
	}
	defer c.w.bind(ctx)()
	r, err := c.command("QUIT", c.timeouts.Quit)
	if err == nil {
		c.w.nc.Close()
	}
	if err == nil && r.Code != 221 {
		err = fmt.Errorf("QUIT: %w", r)
	}
	c.lose(net.ErrClosed)
	return because(ctx, err)
}

// Close closes the connection without a word. A transaction under way is interrupted, and a server forgets it
// (RFC 5321 §4.1.1.10). It may be called at any time, more than once, and from any goroutine.
func (c *Conn) Close() error {
	if err := c.w.raw.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}
