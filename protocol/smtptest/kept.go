package smtptest

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// keptLine returns the K line of a message.
func keptLine(m Message) Line {
	s := m.place() + " " + strconv.Quote(string(m.Content))
	if len(m.Content) > 200 {
		s = fmt.Sprintf("%s %d octets", m.place(), len(m.Content))
	}
	return Line{Kind: Kept, Text: "K: " + s, Octets: []byte(s)}
}

// CRLF returns content as a store that keeps lines tells it: every line end is CRLF, those that were LF alone too.
func CRLF(content []byte) []byte {
	content = bytes.ReplaceAll(content, []byte("\r\n"), []byte("\n"))
	return bytes.ReplaceAll(content, []byte("\n"), []byte("\r\n"))
}

// WithKept returns t with the content in its K lines as change makes it.
func (t *Transcript) WithKept(change func([]byte) []byte) *Transcript {
	c := *t
	c.Lines = make([]Line, len(t.Lines))
	for i, l := range t.Lines {
		if m, quoted := keptMessage(l); quoted {
			m.Content = change(m.Content)
			l = keptLine(m)
		}
		c.Lines[i] = l
	}
	return &c
}

// keptMessage reads a K line with the octets in it. The mailbox may hold quotes and blanks too.
func keptMessage(l Line) (m Message, quoted bool) {
	if l.Kind != Kept {
		return Message{}, false
	}
	s := string(l.Octets)
	for at := 0; ; at++ {
		n := strings.Index(s[at:], ` "`)
		if n < 0 {
			return Message{}, false
		}
		at += n
		if content, err := strconv.Unquote(s[at+1:]); err == nil {
			mailbox, folder, _ := strings.Cut(s[:at], "/")
			return Message{Mailbox: mailbox, Folder: folder, Content: []byte(content)}, true
		}
	}
}
