package spool

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

// A carrier is a Transport for tests: mail goes to the domain of the recipient.
type carrier struct {
	answer func(ctx context.Context, destination string, m *Message) ([]Outcome, error) // nil: all is relayed
	route  atomic.Pointer[func(from, to smtp.Path) string]                              // nil: the domain

	mu   sync.Mutex
	seen []string // destination, id and recipients of attempts, in order
	log  []carried
}

type carried struct {
	at      time.Time
	id      string
	to      []string
	content string
	from    smtp.Path
}

func (c *carrier) Destination(from, to smtp.Path) string {
	if f := c.route.Load(); f != nil {
		return (*f)(from, to)
	}
	return to.Domain
}

func (c *carrier) Attempt(ctx context.Context, destination string, m *Message) ([]Outcome, error) {
	b, err := io.ReadAll(io.NewSectionReader(m.Content, 0, m.Content.Size()))
	if err != nil {
		return nil, err
	}
	one := carried{at: time.Now(), id: m.ID, content: string(b), from: m.From}
	for _, to := range m.Recipients {
		one.to = append(one.to, to.To.String())
	}
	c.mu.Lock()
	c.log = append(c.log, one)
	c.seen = append(c.seen, destination+" "+m.ID+" "+strings.Join(one.to, ","))
	c.mu.Unlock()
	if c.answer != nil {
		return c.answer(ctx, destination, m)
	}
	return all(m, Relayed, smtp.Reply{Code: 250, Status: "0.0", Text: "OK"}), nil
}

// all are outcomes that are the same for all recipients.
func all(m *Message, f Fate, r smtp.Reply) []Outcome {
	return slices.Repeat([]Outcome{{Fate: f, Reply: r, Server: "mx.example"}}, len(m.Recipients))
}

func (c *carrier) attempts() []carried {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.log)
}

func (c *carrier) calls() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.seen)
}

// report writes notifications that can be read at a glance.
func report(r dsn.Report) (Mail, error) {
	text := fmt.Sprintf("report of %s", r.ID)
	for _, to := range r.Recipients {
		text += fmt.Sprintf("\r\n%s <%s> %s", to.Action, to.To, to.Reply)
	}
	return Mail{
		Envelope: &smtp.Envelope{Recipients: []smtp.Recipient{{To: r.From}}},
		Content:  octets(text),
	}, nil
}

var ids atomic.Int64

func newID() string { return fmt.Sprintf("id%d", ids.Add(1)) }

// A logBook is a log for tests.
type logBook struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBook) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBook) lines(with string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for line := range strings.Lines(l.b.String()) {
		if strings.Contains(line, with) {
			n++
		}
	}
	return n
}

func (l *logBook) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func config(path string, c *carrier) Config {
	return Config{
		Path: path, Transport: c, Report: report, Hostname: "mail.example.org", Postmaster: smtp.Path{Local: "postmaster", Domain: "here.example"},
		Now: time.Now, NewID: newID, Log: slog.New(slog.DiscardHandler),
	}
}

func tempPath(t testing.TB) string { return filepath.Join(t.TempDir(), "spool.db") }

func open(t testing.TB, cfg Config) *Spool {
	t.Helper()
	s, err := Open(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a spool until stop is called, which closes it, too.
func run(t testing.TB, s *Spool) (stop func()) {
	t.Helper()
	halt := start(t, s)
	return func() {
		t.Helper()
		halt()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

// start runs a spool until stop is called.
func start(t testing.TB, s *Spool) (stop func()) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	for !s.runs() {
		select {
		case err := <-ended:
			cancel()
			t.Fatal(err)
		default:
			time.Sleep(time.Millisecond)
		}
	}
	return func() {
		t.Helper()
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
}

func (s *Spool) runs() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func path(s string) smtp.Path {
	if s == "" {
		return smtp.Path{}
	}
	local, domain, _ := strings.Cut(s, "@")
	return smtp.Path{Local: local, Domain: domain}
}

// mail is a message from an account.
func mail(from, content string, to ...string) Mail {
	env := &smtp.Envelope{ID: newID(), From: path(from)}
	for _, one := range to {
		env.Recipients = append(env.Recipients, smtp.Recipient{To: path(one)})
	}
	return Mail{Envelope: env, Trace: []byte("Received: x\r\n"), Content: octets(content)}
}

func put(t testing.TB, s *Spool, m Mail) string {
	t.Helper()
	if err := s.Put(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	return m.Envelope.ID
}

// rows counts those of a table.
func rows(t testing.TB, s *Spool, table string) (n int) {
	t.Helper()
	err := s.db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// empty says that nothing is left.
func empty(t testing.TB, s *Spool) {
	t.Helper()
	for _, table := range []string{"message", "entry", "recipient", "chunk"} {
		if n := rows(t, s, table); n != 0 {
			t.Errorf("%d rows are left in %s", n, table)
		}
	}
}

var errFault = errors.New("fault")
