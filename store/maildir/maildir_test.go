package maildir

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store"
)

// open opens a store of maildirs DIR/domain/local-part.
func open(t testing.TB, dir string, set ...func(*Config)) *Store {
	t.Helper()
	template, err := store.ParseTemplate(filepath.Join(dir, "%d/%n"))
	if err != nil {
		t.Fatal(err)
	}
	c := Config{Template: template, Hostname: "mx.example.org", PerMailbox: 100}
	for _, f := range set {
		f(&c)
	}
	s, err := Open(c)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// deliver delivers text to one placement.
func deliver(t testing.TB, s *Store, text string, p store.Placement) error {
	t.Helper()
	return s.Deliver(t.Context(), bytes.NewReader([]byte(text)), []store.Placement{p})[0]
}

// message is content of about n octets.
func message(n int) *bytes.Reader {
	head := "Subject: test\r\n\r\n"
	line := strings.Repeat("x", 74) + "\r\n"
	return bytes.NewReader([]byte(head + strings.Repeat(line, n/len(line))))
}
