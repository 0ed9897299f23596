package mbox

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// bufferSize is the memory that a file takes, whatever lines it has.
const bufferSize = 64 << 10

// maxFields is how long the four fields in front of a message may be together.
const maxFields = 16 << 10

// A Writer writes messages to an mbox. Flush is called at the end.
type Writer struct {
	w *bufio.Writer
}

// NewWriter makes one. What it writes to is empty, or at the end of an mbox.
func NewWriter(w io.Writer) *Writer { return &Writer{bufio.NewWriterSize(w, bufferSize)} }

// Flush writes what is held back.
func (w *Writer) Flush() error { return w.w.Flush() }

// Write writes a message, whose content has CRLF line ends. A Sender that is not given is taken from the Return-Path in
// front of the content. If content cannot be read, the file ends in the middle of a message.
func (w *Writer) Write(m Message, content io.Reader) error {
	in := bufio.NewReaderSize(content, bufferSize)
	if m.Sender == "" {
		m.Sender = returnPath(in)
	}
	head := []byte(formatSeparator(m.Sender, m.Date))
	values := fieldsOf(m)
	for i, name := range fieldNames() {
		head = append(head, name+":"...)
		if values[i] != "" {
			head = append(head, " "+values[i]...)
		}
		head = append(head, '\n')
	}
	if len(head) > maxFields {
		return fmt.Errorf("its flags take %d octets", len(head))
	}
	if _, err := w.w.Write(head); err != nil {
		return err
	}
	if err := w.copy(in); err != nil {
		return err
	}
	return w.w.WriteByte('\n')
}

// returnPath gives the address of a Return-Path that the content begins with (RFC 5321 §4.4).
func returnPath(in *bufio.Reader) string {
	const field = "Return-Path: <"
	head, _ := in.Peek(512)
	rest, ok := bytes.CutPrefix(head, []byte(field))
	if !ok {
		return ""
	}
	address, _, ok := bytes.Cut(rest, []byte(">\r\n"))
	if !ok || bytes.ContainsAny(address, "\r\n") {
		return ""
	}
	return string(address)
}

// copy writes content line by line, long ones in parts.
func (w *Writer) copy(in *bufio.Reader) error {
	prev, begins := byte(0), true // the last octet of the part before; a line begins
	for {
		if begins {
			if err := w.quote(in); err != nil {
				return err
			}
		}
		part, err := readPart(in)
		if err != nil && len(part) == 0 {
			return ignoreEOF(err)
		}
		last := part[len(part)-1]
		begins = last == '\n'
		if _, err := w.w.Write(withoutCR(part, prev)); err != nil {
			return err
		}
		prev = last
		if err != nil {
			return ignoreEOF(err)
		}
	}
}

// quote puts a > in front of what begins a message, after those that are there already.
func (w *Writer) quote(in *bufio.Reader) error {
	for marks := peekMarks(in); len(marks) > 0; marks = peekMarks(in) {
		if _, err := w.w.Write(marks); err != nil {
			return err
		}
		_, _ = in.Discard(len(marks))
	}
	if b, _ := in.Peek(len(fromWord)); string(b) == fromWord {
		return w.w.WriteByte('>')
	}
	return nil
}

// peekMarks gives the > that come next, or some of them.
func peekMarks(in *bufio.Reader) []byte {
	_, _ = in.Peek(1)
	b, _ := in.Peek(in.Buffered())
	return b[:len(b)-len(bytes.TrimLeft(b, ">"))]
}

// readPart reads to the end of a line, or as far as the buffer reaches. A CR at the end of a part has no LF behind it.
func readPart(in *bufio.Reader) (part []byte, err error) {
	part, err = in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return part, err
	}
	if part[len(part)-1] == '\r' {
		err = in.UnreadByte()
		return part[:len(part)-1], err
	}
	return part, nil
}

func ignoreEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// withoutCR makes an LF of the CRLF at the end of part. QUIRK: as in a maildir, CR CR LF stays whole: a reader makes CRLF of
// an LF that has no CR before it, and thus reads the octets that were there. prev is the octet before part.
func withoutCR(part []byte, prev byte) []byte {
	n := len(part)
	if n < 2 || part[n-1] != '\n' || part[n-2] != '\r' {
		return part
	}
	if n > 2 {
		prev = part[n-3]
	}
	if prev == '\r' {
		return part
	}
	part[n-2] = '\n'
	return part[:n-1]
}
