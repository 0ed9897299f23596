package client

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
	"lmtpd/protocol/smtp"
)

const (
	accepted2 = "S: 250 ok\nS: 250 ok\nS: 250 ok\n"
	data2     = "C: MAIL FROM:<>\n" + esmtpCommands + "C: DATA\n" + accepted2 + "S: 354 go\nC= \"hi\\r\\n.\\r\\n\"\n"
	pipelines = "S: 250 PIPELINING\n"
)

// A dialogue is all of a session with a server that does its best: hello, AUTH if there are credentials, and a message to ann and bob.
type dialogue struct {
	name, script string
	address      Address
	security     Security
	mechanism    string // of AUTH; "": there is none
	change       func(*Message)
}

// dialogues are sessions of every kind. Each ends when the last reply has come.
func dialogues(roots *tls.Config) []dialogue {
	lmtp, esmtp := Address{Dialect: LMTP(), Network: "tcp", Name: "mx.example.org:24"}, Address{Dialect: ESMTP(), Network: "tcp", Name: "mx.example.org:25"}
	implicit := esmtp
	implicit.TLS = true
	plain := "C: AUTH PLAIN " + b64("\x00tim\x00tanstaaftanstaaf") + "\nS: 235 2.7.0 hello\n"
	login := "C: AUTH LOGIN\nS: 334 VXNlcm5hbWU6\nC: " + b64("tim") + "\nS: 334 UGFzc3dvcmQ6\nC: " + b64("tanstaaftanstaaf") + "\nS: 235 hello\n"
	starttls := offersTLS + "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO localhost\nS: 250-mx.example.org\nS: 250-PIPELINING\nS: 250 AUTH PLAIN\n"
	return []dialogue{
		{name: "LMTP", script: hello + bothAccepted + "S: 250-2.1.5 a\nS: 250 2.1.5 a\nS: 250 2.1.5 b\n", address: lmtp},
		{name: "ESMTP", script: esmtpHello + pipelines + data2 + "S: 250 2.0.0 queued\n", address: esmtp},
		{name: "HELO", script: "S: 220 mx\nC: EHLO localhost\nS: 500 what\nC: HELO localhost\nS: 250 mx\nC: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok\n" +
			"C: RCPT TO:<bob@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 2.0.0 queued\n", address: esmtp},
		{name: "PRDR", script: esmtpHello + "S: 250-PRDR\n" + pipelines + strings.Replace(data2, "<>", "<> PRDR", 1) + "S: 353 each\nS: 250 a\nS: 250 b\nS: 250 2.0.0 queued\n",
			address: esmtp, change: func(m *Message) { m.PRDR = true }},
		{name: "BDAT", script: esmtpHello + "S: 250-CHUNKING\n" + pipelines + "C: MAIL FROM:<>\n" + esmtpCommands + accepted2 + "C= \"BDAT 4 LAST\\r\\nhi\\r\\n\"\nS: 250 2.0.0 queued\n",
			address: esmtp, change: func(m *Message) { m.Chunking = true }},
		{name: "BDAT, LMTP", script: strings.Replace(hello, "S: 250 ", "S: 250-CHUNKING\nS: 250 ", 1) + "C: MAIL FROM:<>\n" + esmtpCommands + accepted2 +
			"C= \"BDAT 4 LAST\\r\\nhi\\r\\n\"\nS: 250 a\nS: 250 b\n", address: lmtp, change: func(m *Message) { m.Chunking = true }},
		{name: "AUTH", script: esmtpHello + "S: 250-AUTH LOGIN\n" + pipelines + login + data2 + "S: 250 2.0.0 queued\n", address: esmtp, mechanism: "LOGIN"},
		{name: "STARTTLS and AUTH", script: starttls + plain + data2 + "S: 250 2.0.0 queued\n", address: esmtp, security: Security{Start: Required, Config: roots}, mechanism: "PLAIN"},
		{name: "TLS", script: "TLS\n" + esmtpHello + pipelines + data2 + "S: 250 2.0.0 queued\n", address: implicit, security: Security{Config: roots}},
	}
}

