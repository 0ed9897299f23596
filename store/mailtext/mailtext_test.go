package mailtext

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"
	"unicode"
	"unicode/utf8"

	"lmtpd/store"
)

// crlf writes a message as it stands on the wire.
func crlf(lines ...string) string { return strings.Join(lines, "\r\n") + "\r\n" }

func TestExtract(t *testing.T) {
	for name, tt := range map[string]struct {
		message string
		want    store.Text
	}{
		"plain": {crlf("From: Ann <ann@example.org>", "To: bob@example.org, =?utf-8?q?J=C3=BCrgen?= <j@example.net>", "Cc: carl@example.org",
			"Subject: =?iso-8859-1?q?Gr=FC=DFe?= and", " more", "", "Hello,  world.", "", "Bye."),
			store.Text{Subject: "Grüße and more", Author: "Ann <ann@example.org>",
				Recipients: "<bob@example.org> Jürgen <j@example.net>\n<carl@example.org>", Body: "Hello, world.\nBye."}},
		"LF":        {"Subject: a\n\nb\n", store.Text{Subject: "a", Body: "b"}},
		"empty":     {"", store.Text{}},
		"no header": {"hello world\r\nmore\r\n", store.Text{Body: "hello world\nmore"}},
		"no body":   {"Subject: x", store.Text{Subject: "x"}},
		"mbox line, and one that is no field": {crlf("From ann Thu Jan  1 00:00:00 1970", "Subject: x", "what is this", " y", "From: a@b", "", "z"),
			store.Text{Subject: "x", Author: "<a@b>", Body: "From ann Thu Jan 1 00:00:00 1970\nwhat is this\nz"}},
		"bad addresses": {crlf("From: Ann <ann@", "To: undisclosed recipients:;", "To: =?utf-8?q?B=C3=B6b?=", "", ""),
			store.Text{Author: "Ann <ann@", Recipients: "undisclosed recipients:;\nBöb"}},
		"8 bit header": {crlf("Subject: Gr\xfc\xdfe", "From: J\xfcrgen <j@example.org>", "", "caf\xe9"),
			store.Text{Subject: "Grüße", Author: "Jürgen <j@example.org>", Body: "café"}},
		"charset":         {crlf("Content-Type: text/plain; charset=koi8-r", "", "\xf0\xd2\xc9\xd7\xc5\xd4"), store.Text{Body: "Привет"}},
		"unknown charset": {crlf("Content-Type: text/plain; charset=x-none", "", "plain"), store.Text{Body: "plain"}},
		"base64":          {crlf("Content-Type: text/plain; charset=utf-8", "Content-Transfer-Encoding: base64", "", "R3LD", "vMOfZQ=="), store.Text{Body: "Grüße"}},
		"not base64":      {crlf("Content-Transfer-Encoding: base64", "", "This is plain text!"), store.Text{Body: "This is plain text!"}},
		"torn base64":     {crlf("Content-Transfer-Encoding: base64", "", "SGVsbG8gd29ybGQ!"), store.Text{Body: "Hello wor"}},
		"quoted":          {crlf("Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable", "", "Gr=FC=", "=DFe"), store.Text{Body: "Grüße"}},
		"not quoted": {crlf("Content-Type: text/plain; charset=iso-8859-1", "Content-Transfer-Encoding: quoted-printable", "", "Gr=FC=DFe", "bell \x07 =FC", "=FC"),
			store.Text{Body: "Grüße\nbell =FC\nü"}},
		"unknown encoding": {crlf("Content-Transfer-Encoding: x-uuencode", "", "as it is"), store.Text{Body: "as it is"}},
		"html": {crlf("Content-Type: text/html", "", "<html><head><title>no</title><style>p { no }</style></head><body><!-- no --><p>in<b>vo</b>ice</p><p>caf&eacute;<br>bar<script>no()</script>"),
			store.Text{Body: "invoice\ncafé\nbar"}},
		"alternative": {crlf("Content-Type: multipart/alternative; boundary=x", "", "preamble", "--x", "", "Hello world", "--x", "Content-Type: text/html", "", "<p>Hello <b>World</b>", "--x--", "epilogue"),
			store.Text{Body: "Hello world"}},
		"alternative with a stub": {crlf("Content-Type: multipart/alternative; boundary=x", "", "--x", "", "See HTML", "--x", "Content-Type: text/html", "", "<p>The whole of a long message", "--x--"),
			store.Text{Body: "The whole of a long message"}},
		"attachment": {crlf("Content-Type: multipart/mixed; boundary=\"a b\"", "", "--a b", "Content-Type: image/png", "Content-Disposition: attachment; filename=\"=?utf-8?q?R=C3=B6.png?=\"", "", "\x89PNG", "--a b", "", "after", "--a b--"),
			store.Text{Body: "Rö.png\nafter"}},
		"boundary without quotes": {crlf("Content-Type: multipart/mixed; boundary=----=_Part:1; x=y", "", "------=_Part:1", "", "one", "------=_Part:1--"), store.Text{Body: "one"}},
		"no boundary":             {crlf("Content-Type: multipart/mixed", "", "--x", "text"), store.Text{Body: "--x\ntext"}},
		"torn multipart":          {crlf("Content-Type: multipart/mixed; boundary=o", "", "--o", "Content-Type: multipart/mixed; boundary=i", "", "--i", "", "one", "--o", "", "two"), store.Text{Body: "one\ntwo"}},
		"forwarded": {crlf("Subject: Fwd", "Content-Type: multipart/mixed; boundary=x", "", "--x", "Content-Type: message/rfc822", "", "Subject: inner", "From: a@b", "Content-Type: text/html", "", "<p>deep", "--x--"),
			store.Text{Subject: "Fwd", Body: "inner\n<a@b>\ndeep"}},
		"unseen": {crlf("Subject: a\x00b\xc2\xadc\xe2\x80\x8bd", "", "\xef\xbb\xbfx"), store.Text{Subject: "a bc d", Body: "x"}},
	} {
		t.Run(name, func(t *testing.T) {
			for how, r := range map[string]io.Reader{"whole": strings.NewReader(tt.message), "by octet": iotest.OneByteReader(strings.NewReader(tt.message))} {
				if got := Extract(r); got != tt.want {
					t.Errorf("%s:\n got %+q\nwant %+q", how, got, tt.want)
				}
			}
		})
	}
}

