package main

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/smtp"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery/spool"
	"lmtpd/protocol/server/certificate"
)

// An msa is a daemon of this process with listeners for submission, and two accounts.
type msa struct {
	*daemon
	dir string
	log *lockedBuffer
}

// msaConfig is a configuration whose files are in a directory.
const msaConfig = `
hostname = "mail.example.org"
data = "DIR/data"
[[listen]]
protocol = "submission"
address = "127.0.0.1:0"
[[listen]]
protocol = "submissions"
address = "127.0.0.2:0"
[[listen]]
protocol = "submission"
address = "unix:DIR/s"
tls = "off"
trust = ["unix"]
proxies = ["unix"]
[[listen]]
protocol = "lmtp"
address = "localhost:0"
tls = "starttls"
[[mailboxes]]
domains = ["example.org"]
accounts = "file:DIR/users"
store = "maildir:DIR/mail/%d/%n"
`

const msaUsers = "ann@example.org:{PLAIN}secret\nbob@example.org:{PLAIN}hunter2\neve@example.org:{PLAIN}x::::::nologin\n"

// loadMSA loads the configuration, with more of it behind.
func loadMSA(t *testing.T, dir, more string) (*Config, error) {
	t.Helper()
	for name, text := range map[string]string{"users": msaUsers, "lmtpd.toml": strings.ReplaceAll(msaConfig+more, "DIR", dir)} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return overrides{config: filepath.Join(dir, "lmtpd.toml")}.load()
}

func startMSA(t *testing.T, more string) *msa {
	t.Helper()
	dir, err := os.MkdirTemp("", "") // t.TempDir has too long a name for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	cfg, err := loadMSA(t, dir, more)
	if err != nil {
		t.Fatal(err)
	}
	m := &msa{dir: dir, log: &lockedBuffer{}}
	if m.daemon, err = newDaemon(cfg, slog.New(slog.NewTextHandler(m.log, nil))); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- m.run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return m
}

