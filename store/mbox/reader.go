package mbox

import (
	"bufio"
	"bytes"
	"io"
	"strings"

	"lmtpd/store"
)

// A Reader reads the messages of an mbox one after the other, in constant memory.
type Reader struct {
	in    *bufio.Reader
	begun bool
	next  separator // of the message that comes next
	ended bool
}

// A separator is a line that a message begins with.
type separator struct {
	Message
	crlf bool // the line ends so, and thus the others do
}

// NewReader reads from r.
func NewReader(r io.Reader) *Reader { return &Reader{in: bufio.NewReaderSize(r, bufferSize)} }

// Next reads the next message and writes its content to w, with CRLF line ends. After the last message it returns io.EOF, for
// a file that is no mbox ErrFormat; other errors are those of reading and of w.
func (r *Reader) Next(w io.Writer) (Message, error) {
	if !r.begun {
		if err := r.begin(); err != nil {
			return Message{}, err
		}
	}
	if r.ended {
		return Message{}, io.EOF
	}
	b := body{Reader: r, message: r.next.Message, crlf: r.next.crlf, out: bufio.NewWriterSize(w, bufferSize)}
	err := b.read()
	return b.message, err
}

// begin reads the first line.
func (r *Reader) begin() error {
	if _, err := r.in.Peek(1); err != nil {
		return err
	}
	var ok bool
	if r.next, ok = r.separator(); !ok {
		return ErrFormat
	}
	r.begun = true
	return nil
}

// separator reads a line if a message begins with it.
func (r *Reader) separator() (s separator, ok bool) {
	if b, _ := r.in.Peek(len(fromWord)); string(b) != fromWord {
		return s, false
	}
	line, size := r.peekLine(maxSeparator)
	if size == 0 {
		return s, false
	}
	s.Sender, s.Date, ok = parseSeparator(strings.TrimSuffix(line, "\r"))
	if !ok {
		return s, false
	}
	s.crlf = strings.HasSuffix(line, "\r")
	_, _ = r.in.Discard(size)
	return s, true
}

// peekLine gives the line that begins here, without its LF, and what it takes with it; nothing if it is longer than limit.
func (r *Reader) peekLine(limit int) (line string, size int) {
	b, err := r.in.Peek(limit)
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		return string(b[:i]), i + 1
	}
	if err != nil {
		return string(b), len(b)
	}
	return "", 0
}

// fields takes the four fields that this package writes away from the front of a message.
func (r *Reader) fields(m *Message, crlf bool) (ours bool) {
	b, _ := r.in.Peek(maxFields)
	var flags []store.Flag
	value, size := "", 0
	for _, name := range fieldNames() {
		line, rest, ok := bytes.Cut(b[size:], []byte{'\n'})
		if !ok {
			return false
		}
		size = len(b) - len(rest)
		if crlf {
			line = bytes.TrimSuffix(line, []byte{'\r'})
		}
		value, ok = strings.CutPrefix(string(line), name+":")
		if !ok || value != "" && value[0] != ' ' {
			return false
		}
		flags = append(flags, flagsIn(name, value)...)
	}
	folder := strings.TrimPrefix(value, " ")
	if levels, err := store.Levels(folder); err != nil || folder == "" {
		return false
	} else if levels != nil {
		m.Folder = strings.Join(levels, "/")
	}
	m.Flags = flags
	_, _ = r.in.Discard(size)
	return true
}
