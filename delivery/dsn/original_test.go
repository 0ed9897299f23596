package dsn_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

// The message is returned in full where that was asked for and can be done, else its header.
func TestReturned(t *testing.T) {
	const head = "From: ann@example.org\r\nSubject: x\r\n"
	long := "X: " + strings.Repeat("y", 2000) + "\r\n"
	full := "Subject: x\r\n\r\n" + strings.Repeat(strings.Repeat("z", 98)+"\r\n", dsn.MaxReturned/100)
	full = full[:dsn.MaxReturned-2] + "\r\n"
	wide := "From: Jürgen <jürgen@example.org>\r\n"
	for name, tt := range map[string]struct {
		content, mediaType, encoding, body string
		utf8                               smtp.Encoding
	}{
		"plain":              {content: head + "\r\nhi\r\n", mediaType: "message/rfc822", encoding: "7bit"},
		"8-bit body":         {content: head + "\r\nh\xe9\r\n", mediaType: "message/rfc822", encoding: "8bit"},
		"8-bit header":       {content: "Subject: \xe9\r\n\r\nhi\r\n", mediaType: "message/rfc822", encoding: "8bit"},
		"UTF-8 header":       {content: wide + "\r\nhi\r\n", mediaType: "message/global", encoding: "quoted-printable", utf8: smtp.UTF8},
		"no UTF-8 header":    {content: "Subject: \xe9\r\n\r\nhi\r\n", mediaType: "message/rfc822", encoding: "8bit", utf8: smtp.UTF8},
		"no SMTPUTF8":        {content: wide + "\r\nhi\r\n", mediaType: "message/rfc822", encoding: "8bit"},
		"bare LF":            {content: "A: b\nC: d\n\nhi\n", mediaType: "message/rfc822", encoding: "7bit", body: "A: b\r\nC: d\r\n\r\nhi\r\n"},
		"bare CR":            {content: head + "\r\na\rb\r\r\n\r", mediaType: "message/rfc822", encoding: "7bit", body: head + "\r\na?b?\r\n?"},
		"NUL":                {content: head + "\r\na\x00b\r\n", mediaType: "message/rfc822", encoding: "7bit", body: head + "\r\na?b\r\n"},
		"no end of header":   {content: head, mediaType: "message/rfc822", encoding: "7bit"},
		"no line end":        {content: "A: b", mediaType: "message/rfc822", encoding: "7bit"},
		"no header":          {content: "\r\nhi\r\n", mediaType: "message/rfc822", encoding: "7bit"},
		"nothing":            {content: "", mediaType: "message/rfc822", encoding: "7bit"},
		"as much as goes":    {content: full, mediaType: "message/rfc822", encoding: "7bit"},
		"one octet more":     {content: full + "z", mediaType: "text/rfc822-headers", encoding: "7bit", body: "Subject: x\r\n"},
		"long line":          {content: head + "\r\n" + strings.Repeat("z", 999) + "\r\n", mediaType: "text/rfc822-headers", encoding: "7bit", body: head},
		"longest line":       {content: head + "\r\n" + strings.Repeat("z", 998) + "\r\n", mediaType: "message/rfc822", encoding: "7bit"},
		"long line in it":    {content: long + "\r\nhi\r\n", mediaType: "text/rfc822-headers", encoding: "quoted-printable", body: long},
		"binary":             {content: strings.Repeat("\x00\x01\xff\x80", 500), mediaType: "text/rfc822-headers", encoding: "7bit"},
		"10 MB header":       {content: strings.Repeat("Subject: x\r\n", 10<<20/12), mediaType: "text/rfc822-headers", encoding: "7bit", body: strings.Repeat("Subject: x\r\n", 50000/12)},
		"10 MB line":         {content: "A: " + strings.Repeat("x", 10<<20), mediaType: "text/rfc822-headers", encoding: "7bit"},
		"header, then words": {content: head + "hello\r\n" + long, mediaType: "text/rfc822-headers", encoding: "7bit", body: head},
		"no field":           {content: " x\r\nhello\r\n" + long, mediaType: "text/rfc822-headers", encoding: "7bit"},
		"boundaries":         {content: head + "\r\n--x\r\n--x--\r\n--=_\r\n", mediaType: "message/rfc822", encoding: "7bit"},
	} {
		t.Run(name, func(t *testing.T) {
			r := report(t, tt.content, bob(t, dsn.Failed, noMailbox))
			r.Ret, r.UTF8 = smtp.RetFull, tt.utf8
			text, _ := compose(t, r)
			_, parts := read(t, text)
			got, want := parts[2], tt.content
			if tt.body != "" || tt.mediaType == "text/rfc822-headers" {
				want = tt.body
			}
			if got.mediaType() != tt.mediaType || got.header.Get("Content-Transfer-Encoding") != tt.encoding {
				t.Errorf("%v, want %s in %s", got.header, tt.mediaType, tt.encoding)
			}
			if got.body != want {
				t.Errorf("%d octets %.300q, want %d %.300q", len(got.body), got.body, len(want), want)
			}
		})
	}
}