// client connects to a listener of the configuration, by number, and says hello.
func (m *msa) client(t *testing.T, listener int) *smtp.Client {
	t.Helper()
	addr := m.listeners[listener].Addr()
	conn, err := net.Dial(addr.Network(), addr.String())
	if err == nil && m.cfg.Listen[listener].TLS == TLSImplicit {
		conn = tls.Client(conn, trusting())
	}
	if err != nil {
		t.Fatal(err)
	}
	c, err := smtp.NewClient(conn, "mail.example.org")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func trusting() *tls.Config { return &tls.Config{InsecureSkipVerify: true} }

// says sends a command and wants the beginning of its reply.
func says(t *testing.T, c *smtp.Client, command, want string) {
	t.Helper()
	if err := c.Text.PrintfLine("%s", command); err != nil {
		t.Fatal(err)
	}
	code, text, err := c.Text.ReadResponse(0)
	if got := fmt.Sprintf("%d %s", code, text); !strings.HasPrefix(got, want) {
		t.Fatalf("%s: %q, want %q (%v)", command, got, want, err)
	}
}

const annPlain = "AUTH PLAIN AGFubkBleGFtcGxlLm9yZwBzZWNyZXQ="

// submit says a whole transaction.
func submit(t *testing.T, c *smtp.Client, from, to, content, want string) {
	t.Helper()
	says(t, c, "MAIL FROM:<"+from+">", "250")
	says(t, c, "RCPT TO:<"+to+">", "250")
	says(t, c, "DATA", "354")
	says(t, c, content+"\r\n.", want)
}

// kept is what is in INBOX of a mailbox.
func (m *msa) kept(t *testing.T, local string) (messages []string) {
	t.Helper()
	m.settled(t)
	files, err := filepath.Glob(filepath.Join(m.dir, "mail/example.org", local, "new", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		messages = append(messages, string(text))
	}
	return messages
}

// settled waits until nothing is left in the queue.
func (m *msa) settled(t *testing.T) {
	t.Helper()
	q, err := spool.OpenQueue(t.Context(), spoolPath(m.cfg.Data))
	if err != nil {
		t.Fatal(err)
	}
	defer q.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); ; <-tick.C {
		left, err := q.Totals(t.Context())
		switch {
		case err != nil:
			t.Fatal(err)
		case left.Messages == 0:
			return
		case time.Now().After(deadline):
			t.Fatalf("left in the queue: %+v", left)
		}
	}
}

// TestSubmission hands in a message: with implicit TLS, and after AUTH as one's own.
func TestSubmission(t *testing.T) {
	m := startMSA(t, "")
	c := m.client(t, 1)
	says(t, c, "EHLO client.example.net", "250")
	says(t, c, "MAIL FROM:<ann@example.org>", "530 5.7.0")
	says(t, c, annPlain, "235 2.7.0")
	says(t, c, "MAIL FROM:<bob@example.org>", "550 5.7.1")
	says(t, c, "MAIL FROM:<ann+x@example.org>", "250")
	says(t, c, "RCPT TO:<somebody@example.net>", "550 5.7.1")
	says(t, c, "RCPT TO:<nobody@example.org>", "550 5.1.1")
	says(t, c, "RSET", "250")
	submit(t, c, "ann@example.org", "bob@example.org", "From: bob@example.org\r\n\r\nforged", "550 5.7.1")
	submit(t, c, "ann@example.org", "bob@example.org", "From: ann@example.org\r\nBcc: eve@example.org\r\n\r\nHello.", "250 2.0.0 Queued ")
	says(t, c, "QUIT", "221")
	kept := m.kept(t, "bob")
	if len(kept) != 1 {
		t.Fatalf("kept are %q", kept)
	}
	for _, want := range []string{"with ESMTPSA id ", "\nDate: ", "\nMessage-ID: <", "\nHello.\n"} {
		if !strings.Contains(kept[0], want) {
			t.Errorf("%q lacks %q", kept[0], want)
		}
	}
	for _, secret := range []string{"Bcc", "127.0.0.1", "client.example.net", "forged"} {
		if strings.Contains(kept[0], secret) {
			t.Errorf("%q has %q", kept[0], secret)
		}
	}
	if log := m.log.String(); strings.Contains(log, "AGFub") || strings.Contains(log, "=secret") {
		t.Errorf("the log has a secret: %s", log)
	}
}

// Passwords are taken in plaintext only where nobody can listen.
func TestSubmissionStartTLS(t *testing.T) {
	m := startMSA(t, "")
	c := m.client(t, 0)
	says(t, c, "EHLO client.example.net", "250")
	says(t, c, annPlain, "538 5.7.11")
	says(t, c, "AUTH KERBEROS_V4", "504 5.5.4")
	if err := c.StartTLS(trusting()); err != nil {
		t.Fatal(err)
	}
	if ok, mechanisms := c.Extension("AUTH"); !ok || !strings.HasPrefix(mechanisms, "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS ") || !strings.HasSuffix(mechanisms, " PLAIN LOGIN") {
		t.Errorf("AUTH %s", mechanisms)
	}
	says(t, c, "AUTH PLAIN AGV2ZUBleGFtcGxlLm9yZwB4", "535 5.7.8") // eve, who may not
	says(t, c, annPlain, "235")
	says(t, c, annPlain, "503")
	submit(t, c, "ann@example.org", "ann@example.org", "\r\nx", "250")
	if kept := m.kept(t, "ann"); len(kept) != 1 || !strings.Contains(kept[0], "with ESMTPSA") {
		t.Errorf("kept are %q", kept)
	}
}

// LMTP has TLS too, if it is to.
func TestLMTPWithTLS(t *testing.T) {
	m := startMSA(t, "")
	c := m.client(t, 3)
	says(t, c, "LHLO client.example.net", "250")
	says(t, c, "STARTTLS", "220")
	addr := m.listeners[3].Addr().String()
	conn, err := tls.Dial("tcp", addr, trusting()) // not from the first octet
	if err == nil {
		conn.Close()
		t.Error("TLS began by itself")
	}
}

// Who is trusted may submit without AUTH as anybody; a proxy of the socket says for whom it has connected, who then is trusted
// no more; the user at the other end of a unix socket is who he is.
func TestSubmissionTrust(t *testing.T) {
	m := startMSA(t, "")
	c := m.client(t, 2)
	says(t, c, "EHLO client.example.net", "250")
	submit(t, c, "x@example.net", "ann@example.org", "\r\nx", "250")
	for command, want := range map[string]string{
		"XCLIENT ADDR=192.0.2.9 HELO=spike.example.net": "530",
		"XCLIENT ADDR=[UNAVAILABLE]":                    "530",
		"XCLIENT NAME=spike.example.net":                "530",
		"XCLIENT ADDR=192.0.2.9 LOGIN=BOB":              "250",
	} {
		c := m.client(t, 2)
		says(t, c, command, "220")
		says(t, c, "EHLO client.example.net", "250")
		says(t, c, "MAIL FROM:<bob@example.org>", want)
	}
}

// Who may act as another, and write as another, is told by any name of his.
func TestSubmissionNames(t *testing.T) {
	dir := t.TempDir()
	table := filepath.Join(dir, "senders")
	if err := os.WriteFile(table, []byte("info@example.org bob\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	m := startMSA(t, fmt.Sprintf("[auth]\nmasters = [\"ann\"]\n[submission]\nsenders = %q\n", table))
	c := m.client(t, 1)
	says(t, c, "EHLO client.example.net", "250")
	says(t, c, "AUTH PLAIN "+base64.StdEncoding.EncodeToString([]byte("bob\x00Ann\x00secret")), "235")
	says(t, c, "MAIL FROM:<ann@example.org>", "550")
	says(t, c, "MAIL FROM:<info@example.org>", "250")
}

// The end of a TLS connection is said, so that nobody can cut it short (RFC 8446 §6.1).
func TestSubmissionCloseNotify(t *testing.T) {
	m := startMSA(t, "")
	conn, err := tls.Dial("tcp", m.listeners[1].Addr().String(), trusting())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprint(conn, "QUIT\r\n")
	if all, err := io.ReadAll(conn); err != nil || !strings.Contains(string(all), "221") {
		t.Errorf("%q, %v", all, err)
	}
}

// A renewed certificate is shown; one that cannot be used at the start ends the daemon with EX_CONFIG.
func TestSubmissionCertificates(t *testing.T) {
	dir := t.TempDir()
	p, _, err := certificate.SelfSigned(dir, "mail.example.org", time.Now().Add(-10*365*24*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	garbage := filepath.Join(dir, "garbage")
	if err := os.WriteFile(garbage, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ certificate, key, want string }{
		{p.Certificate, p.Key, "expired"},
		{garbage, p.Key, "no certificate in PEM"},
		{filepath.Join(dir, "none"), p.Key, "no such file"},
	} {
		cfg, err := loadMSA(t, dir, fmt.Sprintf("[tls]\ncertificate = %q\nkey = %q\n", test.certificate, test.key))
		if err != nil {
			t.Fatal(err)
		}
		cfg.Listen = cfg.Listen[:2]
		_, err = newDaemon(cfg, slog.New(slog.DiscardHandler))
		coder, is := errors.AsType[cli.ExitCoder](err)
		if !is || coder.ExitCode() != exConfig || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v", test.want, err)
		}
	}
}

// Whoever guesses is told later and later, and then nothing; the log has a line for each attempt.
func TestSubmissionGuessing(t *testing.T) {
	m := startMSA(t, "")
	c := m.client(t, 2) // of a unix socket: no address to ban
	says(t, c, "EHLO client.example.net", "250")
	for _, command := range []string{"AUTH PLAIN AGFubkBleGFtcGxlLm9yZwB3cm9uZw==", "AUTH PLAIN AG5vYm9keUBleGFtcGxlLm9yZwB3cm9uZw=="} {
		says(t, c, command, "535 5.7.8 Authentication credentials invalid")
	}
	if n := strings.Count(m.log.String(), `msg="authentication failed"`); n != 2 {
		t.Errorf("%d lines in %s", n, m.log.String())
	}
}

// A lockedBuffer is a log that is read while it is written.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
