package mbox

import (
	"bufio"
	"bytes"
	"io"
	"slices"
	"strings"
)

// maxField is how long a line of a header may be and still tell flags.
const maxField = 1000

// A body is the content of a message as it is read. The line end that was read last is held back: the one at the end of the
// message may belong to the file.
type body struct {
	*Reader
	message Message
	crlf    bool // lines of the file end so
	ours    bool // the message has the four fields
	header  bool // its header is being read, by which flags may be told

	out  *bufio.Writer
	last byte   // the last octet written
	held string // line end
	bare bool   // the last line was empty
}

func (b *body) read() error {
	b.ours = b.fields(&b.message, b.crlf)
	b.header = !b.ours
	for {
		next, ok := b.separator()
		if ok {
			b.next = next
			return b.end()
		}
		if _, err := b.in.Peek(1); err != nil {
			b.ended = true
			if err != io.EOF {
				return err
			}
			return b.end()
		}
		if err := b.line(); err != nil {
			return err
		}
	}
}

// end leaves out the line end that stands behind every message, and where others write an empty line, that.
func (b *body) end() error {
	if !b.ours && !b.bare {
		if err := b.giveOut(); err != nil {
			return err
		}
	}
	return b.out.Flush()
}

// giveOut writes the line end that is held back.
func (b *body) giveOut() error {
	held := b.held
	if held == "" {
		return nil
	}
	if held == "\n" && b.last != '\r' {
		held = "\r\n"
	}
	b.held, b.last = "", '\n'
	_, err := b.out.WriteString(held)
	return err
}

func (b *body) write(p []byte) error {
	if len(p) > 0 {
		b.last = p[len(p)-1]
	}
	_, err := b.out.Write(p)
	return err
}

// line reads a line, long ones in parts.
func (b *body) line() error {
	if err := b.giveOut(); err != nil {
		return err
	}
	if b.header {
		b.field()
	}
	quoted, err := b.unquote()
	if err != nil {
		return err
	}
	for first := !quoted; ; first = false {
		part, err := readPart(b.in)
		text, whole := bytes.CutSuffix(part, []byte{'\n'})
		if whole {
			b.held = "\n"
		}
		if cut, ok := bytes.CutSuffix(text, []byte{'\r'}); ok && whole && b.crlf {
			text, b.held = cut, "\r\n"
		}
		b.bare = first && whole && len(text) == 0
		if err := b.write(text); err != nil {
			return err
		}
		if whole || err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// unquote passes on the > that a line begins with, one less if "From " follows, and says whether there was any.
func (b *body) unquote() (quoted bool, err error) {
	for marks := peekMarks(b.in); len(marks) > 0; marks = peekMarks(b.in) {
		n := len(marks)
		if !quoted {
			marks = marks[1:] // held back
		}
		if err := b.write(marks); err != nil {
			return true, err
		}
		quoted = true
		_, _ = b.in.Discard(n)
	}
	if next, _ := b.in.Peek(len(fromWord)); quoted && string(next) != fromWord {
		b.last = '>'
		return true, b.out.WriteByte('>')
	}
	return quoted, nil
}

// field looks for flags in a line of the header, which stays where it is.
func (b *body) field() {
	line, _ := b.peekLine(maxField)
	line = strings.TrimSuffix(line, "\r")
	if line == "" {
		next, _ := b.in.Peek(1)
		b.header = len(next) > 0 && next[0] != '\n' && next[0] != '\r'
		return
	}
	name, value, ok := strings.Cut(line, ":")
	if !ok {
		return
	}
	for _, f := range flagsIn(name, strings.TrimSpace(value)) {
		if !slices.Contains(b.message.Flags, f) {
			b.message.Flags = append(b.message.Flags, f)
		}
	}
}