// Who did not ask for the message, or is told of no failure, has its header (RFC 3461 §6.2).
func TestReturnedHeader(t *testing.T) {
	for name, tt := range map[string]struct {
		ret       smtp.Ret
		action    dsn.Action
		mediaType string
	}{
		"failed, full":    {smtp.RetFull, dsn.Failed, "message/rfc822"},
		"failed, header":  {smtp.RetHeaders, dsn.Failed, "text/rfc822-headers"},
		"failed, unsaid":  {"", dsn.Failed, "text/rfc822-headers"},
		"delayed, full":   {smtp.RetFull, dsn.Delayed, "text/rfc822-headers"},
		"delivered, full": {smtp.RetFull, dsn.Delivered, "text/rfc822-headers"},
	} {
		r := report(t, original, bob(t, tt.action, smtp.Reply{}))
		r.Ret = tt.ret
		text, _ := compose(t, r)
		if _, parts := read(t, text); parts[2].mediaType() != tt.mediaType {
			t.Errorf("%s: %s", name, parts[2].mediaType())
		}
	}
}

// The notification about a notification cannot end where the other did.
func TestNested(t *testing.T) {
	r := report(t, original, bob(t, dsn.Failed, noMailbox))
	r.Ret = smtp.RetFull
	first, _ := compose(t, r)
	r.Content = strings.NewReader(first)
	second, _ := compose(t, r)
	if _, parts := read(t, second); parts[2].body != first {
		t.Errorf("returned %q", parts[2].body)
	}
}

// The subject of the message comes along in one line, decoded, and its Message-ID makes a thread of the two.
func TestThread(t *testing.T) {
	for head, want := range map[string][2]string{
		"Subject: =?iso-8859-1?q?caf=E9?=\r\n":          {"=?utf-8?q?Undelivered_mail:_caf=C3=A9?="},
		"subject : a\r\n  b\r\nSubject: c\r\n":          {"Undelivered mail: a  b"},
		"Subject: =?utf-8?q?a=0D=0ABcc:_x?=\r\n":        {"Undelivered mail: a??Bcc: x"},
		"Subject: =?x-none?q?a?=\r\n":                   {"Undelivered mail: =?x-none?q?a?="},
		"Subject: " + strings.Repeat("x", 200) + "\r\n": {"Undelivered mail: " + strings.Repeat("x", 160) + "..."},
		"X: y\r\n":              {"Undelivered mail"},
		"Message-ID: <a@b>\r\n": {"Undelivered mail", "<a@b>"},
		"Message-Id:\r\n <a.b-c$d@[127.0.0.1]>\r\n":            {"Undelivered mail", "<a.b-c$d@[127.0.0.1]>"},
		"Message-ID: <a@b> <c@d>\r\n":                          {"Undelivered mail"},
		"Message-ID: <" + strings.Repeat("a", 500) + "@b>\r\n": {"Undelivered mail"},
		"Message-ID: <ü@b>\r\n":                                {"Undelivered mail"},
	} {
		text, _ := compose(t, report(t, head+"\r\n", bob(t, dsn.Failed, noMailbox)))
		h, _ := read(t, text)
		if got := h.Get("Subject"); got != want[0] {
			t.Errorf("%.80q: subject %q, want %q", head, got, want[0])
		}
		if h.Get("References") != want[1] || h.Get("In-Reply-To") != want[1] {
			t.Errorf("%.80q: references %q, want %q", head, h.Get("References"), want[1])
		}
	}
}

// However long a message is, no more of it is read than is returned.
func TestBounded(t *testing.T) {
	r := report(t, "", bob(t, dsn.Failed, noMailbox))
	r.Ret, r.Content = smtp.RetFull, endless{t}
	text, _ := compose(t, r)
	if _, parts := read(t, text); parts[2].body != "" || len(text) > 4000 {
		t.Errorf("%d octets of text", len(text))
	}
}

// endless is content of 8 EiB.
type endless struct{ t *testing.T }

func (e endless) Size() int64 { return 1<<63 - 1 }

func (e endless) ReadAt(p []byte, off int64) (int, error) {
	if off+int64(len(p)) > dsn.MaxReturned {
		e.t.Errorf("%d octets at %d are read", len(p), off)
	}
	copy(p, bytes.Repeat([]byte("x"), len(p)))
	return len(p), nil
}

// What cannot be read or written is an error.
func TestComposeErrors(t *testing.T) {
	r := report(t, original, bob(t, dsn.Failed, noMailbox))
	for octets := 0; octets < 3000; octets += 17 {
		if _, err := dsn.Compose(&limited{octets}, "N1", at(14), r); err != nil && !errors.Is(err, errLimit) {
			t.Fatalf("a writer of %d octets: %v", octets, err)
		} else if err == nil && octets < 1000 {
			t.Fatalf("a writer of %d octets did not fail", octets)
		}
	}
	r.Content = broken{errLimit, int64(len(original))}
	if _, err := dsn.Compose(io.Discard, "N1", at(14), r); !errors.Is(err, errLimit) {
		t.Errorf("content that cannot be read: %v", err)
	}
	r.Content = broken{io.EOF, int64(len(original))}
	if _, err := dsn.Compose(io.Discard, "N1", at(14), r); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("content that is too short: %v", err)
	}
}

var errLimit = errors.New("no room")

type limited struct{ octets int }

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.octets {
		return 0, errLimit
	}
	l.octets -= len(b)
	return len(b), nil
}

type broken struct {
	err  error
	size int64
}

func (b broken) Size() int64 { return b.size }

func (b broken) ReadAt(p []byte, _ int64) (int, error) { return iotest.ErrReader(b.err).Read(p) }