// What can be read before an error is the text.
func TestExtractTorn(t *testing.T) {
	r := io.MultiReader(strings.NewReader("Subject: x\r\n\r\nhello"), iotest.ErrReader(errors.New("torn")))
	if got, want := Extract(r), (store.Text{Subject: "x", Body: "hello"}); got != want {
		t.Errorf("got %+q", got)
	}
}

// A panic costs no more than the text that comes after it.
func TestExtractPanic(t *testing.T) {
	r := io.MultiReader(strings.NewReader("Subject: x\r\n\r\n"), readerFunc(func([]byte) (int, error) { panic("broken") }))
	if got, want := Extract(r), (store.Text{Subject: "x"}); got != want {
		t.Errorf("got %+q", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(b []byte) (int, error) { return f(b) }

// Nothing that a stranger sends takes much time or memory, or gives more text than the limits.
func TestExtractBounded(t *testing.T) {
	nested, deep := strings.Builder{}, strings.Builder{}
	for i := range 3000 {
		fmt.Fprintf(&nested, "Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n", i, i)
		deep.WriteString("Content-Type: message/rfc822\r\n\r\n")
	}
	parts := "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--x\r\n\r\nword\r\n", 100_000)
	for name, message := range map[string]string{
		"fields":             strings.Repeat("a:\n", 1<<20),
		"subjects":           strings.Repeat("Subject: word\n", 100_000),
		"folded":             "Subject: a" + strings.Repeat("\n b", 1<<20),
		"long line":          "Subject: " + strings.Repeat("x", 4<<20),
		"no fields":          strings.Repeat("word\r\n", 1<<20),
		"addresses":          "To: " + strings.Repeat("Ann <ann@example.org>, ", 100_000),
		"comments":           "To: " + strings.Repeat("(", 1<<20),
		"words":              "To: " + strings.Repeat("=?utf-8?q?a?= ", 100_000),
		"text":               "\r\n" + strings.Repeat("word ", 1<<20),
		"tags":               "Content-Type: text/html\r\n\r\n" + strings.Repeat("<p", 1<<20),
		"entities":           "Content-Type: text/html\r\n\r\n" + strings.Repeat("&", 1<<20),
		"parts":              parts,
		"part with a header": "Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + strings.Repeat("To: a@b\n", 1<<19),
		"nested":             nested.String() + "text",
		"deep":               deep.String() + "text",
		"dashes":             "Content-Type: multipart/mixed; boundary=x\r\n\r\n" + strings.Repeat("--\n", 1<<20),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			checkText(t, Extract(strings.NewReader(message)))
			if took := time.Since(began); took > 10*time.Second {
				t.Errorf("took %v", took)
			}
		})
	}
}

func checkText(t *testing.T, text store.Text) {
	t.Helper()
	for limit, s := range map[int]string{subjectOctets: text.Subject, addressOctets: text.Author + "\n" + text.Recipients, bodyOctets: text.Body} {
		if len(s) > 2*limit+1 || !utf8.ValidString(s) {
			t.Errorf("%d octets, limit %d, UTF-8 %t", len(s), limit, utf8.ValidString(s))
		}
		if strings.ContainsFunc(s, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }) {
			t.Errorf("control characters in %.100q", s)
		}
	}
}

func FuzzExtract(f *testing.F) {
	f.Add("Subject: =?utf-8?q?a?=\r\nFrom: a <b@c>\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/html; charset=koi8-r\r\nContent-Transfer-Encoding: base64\r\n\r\nPGI+\r\n--x--\r\n")
	f.Add("Content-Type: multipart/alternative; boundary=x\n\n--x\n\na\n--x\nContent-Type: message/rfc822\n\nTo: x\nContent-Transfer-Encoding: quoted-printable\n\n=\x07=F\n--x")
	f.Add("hello\r\n \r\n\xff")
	f.Fuzz(func(t *testing.T, message string) {
		e := newExtraction(strings.NewReader(message))
		e.message() // a panic is found here
		text := e.done()
		checkText(t, text)
		if n, err := e.in.ReadByte(); err == nil {
			t.Errorf("%q is left unread", n)
		}
		if again := Extract(bufio.NewReader(strings.NewReader(message))); again != text {
			t.Errorf("%+q, and then %+q", text, again)
		}
	})
}

func BenchmarkExtract(b *testing.B) {
	text := strings.Repeat("The quick brown fox jumps over the lazy dog.\r\n", 200)
	message := "Subject: benchmark\r\nFrom: Ann <ann@example.org>\r\nTo: bob@example.org\r\n\r\n" + text
	b.SetBytes(int64(len(message)))
	b.ReportAllocs()
	for b.Loop() {
		Extract(strings.NewReader(message))
	}
}
