package main

import (
	"bytes"
	"io"
	"net/mail"
	"testing"
	"testing/iotest"
	"time"
)

// A letter has as many octets as it was asked to have, every line ends in CRLF, and none needs a dot more, whatever the
// size and however it is read.
func TestLetter(t *testing.T) {
	all := newLetters("run", "me@example.org", time.Unix(0, 0))
	l := benchLetter{all: all}
	sizes := []int64{int64(len(all.text)) - 1, int64(len(all.text)) + letterLeast, 1 << 20}
	for size := int64(letterLeast); size < letterLeast+200; size++ {
		sizes = append(sizes, size)
	}
	for i, size := range sizes {
		l.begin(int64(i), size)
		var r io.Reader = &l
		if i%2 == 0 {
			r = iotest.HalfReader(r)
		}
		b, err := io.ReadAll(r)
		if err != nil || int64(len(b)) != size {
			t.Fatalf("%d octets, %v; want %d", len(b), err, size)
		}
		if !bytes.HasSuffix(b, []byte("\r\n")) || bytes.Count(b, []byte("\r\n")) != bytes.Count(b, []byte("\n")) ||
			bytes.Count(b, []byte("\r\n")) != bytes.Count(b, []byte("\r")) || bytes.Contains(b, []byte("\n.")) {
			t.Fatalf("%d octets have other line ends or a dot at the start of a line: %q", size, b)
		}
	}
}

// No two letters have the same Message-ID, neither in a run nor in two.
func TestLetterMessageID(t *testing.T) {
	seen := map[string]bool{}
	for _, run := range []string{"a", "b"} {
		l := benchLetter{all: newLetters(run, "me@example.org", time.Unix(0, 0))}
		for n := range int64(12) {
			l.begin(n, letterLeast)
			m, err := mail.ReadMessage(&l)
			if err != nil {
				t.Fatal(err)
			}
			seen[m.Header.Get("Message-ID")] = true
			if _, err := m.Header.Date(); err != nil || m.Header.Get("From") != "<me@example.org>" {
				t.Errorf("%v, %v", m.Header, err)
			}
		}
	}
	if len(seen) != 24 {
		t.Errorf("%d Message-IDs, want 24", len(seen))
	}
}
