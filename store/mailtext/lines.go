package mailtext

import (
	"bufio"
	"bytes"
	"io"
	"strings"
)

// lines reads a message line by line, long ones in pieces, and stops where a part ends.
type lines struct {
	in       *bufio.Reader
	fresh    bool     // the next piece begins a line
	first    bool     // the last piece began one
	open     []string // boundaries of the multiparts that are being read, the outermost first
	met      int      // which of them was met; nothing is read until that is none again
	closing  bool     // it was the one that ends the multipart
	leftover []byte   // of a piece that Read has begun
}

const none = -1

// next returns the next piece, which is good until the next call, or nil at a boundary or the end.
func (l *lines) next() []byte {
	if l.met != none {
		return nil
	}
	piece, err := l.in.ReadSlice('\n')
	if len(piece) == 0 {
		return nil
	}
	l.first, l.fresh = l.fresh, err == nil
	if l.first && l.isBoundary(piece) {
		return nil
	}
	return piece
}

// isBoundary says whether a line is one of the open boundaries (RFC 2046 §5.1.1), and which.
func (l *lines) isBoundary(line []byte) bool {
	line, ok := bytes.CutPrefix(line, []byte("--"))
	for i := len(l.open) - 1; ok && i >= 0; i-- {
		rest, is := bytes.CutPrefix(line, []byte(l.open[i]))
		if !is {
			continue
		}
		switch rest = bytes.TrimRight(rest, " \t\r\n"); string(rest) {
		case "", "--":
			l.met, l.closing = i, len(rest) > 0
			return true
		}
	}
	return false
}

// Read reads up to the next boundary.
func (l *lines) Read(b []byte) (int, error) {
	if len(l.leftover) == 0 {
		l.leftover = l.next()
	}
	if len(l.leftover) == 0 {
		return 0, io.EOF
	}
	n := copy(b, l.leftover)
	l.leftover = l.leftover[n:]
	return n, nil
}

// skip goes to the next boundary.
func (l *lines) skip() {
	l.leftover = nil
	for l.next() != nil {
	}
}

// enter begins to read a multipart: its preamble is skipped. It returns the number of its boundary.
func (l *lines) enter(boundary string) (level int) {
	l.open = append(l.open, boundary)
	l.skip()
	return len(l.open) - 1
}

// part says whether another part of a multipart begins here, and goes into it.
func (l *lines) part(level int) bool {
	if l.met != level || l.closing {
		return false
	}
	l.met = none
	return true
}

// leave ends a multipart, at its last boundary, at one around it or anywhere else.
func (l *lines) leave(level int) {
	l.open = l.open[:level]
	if l.met == level {
		l.met = none
	}
}

// boundaryOf finds a boundary that stands without the quotes that its characters need.
func boundaryOf(contentType string) string {
	const name = "boundary="
	i := strings.Index(strings.ToLower(contentType), name)
	if i < 0 || i+len(name) > len(contentType) {
		return ""
	}
	value, _, _ := strings.Cut(contentType[i+len(name):], ";")
	return strings.Trim(value, " \t\"")
}
