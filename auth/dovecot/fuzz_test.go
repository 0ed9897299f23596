package dovecot

import (
	"bufio"
	"context"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/auth"
)

// Escapes are taken back, those that nobody writes too.
func TestUnescape(t *testing.T) {
	for _, test := range []struct{ line, want string }{
		{"", ""}, {"abc", "abc"}, {"\x010\x011\x01t\x01r\x01n", "\x00\x01\t\r\n"}, {"a\x01tb\x01tc", "a\tb\tc"},
		{"\x01x\x01\x01", "x\x01"}, {"a\x01", "a"}, {"\x01", ""}, {"\x01\x01\x01", "\x01"},
	} {
		if got := unescape(test.line); got != test.want {
			t.Errorf("%q: %q, not %q", test.line, got, test.want)
		}
	}
}

// FuzzLine has a parameter come through a line as it was, and reads lines that nobody wrote.
func FuzzLine(f *testing.F) {
	for _, s := range []string{"", "OK\t1\tuser=ann", "a\x00\x01\t\r\nb", "CONT\t1\t", "FAIL\t1\tcode=temp_fail\treason=x", "\x01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := escaper.Replace(s)
		if strings.ContainsAny(line, "\x00\t\r\n") {
			t.Errorf("%q is escaped as %q", s, line)
		}
		if got := parseCommand("X\t" + line + "\t" + line); !slices.Equal(got.parameters, []string{s, s}) {
			t.Errorf("%q comes through as %q", s, got.parameters)
		}
		said := parseCommand(s)
		a, known, err := parseAnswer(said)
		if known && (err != nil || a.verb != said.verb) {
			t.Errorf("%q is %+v, and %v", s, a, err)
		}
		if m, ok := parseMechanism(append(said.parameters, "")); ok && !isMechanism(m.name) {
			t.Errorf("%q offers %q", s, m.name)
		}
		if _, err := readLine(bufio.NewReaderSize(strings.NewReader(s), 16)); err == nil && !strings.Contains(s, "\n") {
			t.Errorf("%q is a line", s)
		}
	})
}

// ends says whether a handshake has come to its end.
func ends(shake string) bool {
	for line := range strings.Lines(shake) {
		if text, whole := strings.CutSuffix(line, "\n"); whole && parseCommand(text).verb == "DONE" {
			return true
		}
	}
	return false
}

// FuzzProtocol logs in at a server that says anything, and hangs up. Who is let in has a name, and nobody waits.
func FuzzProtocol(f *testing.F) {
	f.Add(handshakeLines, "OK\t1\tuser=ann\n")
	f.Add(handshakeLines, "CONT\t1\tMQ==\nFAIL\t1\tcode=temp_fail\n")
	f.Add(handshakeLines, "CONT\t1\tMQ==\nCONT\t1\tMQ==\nOK\t1\tuser=x\n")
	f.Add(handshakeLines, "OK\t1\tuser=\x01t\tresp=MQ==\n")
	f.Add("VERSION\t1\t9\nMECH\tX\tplaintext\nDONE\n", "FAIL\t1\treason=\x01n\n")
	f.Add("VERSION\t2\t0\nDONE\n", "")
	f.Fuzz(func(t *testing.T, shake, rest string) {
		ours, theirs := net.Pipe()
		defer ours.Close()
		p := newPeer(t, theirs)
		go func() {
			defer theirs.Close()
			p.say(shake)
			if !ends(shake) {
				return
			}
			for line := range p.lines {
				if strings.HasPrefix(line, "AUTH") {
					p.say(rest)
					return
				}
			}
		}()
		conn := newConn(ours)
		if err := conn.handshake(1); err != nil {
			return
		}
		go conn.serve(context.Background())
		c := &Client{cfg: Config{Service: "smtp", Timeout: time.Minute, Log: fakeLog()}, mechanisms: conn.mechanisms}
		account, err := converseWith(c, conn)
		if account != "" && (err != nil || !auth.IsName(account)) || account == "" && err == nil {
			t.Errorf("%q, %v", account, err)
		}
	})
}

// converseWith has an exchange on a connection come to its end, which may have come before.
func converseWith(c *Client, conn *conn) (account string, err error) {
	ch := auth.Channel{Secured: true, Names: []string{"ann"}}
	e := &exchange{client: c, mechanism: c.Mechanisms(ch)[0], channel: ch}
	if e.request, err = conn.request(); err != nil {
		return "", err
	}
	a, err := e.request.ask(context.Background(), e.authLine(e.request, []byte{}))
	if err != nil {
		return "", err
	}
	_, account, err = e.decide(a)
	for range maxReceived {
		if err != nil || account != "" {
			break
		}
		_, account, err = e.Next(context.Background(), []byte("x"))
	}
	return account, err
}
