package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A sendContent is a message that may be read again.
type sendContent struct {
	store.Content
	name  string // of the file; "": none
	close func() error
}

// openContent opens what is to be sent: a file, standard input for "-", or a message that is made up for "".
func openContent(c *cli.Context, name string, m client.Message) (*sendContent, error) {
	var src io.Reader
	switch name {
	case "":
		src = bytes.NewReader(testMessage(m, systemName()))
	case "-":
		src = c.App.Reader
	default:
		f, err := openMessageFile(name)
		if err != nil {
			return nil, err
		}
		if fields := c.StringSlice("header"); len(fields) == 0 && f.regular {
			return &sendContent{Content: f, name: name, close: f.Close}, nil
		}
		defer f.Close()
		src = f
	}
	src, err := withFields(src, c.StringSlice("header"))
	if err != nil {
		return nil, err
	}
	s, err := putAside(src)
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	return &sendContent{Content: s, name: name, close: s.Close}, nil
}

// A messageFile is a file with the size that it had when it was opened.
type messageFile struct {
	*os.File
	size    int64
	regular bool
}

func (f messageFile) Size() int64 { return f.size }

func openMessageFile(name string) (messageFile, error) {
	f, err := os.Open(name)
	if err != nil {
		return messageFile{}, err
	}
	info, err := f.Stat()
	if err == nil && info.IsDir() {
		err = fmt.Errorf("read %s: it is a directory", name)
	}
	if err != nil {
		return messageFile{}, errors.Join(err, f.Close())
	}
	return messageFile{f, info.Size(), info.Mode().IsRegular()}, nil
}

// withFields puts fields before a message, and takes out those of the same name that it has.
func withFields(src io.Reader, fields []string) (io.Reader, error) {
	if len(fields) == 0 {
		return src, nil
	}
	h, rest, err := readHeader(src)
	if err != nil {
		return nil, fmt.Errorf("read the message: %w", err)
	}
	var first header
	for _, text := range fields {
		f, err := parseField(text)
		if err != nil {
			return nil, err
		}
		first, h = append(first, f), h.without(f.name)
	}
	return io.MultiReader(bytes.NewReader(append(first, h...).bytes()), rest), nil
}

// reader reads the message from its beginning.
func (s *sendContent) reader() io.Reader { return io.NewSectionReader(s, 0, s.Size()) }

// describe puts into a transaction what its content makes it need: its size on the wire, 8BITMIME if there are octets beyond
// ASCII, and SMTPUTF8 if they are in the header and the server has it (RFC 6531 §3.4). One that has not got it may still take such a
// header, as most do.
func (s *sendContent) describe(m *client.Message, offered client.Extensions) error {
	l := contentLook{inHeader: true}
	if _, err := io.Copy(&l, s.reader()); err != nil {
		return fmt.Errorf("read the message: %w", err)
	}
	l.end()
	if m.Size == 0 {
		m.Size = l.size
	}
	if l.eight {
		m.Body = smtp.Body8Bit
	}
	if l.utf8Header() && offered.Has("SMTPUTF8") {
		m.UTF8 = smtp.UTF8
	}
	return nil
}

// maxSampled is how much of the non-ASCII lines of a header is looked at.
const maxSampled = 64 << 10

// A contentLook looks at a message as it goes by.
type contentLook struct {
	size     int64 // with CRLF line ends
	eight    bool
	inHeader bool
	line     int  // octets of the line so far, without its end
	last     byte // the octet before
	sampled  []byte
}

// Write implements io.Writer.
func (l *contentLook) Write(p []byte) (int, error) {
	n := len(p)
	if !l.inHeader {
		l.body(p)
		return n, nil
	}
	for i, c := range p {
		l.octet(c)
		if !l.inHeader {
			l.body(p[i+1:])
			break
		}
	}
	return n, nil
}

// octet looks at one of the header.
func (l *contentLook) octet(c byte) {
	if l.size++; c >= 0x80 {
		l.eight = true
		if len(l.sampled) < maxSampled {
			l.sampled = append(l.sampled, c)
		}
	} else if n := len(l.sampled); n > 0 && l.sampled[n-1] >= 0x80 {
		l.sampled = append(l.sampled, ' ')
	}
	switch {
	case c == '\n':
		if l.last != '\r' {
			l.size++
		}
		l.inHeader, l.line = l.line > 0, 0
	case c != '\r':
		l.line++
	}
	l.last = c
}

// body looks at what follows the header.
func (l *contentLook) body(p []byte) {
	if len(p) == 0 {
		return
	}
	l.size += int64(len(p)) + int64(bareLF(p, l.last))
	l.eight = l.eight || !isASCII(p)
	l.last = p[len(p)-1]
}

// bareLF counts the LF without a CR before it; last is what came before p.
func bareLF(p []byte, last byte) int {
	n := bytes.Count(p, []byte("\n")) - bytes.Count(p, []byte("\r\n"))
	if p[0] == '\n' && last == '\r' {
		n--
	}
	return n
}

// end counts the line end that the last line is given if it lacks one.
func (l *contentLook) end() {
	if l.size > 0 && l.last != '\n' {
		l.size += 2
	}
}

// utf8Header says whether the header has UTF-8 that is no ASCII. Octets in another charset are no reason for SMTPUTF8.
func (l *contentLook) utf8Header() bool {
	return len(l.sampled) > 0 && len(l.sampled) < maxSampled && utf8.Valid(l.sampled)
}

// isTerminal says whether somebody sits at the other end.
func isTerminal(r any) bool {
	f, ok := r.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}
