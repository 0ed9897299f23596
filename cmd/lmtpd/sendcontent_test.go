package main

import (
	"bytes"
	"errors"
	"io"
	"net/mail"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// What a message makes its transaction need, however it is read.
func TestContentLook(t *testing.T) {
	for _, test := range []struct {
		content string
		size    int64
		eight   bool
		utf8    bool // in the header
	}{
		{"", 0, false, false},
		{"a", 3, false, false},
		{"a: b\n\nc\n", 11, false, false},
		{"a: b\r\n\r\nc\r\n", 11, false, false},
		{"a: b\r\n\nc\nd\r\n", 14, false, false},
		{"a: ü\n\nc\n", 12, true, true},
		{"a: b\n\nü\n", 12, true, false},
		{"a: \xfc\n\nc\n", 11, true, false},
		{"a: ü\nb: \xfc\n\nc\n", 18, true, false},
		{"a: \xc3\nb: \xbc\n\n", 14, true, false},
		{"a\rb", 5, false, false},
		{"a: b\n\n\r\n\n\nc", 17, false, false},
	} {
		for _, step := range []int{1, 2, 3, 100} {
			l := contentLook{inHeader: true}
			for rest := []byte(test.content); len(rest) > 0; {
				n := min(step, len(rest))
				l.Write(rest[:n])
				rest = rest[n:]
			}
			l.end()
			if l.size != test.size || l.eight != test.eight || l.utf8Header() != test.utf8 {
				t.Errorf("%q by %d: %d octets, %v, %v; want %+v", test.content, step, l.size, l.eight, l.utf8Header(), test)
			}
		}
	}
}

// FuzzContentLook counts what the client would send.
func FuzzContentLook(f *testing.F) {
	for _, s := range []string{"a: b\n\nc\n", "a\r\n\r\nü", "\r", "\n\r\n\r"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		l := contentLook{inHeader: true}
		l.Write(b)
		l.end()
		want := int64(len(b) + bytes.Count(b, []byte("\n")) - bytes.Count(b, []byte("\r\n")))
		if len(b) > 0 && b[len(b)-1] != '\n' {
			want += 2
		}
		if l.size != want || l.eight == isASCII(b) {
			t.Errorf("%q: %d, not %d; %v", b, l.size, want, l.eight)
		}
	})
}

// A field that is given comes first, and there is no other of its name.
func TestWithFields(t *testing.T) {
	for _, test := range []struct {
		fields        []string
		content, want string
	}{
		{nil, "From x\nsubject: a\n\nb", "From x\nsubject: a\n\nb"},
		{[]string{"Subject: new"}, "a: b\nsubject: old\n folded\nc: d\n\nbody\n", "Subject: new\r\na: b\nc: d\n\r\nbody\n"},
		{[]string{"X: 1", "x: 2"}, "X: 0\r\n\r\nbody", "X: 1\r\nx: 2\r\n\r\nbody"},
		{[]string{"X: 1\n 2"}, "hello\n", "X: 1\r\n 2\r\n\r\nhello\n"},
		{[]string{"X: 1"}, "a: b", "X: 1\r\na: b\r\n\r\n"},
		{[]string{"X:"}, "", "X:\r\n\r\n"},
	} {
		r, err := withFields(strings.NewReader(test.content), test.fields)
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := io.ReadAll(r); string(got) != test.want {
			t.Errorf("%q with %q: %q", test.content, test.fields, got)
		}
	}
	for _, text := range []string{"", "x", ": x", "a b: c", "a: b\r\n c", "a: b\nc: d", "a: b\n", "a: b\n\n c", "ü: x", "a: \x00"} {
		if f, err := parseField(text); !errors.Is(err, errField) {
			t.Errorf("%q is %q, %v", text, f, err)
		}
	}
}