// hold holds the dialogue over nc, and returns what became of the message: nil if there was no session.
func (d dialogue) hold(ctx context.Context, nc net.Conn) ([]Result, error) {
	c, err := Dial(ctx, d.address, Options{Security: d.security, Dial: func(context.Context, string, string) (net.Conn, error) { return nc, nil }})
	if err != nil {
		return nil, err
	}
	defer c.Close()
	if d.mechanism != "" {
		if err := c.Auth(ctx, d.mechanism, tim); err != nil {
			return nil, err
		}
	}
	m := letter("ann", "bob")
	if d.change != nil {
		d.change(&m)
	}
	return c.Send(ctx, m)
}

// A shortConn closes once that many octets were written.
type shortConn struct {
	net.Conn
	left int
	cut  bool
}

func (s *shortConn) Write(p []byte) (int, error) {
	if n := len(p); n <= s.left {
		s.left -= n
		return s.Conn.Write(p)
	}
	s.cut = true
	s.Conn.Write(p[:s.left])
	s.Conn.Close()
	return 0, net.ErrClosed
}

// A server that closes after any octet, in a handshake, an exchange or anywhere: no session hangs, and nobody has a message for which
// there is no reply.
func TestCloseAtEveryOctet(t *testing.T) {
	ca := newAuthority(t)
	cfg := shows(ca.issue(t, "mx.example.org", time.Now().Add(time.Hour)))
	for _, d := range dialogues(&tls.Config{RootCAs: ca.pool}) {
		t.Run(d.name, func(t *testing.T) {
			whole := false
			for n := 0; !whole; n++ {
				ours, theirs := pair(t)
				short := &shortConn{Conn: theirs, left: n}
				done := make(chan error, 1)
				go func() {
					defer short.Close()
					done <- play(short, d.script, cfg)
				}()
				results, err := d.hold(t.Context(), ours)
				ours.Close()
				if played := <-done; !short.cut && played != nil {
					t.Fatalf("%d octets: %v", n, played)
				}
				whole = !short.cut
				checkShort(t, n, whole, results, err)
			}
		})
	}
}

func checkShort(t *testing.T, n int, whole bool, results []Result, err error) {
	t.Helper()
	if (err == nil) != whole {
		t.Errorf("%d octets: %v", n, err)
	}
	for i, r := range results {
		last := i == len(results)-1
		if whole != r.Delivered() && (whole || last) || (r.Outcome == Known) == r.Reply.IsZero() {
			t.Errorf("%d octets: recipient %d is %v (%v)", n, i, r.Outcome, r.Reply)
		}
	}
}

// Where a server falls silent, the client does not wait for ever, and not for longer than that step may take (RFC 5321 §4.5.3.2).
func TestSilence(t *testing.T) {
	const minutes = time.Minute
	for name, within := range map[string][]time.Duration{ // for each time that the server speaks
		"LMTP":  {5 * minutes, 5 * minutes, 5 * minutes, 10 * minutes},
		"ESMTP": {5 * minutes, 5 * minutes, 5 * minutes, 10 * minutes},
		"HELO":  {5 * minutes, 5 * minutes, 5 * minutes, 5 * minutes, 5 * minutes, 5 * minutes, 2 * minutes, 10 * minutes},
		"PRDR":  {5 * minutes, 5 * minutes, 5 * minutes, 10 * minutes},
		"BDAT":  {5 * minutes, 5 * minutes, 5 * minutes, 10 * minutes},
		"AUTH":  {5 * minutes, 5 * minutes, 5 * minutes, 5 * minutes, 5 * minutes, 5 * minutes, 10 * minutes},
	} {
		all := dialogues(nil)
		d := all[slices.IndexFunc(all, func(d dialogue) bool { return d.name == name })]
		scripts := silences(d.script)
		if len(scripts) != len(within) {
			t.Fatalf("%s: it speaks %d times", name, len(scripts))
		}
		for i, script := range scripts {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				results, err := d.hold(t.Context(), serve(t, script))
				if got := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || got != within[i] {
					t.Errorf("%s, the time number %d: %v after %v, want %v", name, i, err, got, within[i])
				}
				checkShort(t, i, false, results, err)
			})
		}
	}
}

