package smtptest_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"lmtpd/delivery/submission"
	"lmtpd/protocol/session"
	"lmtpd/protocol/smtptest"
)

const head = "# RFC 5321 §4.1.1.4: what is proven\n"

func TestParse(t *testing.T) {
	text := head + `# with: esmtp trusted size=70 recipients=3

S: 220 ready
C: NOOP
C= "raw\n"
C= 3 * "ab"
-- handshake
-- hang up
-- closed
K: "a b"@example.org "x\"\r\n"
`
	tr, err := smtptest.Parse("a.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	if tr.String() != text {
		t.Errorf("not what was read: %s", smtptest.Diff(tr.String(), text))
	}
	if tr.Clause != "RFC 5321 §4.1.1.4" {
		t.Errorf("clause %q", tr.Clause)
	}
	want := smtptest.Settings{Dialect: "esmtp", Trusted: true, Size: 70, Recipients: 3}
	if tr.Settings != want {
		t.Errorf("settings %+v", tr.Settings)
	}
	var sent strings.Builder
	for _, l := range tr.Lines {
		if l.Kind == smtptest.Client {
			sent.Write(l.Octets)
		}
	}
	if sent.String() != "NOOP\r\nraw\nababab" {
		t.Errorf("the client sends %q", sent.String())
	}
}

