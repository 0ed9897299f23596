package server_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lmtpd/protocol/server"
	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

// A keeper is a session.Handler that keeps messages in memory. Recipients with the local-part "panic" make it
// panic.
type keeper struct {
	mu       sync.Mutex
	kept     []string
	broken   int           // contents that did not end in io.EOF
	began    chan struct{} // a Deliver has begun; may be nil
	finished chan struct{} // Deliver waits for it after the content; may be nil
}

func (k *keeper) Sender(context.Context, *smtp.Envelope) smtp.Reply {
	return smtp.Reply{Code: 250, Status: smtp.StatusAddress, Text: "Sender OK"}
}

func (k *keeper) Recipient(_ context.Context, _ *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	if to.To.Local == "panic-at-rcpt" {
		panic("asked for")
	}
	return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient OK"}.For(to.To)
}

func (k *keeper) Abandon(*smtp.Envelope) {}

func (k *keeper) Deliver(_ context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	if k.began != nil {
		k.began <- struct{}{}
	}
	var content bytes.Buffer
	_, err := content.ReadFrom(r)
	if k.finished != nil {
		<-k.finished
	}
	if env.Recipients[0].To.Local == "panic" {
		panic("asked for")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		k.broken++
		return nil
	}
	k.kept = append(k.kept, content.String())
	replies := make([]smtp.Reply, len(env.Recipients))
	for i, to := range env.Recipients {
		replies[i] = smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Delivered " + env.ID}.For(to.To)
	}
	return replies
}

func (k *keeper) counts() (kept, broken int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.kept), k.broken
}

// counter makes IDs.
func counter() func() string {
	var n atomic.Int64
	return func() string { return "ID" + strconv.FormatInt(n.Add(1), 10) }
}

func lmtp() server.Endpoint {
	return server.Endpoint{Session: session.Config{Dialect: session.LMTP(), Hostname: "mail.example.org", NewID: counter()}}
}

func config(h session.Handler) server.Config {
	return server.Config{Handler: h, NewID: counter(), Log: slog.New(slog.DiscardHandler)}
}

// A pipeListener accepts one end of net.Pipes, so that synctest can hold their deadlines.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipeListener() *pipeListener {
	return &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipeListener) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

func (l *pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe", Net: "unix"} }

func (l *pipeListener) dial() net.Conn {
	ours, theirs := net.Pipe()
	l.conns <- theirs
	return ours
}

// start serves on l until the test ends.
func start(t *testing.T, s *server.Server, l net.Listener, ep server.Endpoint) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Serve(l, ep) }()
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		s.Shutdown(ctx)
		if err := <-done; err != server.ErrServerClosed {
			t.Errorf("Serve returned %v", err)
		}
	})
}

// A client is the other end of a session.
type client struct {
	t *testing.T
	net.Conn
	r *textproto.Reader
}

func newClient(t *testing.T, c net.Conn) *client {
	t.Helper()
	t.Cleanup(func() { c.Close() })
	return &client{t: t, Conn: c, r: textproto.NewReader(bufio.NewReader(c))}
}

func dialTCP(t *testing.T, l net.Listener) *client {
	t.Helper()
	c, err := net.Dial(l.Addr().Network(), l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return newClient(t, c)
}

func listenTCP(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// expect reads a reply whose last line begins with want.
func (c *client) expect(want string) {
	c.t.Helper()
	for {
		line, err := c.r.ReadLine()
		if err != nil {
			c.t.Fatalf("want %q: %v", want, err)
		}
		if len(line) > 3 && line[3] == '-' {
			continue
		}
		if !strings.HasPrefix(line, want) {
			c.t.Fatalf("got %q, want %q", line, want)
		}
		return
	}
}

func (c *client) send(s string) {
	c.t.Helper()
	if _, err := io.WriteString(c.Conn, s); err != nil {
		c.t.Fatal(err)
	}
}

// say sends a command and expects its reply.
func (c *client) say(line, want string) {
	c.t.Helper()
	c.send(line + "\r\n")
	c.expect(want)
}

// begin brings the session to where content is awaited.
func (c *client) begin(rcpt string) {
	c.t.Helper()
	c.expect("220")
	c.say("LHLO client.example.org", "250")
	c.say("MAIL FROM:<bob@example.com>", "250 2.1.0")
	c.say("RCPT TO:<"+rcpt+">", "250 2.1.5")
	c.say("DATA", "354")
}

// gone reads until the server has hung up.
func (c *client) gone() {
	c.t.Helper()
	if _, err := io.Copy(io.Discard, c.Conn); err != nil && !strings.Contains(err.Error(), "reset") {
		c.t.Fatal(err)
	}
}
