package main

import (
	"bufio"
	"bytes"
	"io"
)

// A textInput is a message as a program writes it, on its way to CRLF line ends: a line ends in LF, CRLF, or a CR alone, for what
// a program showed on a terminal comes here too. Where endsAtDot is set, a dot on a line of its own ends it, as on a terminal.
// The last line always has an end.
type textInput struct {
	src       *bufio.Reader
	endsAtDot bool

	out  []byte // what is ready, from at on
	at   int
	mid  bool // inside a line
	cr   bool // CR was the last octet
	dot  bool // a dot that may be alone on its line is held back
	done bool
	err  error
}

func newTextInput(src io.Reader, endsAtDot bool) *textInput {
	return &textInput{src: bufio.NewReaderSize(src, 32<<10), endsAtDot: endsAtDot}
}

// Read implements io.Reader.
func (t *textInput) Read(p []byte) (int, error) {
	for t.at == len(t.out) {
		if t.err != nil {
			return 0, t.err
		}
		t.fill()
	}
	n := copy(p, t.out[t.at:])
	t.at += n
	return n, nil
}

// fill takes what there is of the source.
func (t *textInput) fill() {
	t.out, t.at = t.out[:0], 0
	if _, err := t.src.Peek(1); err != nil {
		t.finish(err)
		return
	}
	block, _ := t.src.Peek(t.src.Buffered())
	for i, c := range block {
		if t.take(c); t.done {
			t.src.Discard(i + 1)
			t.err = io.EOF
			return
		}
	}
	t.src.Discard(len(block))
}

// take takes one octet.
func (t *textInput) take(c byte) {
	if t.cr {
		if c == '\r' {
			return // several before a LF are one line end, and so are they without it
		}
		t.cr = false
		if t.endLine(); t.done || c == '\n' {
			return
		}
	}
	switch {
	case c == '\r':
		t.cr = true
	case c == '\n':
		t.endLine()
	case c == '.' && !t.mid && !t.dot && t.endsAtDot:
		t.dot = true
	default:
		t.release()
		t.out, t.mid = append(t.out, c), true
	}
}

// release lets go of the dot that is held back.
func (t *textInput) release() {
	if t.dot {
		t.out, t.dot = append(t.out, '.'), false
	}
}

func (t *textInput) endLine() {
	if t.dot {
		t.done = true
		return
	}
	t.out, t.mid = append(t.out, '\r', '\n'), false
}

// finish ends the text where the source does. A dot that is held back then stood alone.
func (t *textInput) finish(err error) {
	if err == io.EOF && (t.mid || t.cr) {
		t.cr = false
		t.endLine()
	}
	t.err = err
}

// isMailboxLine says whether a line is the one that divides messages in a mailbox file: it is no part of a message.
func isMailboxLine(line []byte) bool {
	return bytes.HasPrefix(line, []byte("From ")) || bytes.HasPrefix(line, []byte(">From "))
}