// TestSettings: what goes together is set together.
func TestSettings(t *testing.T) {
	for words, want := range map[string]smtptest.Settings{
		"lmtp tls":                          {Dialect: "lmtp", TLS: true},
		"esmtp sasl nonce=a=b,c proven=ann": {Dialect: "esmtp", SASL: "example.org", Nonce: "a=b,c", Proven: "ann"},
		"sasl=office.example exporter=x":    {SASL: "office.example", Exporter: "x"},
		"submission submitter":              {Dialect: "esmtp", SASL: "example.org", Submission: true, PRDR: true, Submitter: true},
		"sasl=office.example submission messages_per_hour=1 recipients_per_hour=2": {
			Dialect: "esmtp", SASL: "office.example", Submission: true, PRDR: true,
			Limits: submission.Limits{MessagesPerHour: 1, RecipientsPerHour: 2},
		},
	} {
		tr, err := smtptest.Parse("a.txt", head+"# with: "+words+"\n")
		if err != nil || tr.Settings != want {
			t.Errorf("%s: %+v, %v", words, tr.Settings, err)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"S: 220\n":                            "a.txt:1: the first line must name the clause",
		"# RFC 5321: no section\n":            "a.txt:1: the first line must name the clause",
		head + "X: what\n":                    "a.txt:2: unknown line",
		head + "-- go away\n":                 "a.txt:2: unknown line",
		head + "C= raw\n":                     "a.txt:2: not a quoted string",
		head + "C= x * \"a\"\n":               "a.txt:2: bad count",
		head + "S: 220\n# with: beer\n":       "a.txt:3: unknown setting",
		head + "# with: size=big\n":           "a.txt:2:",
		head + "# with: beer=1\n":             "a.txt:2: unknown setting",
		head + "# with: tls=yes\n":            "a.txt:2: unknown setting",
		head + "# with: messages_per_hour=\n": "a.txt:2:",
	} {
		if _, err := smtptest.Parse("a.txt", text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", text, err, want)
		}
	}
}

// TestPlayDiffers proves that a transcript that is wrong is told, whatever is wrong with it.
func TestPlayDiffers(t *testing.T) {
	const right = head + "S: 220 mail.example.org LMTP ready\nC: NOOP\nS: 503 5.5.1 x\n"
	for name, text := range map[string]string{
		"another reply":       strings.Replace(right, "503", "250", 1),
		"a reply missing":     head + "C: NOOP\nS: 250 2.0.0 OK\n",
		"a reply too many":    head + "S: 220 mail.example.org LMTP ready\nC: NOOP\nS: 250 2.0.0 OK\nS: 250 2.0.0 OK\n",
		"not closed":          head + "S: 220 mail.example.org LMTP ready\nC: NOOP\nS: 250 2.0.0 OK\n-- closed\n",
		"closed":              head + "S: 220 mail.example.org LMTP ready\nC: QUIT\nS: 221 2.0.0 Bye\n",
		"speaking to nobody":  head + "S: 220 mail.example.org LMTP ready\nC: QUIT\nS: 221 2.0.0 Bye\nC: NOOP\n-- closed\n",
		"hanging up twice":    head + "S: 220 mail.example.org LMTP ready\nC: QUIT\nS: 221 2.0.0 Bye\n-- hang up\n",
		"kept":                head + "S: 220 mail.example.org LMTP ready\nK: ann@example.org \"x\"\n",
		"unasked handshake":   head + "S: 220 mail.example.org LMTP ready\n-- handshake\n",
		"handshake not begun": head + "# with: esmtp tls\nS: 220 mail.example.org ESMTP ready\nC: HELO c\nS: 250 mail.example.org\nC: STARTTLS\nS: 220 2.0.0 Ready to start TLS\nC: NOOP\n",
	} {
		tr, err := smtptest.Parse("a.txt", text)
		if err != nil {
			t.Fatal(err)
		}
		wire, kept := smtptest.InMemory(t, tr.Settings, 0)
		played, err := tr.Play(wire, kept)
		if err == nil && smtptest.Diff(played.String(), tr.String()) == "" {
			t.Errorf("%s: nothing is wrong with it", name)
		}
	}
}

// TestConnTells proves the same of a network's connection, which cannot tell when the server waits.
func TestConnTells(t *testing.T) {
	for name, text := range map[string]string{
		"another reply":    head + "S: 220 mail.example.org ESMTP ready\n",
		"a reply missing":  head + "C: NOOP\nS: 220 mail.example.org LMTP ready\n",
		"a reply too many": head + "S: 220 mail.example.org LMTP ready\nC: QUIT\nS: 221 2.0.0 Bye\nS: 221 2.0.0 Bye\n",
	} {
		tr, err := smtptest.Parse("a.txt", text)
		if err != nil {
			t.Fatal(err)
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		go func() {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
			s := session.New(tr.Settings.Config(t, smtptest.IDs()), &smtptest.Queue{}, tr.Settings.Peer())
			smtptest.Drive(t.Context(), s, c, func() error { return errors.New("no TLS") })
		}()
		c, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		played, err := tr.Play(smtptest.NewConn(c, nil), (&smtptest.Queue{}).Kept)
		if err == nil && smtptest.Diff(played.String(), tr.String()) == "" {
			t.Errorf("%s: nothing is wrong with it", name)
		}
	}
}

func TestWithKept(t *testing.T) {
	text := head + "K: quote\"and\\back@example.org \"a\\nb \\\"c\\\" \\r\\n\"\nK: ann@example.org 1000 octets\n"
	tr, err := smtptest.Parse("a.txt", text)
	if err != nil {
		t.Fatal(err)
	}
	if got := tr.WithKept(func(b []byte) []byte { return b }).String(); got != text {
		t.Error(smtptest.Diff(got, text))
	}
	want := strings.Replace(text, `a\nb`, `a\r\nb`, 1)
	if got := tr.WithKept(smtptest.CRLF).String(); got != want {
		t.Error(smtptest.Diff(got, want))
	}
}

func TestDiff(t *testing.T) {
	if d := smtptest.Diff("a\nb\nc\n", "a\nb\nc\n"); d != "" {
		t.Errorf("%q", d)
	}
	if d, want := smtptest.Diff("a\nx\ny\nc\n", "a\nb\nc\n"), "  a\n- b\n+ x\n+ y\n  c\n  \n"; d != want {
		t.Errorf("%q, want %q", d, want)
	}
}