// silences returns the script once for each time that the server speaks, and has it say nothing from there on.
func silences(script string) []string {
	var list []string
	begin, said := "", false
	for line := range strings.Lines(script) {
		says := strings.HasPrefix(line, "S")
		if says && !said {
			list = append(list, begin+"SILENCE")
		}
		begin, said = begin+line, says
	}
	return list
}

// What a server offers it may refuse all the same. That is its reply, and the session goes on.
func TestOfferedAndRefused(t *testing.T) {
	offers := "S: 250-SIZE 1\nS: 250-8BITMIME\nS: 250-SMTPUTF8\nS: 250-DSN\nS: 250-PRDR\nS: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250-AUTH NONSENSE\n"
	next := "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 2.0.0 queued\n"
	for _, tt := range []struct {
		name, script string
		change       func(*Message)
		want         string
	}{
		{"SIZE", "C: MAIL FROM:<> SIZE=3\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 552 5.3.4 too big\nS: 503 no\nS: 503 no\n", func(m *Message) { m.Size = 3 }, "552 5.3.4 too big"},
		{"8BITMIME", "C: MAIL FROM:<> BODY=8BITMIME\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 555 5.5.4 what\nS: 503 no\nS: 503 no\n",
			func(m *Message) { m.Body = smtp.Body8Bit }, "555 5.5.4 what"},
		{"SMTPUTF8", "C: MAIL FROM:<> SMTPUTF8\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 555 5.6.7 what\nS: 503 no\nS: 503 no\n",
			func(m *Message) { m.UTF8 = smtp.UTF8 }, "555 5.6.7 what"},
		{"PRDR", "C: MAIL FROM:<> PRDR\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 555 5.5.4 what\nS: 503 no\nS: 503 no\n", func(m *Message) { m.PRDR = true }, "555 5.5.4 what"},
		{"DSN, in MAIL", "C: MAIL FROM:<> RET=HDRS\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 501 5.5.4 what\nS: 503 no\nS: 503 no\n",
			func(m *Message) { m.Ret = smtp.RetHeaders }, "501 5.5.4 what"},
		{"DSN, in RCPT", "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org> NOTIFY=NEVER\nC: DATA\nS: 250 ok\nS: 555 5.5.4 what\nS: 503 no\nC: RSET\nS: 250 ok\n",
			func(m *Message) { m.Recipients[0].Notify = smtp.NotifyNever }, "555 5.5.4 what"},
		{"CHUNKING", "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nS: 250 ok\nC= \"BDAT 4 LAST\\r\\nhi\\r\\n\"\nS: 502 5.5.1 what\nC: RSET\nS: 250 ok\n",
			func(m *Message) { m.Chunking = true }, "502 5.5.1 what"},
		{"BINARYMIME", "C: MAIL FROM:<> BODY=BINARYMIME\nC: RCPT TO:<ann@example.org>\nS: 555 5.5.4 what\nS: 503 no\n",
			func(m *Message) { m.Body, m.LineEnds = smtp.BodyBinary, AsIs }, "555 5.5.4 what"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := esmtpHello + offers + pipelines + tt.script
			reset := strings.HasSuffix(script, "C: RSET\nS: 250 ok\n")
			c, err := submitTo(t, script+next, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Auth(t.Context(), "", tim); !errors.Is(err, ErrNoMechanism) {
				t.Errorf("AUTH: %v", err)
			}
			m := letter("ann")
			tt.change(&m)
			results, err := c.Send(t.Context(), m)
			if got := told(results); err != nil || got[0] != tt.want {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
			if reset {
				if err := c.Reset(t.Context()); err != nil {
					t.Error(err)
				}
			}
			if results, err := c.Send(t.Context(), letter("ann")); err != nil || !results[0].Delivered() {
				t.Errorf("the next message: %q, %v", told(results), err)
			}
		})
	}
}

// Too few replies, too many and others than those that were asked for.
func TestOtherReplies(t *testing.T) {
	prdr := esmtpHello + "S: 250-PRDR\n" + pipelines + strings.Replace(data2, "<>", "<> PRDR", 1) + "S: 353 each\n"
	for _, tt := range []struct {
		name, script string
		want         []string
		err          error // of this message, or of the next
	}{
		{"two for all", esmtpHello + pipelines + data2 + "S: 250 a\nS: 250 b\nSILENCE", []string{"250 a", "250 a"}, ErrOutOfStep},
		{"none for all", esmtpHello + pipelines + data2, []string{"unknown", "unknown"}, ErrHungUp},
		{"PRDR, one too many", prdr + "S: 250 a\nS: 250 b\nS: 250 ok\nS: 250 ok\nSILENCE", []string{"250 a", "250 b"}, ErrOutOfStep},
		{"PRDR, one too few", prdr + "S: 250 a\nS: 550 b\n", []string{"unknown", "550 b"}, ErrHungUp},
		{"PRDR, 353 twice", prdr + "S: 353 each\nSILENCE", []string{"unknown", "unknown"}, ErrOutOfStep},
		{"PRDR, 421 between", prdr + "S: 250 a\nS: 421 bye", []string{"unknown", "421 bye"}, ErrHungUp},
		{"a challenge after the content", esmtpHello + pipelines + data2 + "S: 334 what\nSILENCE", []string{"unknown", "unknown"}, ErrOutOfStep},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := submitTo(t, tt.script, Options{})
			if err != nil {
				t.Fatal(err)
			}
			m := letter("ann", "bob")
			m.PRDR = true
			results, err := c.Send(t.Context(), m)
			if got := told(results); !slices.Equal(got, tt.want) {
				t.Errorf("%q, want %q", got, tt.want)
			}
			if err == nil {
				_, err = c.Send(t.Context(), letter("ann"))
			}
			if !errors.Is(err, tt.err) {
				t.Errorf("%v, want %v", err, tt.err)
			}
		})
	}
}

