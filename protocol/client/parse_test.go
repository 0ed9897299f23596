package client

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
)

func TestParseAddress(t *testing.T) {
	for _, tt := range []struct {
		url, network, name, again string
		err                       error
	}{
		{"lmtp://127.0.0.1:2424", "tcp", "127.0.0.1:2424", "lmtp://127.0.0.1:2424", nil},
		{"LMTP://mx.example.org", "tcp", "mx.example.org:24", "lmtp://mx.example.org:24", nil},
		{"lmtp://[::1]:24/", "tcp", "[::1]:24", "lmtp://[::1]:24", nil},
		{"lmtp+unix:/run/lmtpd", "unix", "/run/lmtpd", "lmtp+unix:/run/lmtpd", nil},
		{"lmtp+unix:///run/lmtpd", "unix", "/run/lmtpd", "lmtp+unix:/run/lmtpd", nil},
		{"unix:rel ative", "unix", "rel ative", "lmtp+unix:rel ative", nil},
		{"smtp://mx", "tcp", "mx:25", "smtp://mx:25", nil},
		{"submission://mx", "tcp", "mx:587", "smtp://mx:587", nil},
		{"smtps://mx", "tcp", "mx:465", "smtps://mx:465", nil},
		{"submissions://[::1]", "tcp", "[::1]:465", "smtps://[::1]:465", nil},
		{"lmtps://mx", "tcp", "mx:24", "lmtps://mx:24", nil},
		{"smtp+unix:/run/s", "unix", "/run/s", "smtp+unix:/run/s", nil},
		{"http://mx:25", "", "", "", ErrScheme},
		{"localhost:24", "", "", "", ErrScheme},
		{"localhost", "", "", "", ErrBadAddress},
		{"", "", "", "", ErrBadAddress},
		{"unix:", "", "", "", ErrBadAddress},
		{"lmtp:", "", "", "", ErrBadAddress},
		{"lmtp://", "", "", "", ErrBadAddress},
		{"lmtp://:24", "", "", "", ErrBadAddress},
		{"lmtp:mx:24", "", "", "", ErrBadAddress},
		{"lmtp://mx:port", "", "", "", ErrBadAddress},
		{"lmtp://mx:99999", "", "", "", ErrBadAddress},
		{"lmtp://mx:65535", "tcp", "mx:65535", "lmtp://mx:65535", nil},
		{"lmtp://mx:0", "", "", "", ErrBadAddress},
		{"lmtp://me@mx:24", "", "", "", ErrBadAddress},
		{"lmtp://::", "", "", "", ErrBadAddress},
		{"lmtp://::1", "", "", "", ErrBadAddress},
		{"lmtp://m%0Ax", "", "", "", ErrBadAddress},
		{"lmtp://[fe80::1%25eth0]", "tcp", "[fe80::1%eth0]:24", "lmtp://[fe80::1%25eth0]:24", nil},
		{"lmtp://mx:24/path", "", "", "", ErrBadAddress},
		{"lmtp://mx:24?q", "", "", "", ErrBadAddress},
	} {
		a, err := ParseAddress(tt.url)
		if !errors.Is(err, tt.err) || a.Network != tt.network || a.Name != tt.name {
			t.Errorf("%q: %q %q, %v; want %q %q, %v", tt.url, a.Network, a.Name, err, tt.network, tt.name, tt.err)
		}
		if err == nil && a.String() != tt.again {
			t.Errorf("%q: again %q, want %q", tt.url, a, tt.again)
		}
	}
}

func TestParseExtensions(t *testing.T) {
	got := parseExtensions("mx PIPELINING\nSize 1000\nAUTH PLAIN LOGIN\nauth=CRAM-MD5\n\n 8BITMIME \nX=y")
	want := Extensions{"SIZE": "1000", "AUTH": "PLAIN LOGIN CRAM-MD5", "8BITMIME": "", "X": "y"}
	if !maps.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if got := parseExtensions("mx"); len(got) != 0 {
		t.Errorf("no extensions: %q", got)
	}
}

// everything is a message with every parameter there is.
func everything() Message {
	m := letter("ann", "bob")
	m.From = smtp.Path{Local: "a b", Domain: "example.net"}
	m.Size, m.Body, m.UTF8, m.Ret, m.EnvID = 9, smtp.Body8Bit, smtp.UTF8, smtp.RetHeaders, "a+b=c"
	m.Recipients[0].Notify = smtp.NotifySuccess | smtp.NotifyDelay
	m.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "x+y@example.org"}
	m.Recipients[1].Original = smtp.OriginalRecipient{Type: "utf-8", Address: `ü+\@example.org`}
	return m
}