// A message that is made up is one that anybody can read.
func TestTestMessage(t *testing.T) {
	m := client.Message{
		From:       smtp.Path{Local: "a b", Domain: "x"},
		Recipients: []smtp.Recipient{{To: smtp.Path{Local: "ann", Domain: "x"}}, {To: smtp.Path{Local: "bob", Domain: "x"}}},
	}
	for _, from := range []smtp.Path{m.From, {}} {
		m.From = from
		read, err := mail.ReadMessage(bytes.NewReader(testMessage(m, "host.example")))
		if err != nil {
			t.Fatal(err)
		}
		to, err := read.Header.AddressList("To")
		if err != nil || len(to) != 2 {
			t.Errorf("%v, %v", to, err)
		}
		if _, err := read.Header.AddressList("From"); err != nil {
			t.Error(err)
		}
		if _, err := read.Header.Date(); err != nil {
			t.Error(err)
		}
	}
}

// Several files are several messages over one connection; one that cannot be read keeps back no other.
func TestSendFiles(t *testing.T) {
	drop, dir := startMailDrop(t, "tcp", "127.0.0.1:0"), t.TempDir()
	var files []string
	for _, name := range []string{"a", "none", "b"} {
		files = append(files, filepath.Join(dir, name))
	}
	for _, name := range []string{files[0], files[2]} {
		if err := os.WriteFile(name, []byte("für "+filepath.Base(name)+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	args := append([]string{"--server", drop.url, "--from", "", "--to", "ann@example.org,550@x"}, files...)
	code, out, diag := runSend(t, "", args...)
	want := files[0] + ": ann@example.org: " + annDelivered + files[0] + ": 550@x: 550 5.1.1 no such mailbox\n" +
		files[2] + ": ann@example.org: " + annDelivered + files[2] + ": 550@x: 550 5.1.1 no such mailbox\n"
	if code != exUnavailable || out != want || !strings.Contains(diag, "none: open ") {
		t.Errorf("exit %d, %q, %q", code, out, diag)
	}
	if said := drop.lines(); strings.Count(said, "LHLO") != 1 || strings.Count(said, "BODY=8BITMIME") != 2 {
		t.Errorf("said %s", said)
	}
	// A connection that is lost is made anew.
	args = append([]string{"--json", "--server", drop.url, "--from", "", "--to", "hangup@x"}, files[0], files[2])
	code, out, diag = runSend(t, "", args...)
	if code != exTempFail || strings.Count(out, `{"file":"`+dir) != 2 || strings.Count(out, `"outcome":"unknown"`) != 2 || strings.Count(drop.lines(), "LHLO") != 3 {
		t.Errorf("exit %d, %q, %q", code, out, diag)
	}
}

// What is asked for of a transaction is said, where the server knows it.
func TestSendParameters(t *testing.T) {
	drop := startMailDrop(t, "tcp", "127.0.0.1:0")
	code, _, diag := runSend(t, "A: ü\n\nb\n", "--server", drop.url, "--from", "me@x", "--to", "ann@x", "--size", "17", "--hello", "me.example",
		"--header", "X-Test: 1", "--header", "a: v")
	want := "LHLO me.example\nMAIL FROM:<me@x> SIZE=17\nRCPT TO:<ann@x>\nDATA\nX-Test: 1\na: v\n\nb\n.\nQUIT"
	if got := drop.lines(); code != exOK || got != want {
		t.Errorf("exit %d %s\n%s\nwant\n%s", code, diag, got, want)
	}
	drop = startMailDrop(t, "tcp", "127.0.0.1:0")
	code, _, diag = runSend(t, "A: ü\n\nb\n", "--server", drop.url, "--from", "me@x", "--to", "ann@x")
	if got := drop.lines(); code != exOK || !strings.Contains(got, "MAIL FROM:<me@x> SIZE=12 BODY=8BITMIME SMTPUTF8\n") {
		t.Errorf("exit %d %s\n%s", code, diag, got)
	}
	drop = startMailDrop(t, "tcp", "127.0.0.1:0")
	code, _, diag = runSend(t, "", "--server", drop.url, "--from", "me@x", "--to", "ann@x", "--test")
	if got := drop.lines(); code != exOK || !strings.Contains(got, "\nFrom: me@x\nTo: ann@x\nSubject: Test message of ") {
		t.Errorf("exit %d %s\n%s", code, diag, got)
	}
}