// An exchange that never ends, and one whose challenges are as long as a server likes.
func TestEndlessAuth(t *testing.T) {
	endless := strings.Repeat("S: 334 "+b64("more")+"\nC: "+b64("tim")+"\n", 1)
	for name, script := range map[string]string{
		"more challenges than the mechanism has": "C: AUTH LOGIN\n" + endless + "S: 334 \nC: " + b64("tanstaaftanstaaf") + "\nS: 334 \nC: *\nS: 501 ok\n",
		"a challenge that is too long":           "C: AUTH LOGIN\nS: 334 " + strings.Repeat("A", maxReplyLine) + "\nSILENCE",
		"a challenge after the end":              "C: AUTH LOGIN\n" + endless + "S: 334 \nC: " + b64("tanstaaftanstaaf") + "\nS: 334 \nC: *\nS: 235 welcome\n",
	} {
		c, err := submitTo(t, esmtpHello+"S: 250 AUTH LOGIN\n"+script, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Auth(t.Context(), "LOGIN", auth.Credentials{Name: "tim", Password: "tanstaaftanstaaf"}); err == nil {
			t.Errorf("%s: no error", name)
		}
		if err := c.Auth(t.Context(), "LOGIN", tim); errors.Is(err, ErrAuthenticated) {
			t.Errorf("%s: authenticated", name)
		}
	}
}