// Parameters go out only to a server that offers their extension.
func TestCommands(t *testing.T) {
	for _, tt := range []struct {
		offered string
		want    string
	}{
		{"SMTPUTF8", `MAIL FROM:<"a b"@example.net> SMTPUTF8
RCPT TO:<ann@example.org>
RCPT TO:<bob@example.org>`},
		{"SMTPUTF8\nSIZE\n8BITMIME", `MAIL FROM:<"a b"@example.net> SIZE=9 BODY=8BITMIME SMTPUTF8
RCPT TO:<ann@example.org>
RCPT TO:<bob@example.org>`},
		{"SMTPUTF8\nDSN", `MAIL FROM:<"a b"@example.net> SMTPUTF8 RET=HDRS ENVID=a+2Bb+3Dc
RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@example.org
RCPT TO:<bob@example.org> ORCPT=utf-8;ü\x{2B}\x{5C}@example.org`},
	} {
		m, ext := everything(), parseExtensions("mx\n"+tt.offered)
		if err := m.check(ext); err != nil {
			t.Error(err)
		}
		lines := []string{string(m.appendMail(nil, ext))}
		for _, r := range m.Recipients {
			lines = append(lines, string(m.appendRcpt(nil, r, ext)))
		}
		if got := strings.Join(lines, "\n"); got != tt.want {
			t.Errorf("%q:\n%s\nwant\n%s", tt.offered, got, tt.want)
		}
	}
}

// What cannot be sent is an error before MAIL, and the connection is as good as before.
func TestUnsendable(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Message)
		err    error
	}{
		{"nobody", func(m *Message) { m.Recipients = nil }, ErrNoRecipients},
		{"SMTPUTF8 not offered", func(m *Message) { m.UTF8 = smtp.UTF8 }, ErrNotOffered},
		{"non-ASCII without SMTPUTF8", func(m *Message) { m.From = smtp.Path{Local: "ü", Domain: "x"} }, smtp.ErrNonASCII},
		{"BINARYMIME", func(m *Message) { m.Body = smtp.BodyBinary }, ErrBinary},
		{"null forward-path", func(m *Message) { m.Recipients[0].To = smtp.Path{} }, ErrNullPath},
		{"a second command in the reverse-path", func(m *Message) {
			m.From = smtp.Path{Local: "a", Domain: "x>\r\nRCPT TO:<b@y"}
		}, smtp.ErrBadPath},
		{"a second command in a forward-path", func(m *Message) {
			m.Recipients[0].To = smtp.Path{Local: "a\r\nDATA", Domain: "x"}
		}, smtp.ErrBadPath},
		{"no local-part", func(m *Message) { m.Recipients[0].To = smtp.Path{Domain: "x y"} }, smtp.ErrBadPath},
		{"bad body", func(m *Message) { m.Body = "8BIT FOO" }, smtp.ErrBadParameter},
		{"bad ret", func(m *Message) { m.Ret = "ALL\r\n" }, smtp.ErrBadParameter},
		{"bad envid", func(m *Message) { m.EnvID = "a\x01" }, smtp.ErrBadParameter},
		{"bad type of ORCPT", func(m *Message) {
			m.Recipients[0].Original = smtp.OriginalRecipient{Type: "a b", Address: "c"}
		}, smtp.ErrBadParameter},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := begin(t, hello+"C: QUIT\nS: 221 bye\nSILENCE", Options{})
			m := letter("ann")
			tt.change(&m)
			results, err := c.Send(t.Context(), m)
			if !errors.Is(err, tt.err) || len(results) != len(m.Recipients) {
				t.Errorf("%v, error %v, want %v", told(results), err, tt.err)
			}
			if err := c.Quit(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestTrace(t *testing.T) {
	var got []string
	o := Options{Trace: func(d Direction, line string) { got = append(got, string(d)+": "+line) }}
	c := begin(t, hello+bothAccepted+"S: 250 a\nS: 250 b\nSILENCE", o)
	if _, err := c.Send(t.Context(), letter("ann", "bob")); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimSpace(hello + strings.Replace(bothAccepted, `C= "hi\r\n.\r\n"`, "C: [4 octets of content]\nC: .", 1) +
		"S: 250 a\nS: 250 b")
	if text := strings.Join(got, "\n"); text != want {
		t.Errorf("%s\nwant\n%s", text, want)
	}
}

// What was read from an ORCPT is written so that the next server reads the same.
func FuzzOriginal(f *testing.F) {
	f.Add("rfc822;a+2Bb@example.org")
	f.Add(`utf-8;\x{FC}\x{2B}ü@example.org`)
	f.Fuzz(func(t *testing.T, v string) {
		o, err := smtp.ParseOriginalRecipient(v)
		if err != nil {
			return
		}
		for _, enc := range []smtp.Encoding{smtp.ASCII, smtp.UTF8} {
			b := appendOriginal(nil, o, enc)
			if again, err := smtp.ParseOriginalRecipient(string(b)); len(b) <= 500 && (err != nil || again != o) {
				t.Errorf("%q is %q, written %q, read %q, %v", v, o, b, again, err)
			}
			if enc == smtp.ASCII && strings.IndexFunc(string(b), func(c rune) bool { return c > '~' }) >= 0 {
				t.Errorf("%q is written %q", v, b)
			}
		}
	})
}
