package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"lmtpd/protocol/smtp"
)

// maxHeader bounds a header that somebody looks into.
const maxHeader = 2 << 20

var errHeaderTooLong = errors.New("header too long")

// A headerField is one field of a header, as it was written.
type headerField struct {
	name string // in lower case
	text string // with its name, its lines and their ends as they are
}

// value is what follows the colon, in one line.
func (f headerField) value() string {
	_, value, _ := strings.Cut(f.text, ":")
	return strings.TrimSpace(strings.NewReplacer("\r\n", "", "\n", "").Replace(value))
}

// A header is the fields of a message, in order.
type header []headerField

// readHeader reads the header of a text with LF or CRLF line ends. rest is what follows the blank line; where a line comes that is
// of no header, the body begins with it.
func readHeader(src io.Reader) (h header, rest io.Reader, err error) {
	in := bufio.NewReaderSize(src, 64<<10)
	size := 0
	for {
		line, err := readHeaderLine(in, maxHeader-size)
		if err != nil {
			return nil, nil, err
		}
		size += len(line)
		switch name, _, field := bytes.Cut(line, []byte(":")); {
		case len(bytes.TrimRight(line, "\r\n")) == 0:
			return h, in, nil
		case len(h) == 0 && size == len(line) && isMailboxLine(line):
		case len(h) > 0 && (line[0] == ' ' || line[0] == '\t'):
			h[len(h)-1].text += string(line)
		case field && isFieldName(name):
			h = append(h, headerField{strings.ToLower(string(bytes.TrimRight(name, " \t"))), string(line)})
		default:
			return h, io.MultiReader(bytes.NewReader(line), in), nil
		}
	}
}

// readHeaderLine returns a line with its end, of at most so many octets; "" at the end of the text.
func readHeaderLine(in *bufio.Reader, most int) ([]byte, error) {
	var line []byte
	for {
		part, err := in.ReadSlice('\n')
		line = append(line, part...)
		switch {
		case len(line) > most:
			return nil, errHeaderTooLong
		case err == nil, err == io.EOF:
			return line, nil
		case err != bufio.ErrBufferFull:
			return nil, err
		}
	}
}

// isFieldName says whether s is the name of a field (RFC 5322 §2.2), perhaps with the blanks of §4.5.
func isFieldName(s []byte) bool {
	s = bytes.TrimRight(s, " \t")
	return len(s) > 0 && !bytes.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r > '~' })
}

// has says whether there is a field of one of these names.
func (h header) has(names ...string) bool {
	return slices.ContainsFunc(h, func(f headerField) bool { return slices.Contains(names, f.name) })
}

// without returns the fields of other names.
func (h header) without(names ...string) header {
	return slices.DeleteFunc(slices.Clone(h), func(f headerField) bool { return slices.Contains(names, f.name) })
}

// recipients are whom a header is addressed to. If it was sent again, that is whom it was then (RFC 5322 §3.6.6).
func (h header) recipients(host string) (to []smtp.Path, err error) {
	names := []string{"to", "cc", "bcc"}
	if resent := []string{"resent-to", "resent-cc", "resent-bcc"}; h.has(resent...) {
		names = resent
	}
	for _, f := range h {
		if !slices.Contains(names, f.name) {
			continue
		}
		paths, err := mailboxesOf(f.value(), host)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		to = append(to, paths...)
	}
	return to, nil
}

// bytes is the header with the blank line behind it.
func (h header) bytes() []byte {
	var b bytes.Buffer
	for _, f := range h {
		b.WriteString(f.text)
		if !strings.HasSuffix(f.text, "\n") { // the text ended there
			b.WriteString("\r\n")
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}
