package dsn

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/emersion/go-message/textproto"

	"lmtpd/protocol/smtp"
)

// The lengths of a line, without its line end (RFC 5322 §2.1.1).
const (
	maxLine   = 998
	niceLine  = 78
	textWidth = 72 // of words for people
)

// A field is one of a header, or of delivery status. Its value is clean; a "\n" in it is where the line must be folded.
type field struct{ name, value string }

// header returns fields in their order.
func header(fields ...field) textproto.Header {
	var h textproto.Header
	for i := len(fields) - 1; i >= 0; i-- { // AddRaw puts before what is there
		h.AddRaw(fields[i].append(nil))
	}
	return h
}

// append appends the field with its line end. Unfolded it is what it was, unless a word alone is longer than a line may be.
func (f field) append(b []byte) []byte {
	b = append(b, f.name...)
	b = append(b, ':')
	start := len(f.name) + 1
	for line := range strings.SplitSeq(f.value, "\n") {
		if start == 0 {
			b = append(b, "\r\n"...)
		}
		b = appendFolded(b, start, " "+strings.TrimRight(line, " "))
		start = 0
	}
	return append(b, "\r\n"...)
}

// appendFolded appends s, which starts with a blank, to a line that has a number of octets.
func appendFolded(b []byte, line int, s string) []byte {
	for first := true; s != ""; first = false {
		blanks := len(s) - len(strings.TrimLeft(s, " "))
		n := len(s)
		if i := strings.IndexByte(s[blanks:], ' '); i >= 0 {
			n = blanks + i
		}
		if line+n > niceLine && !first {
			b, line = append(b, "\r\n"...), 0
		}
		for line+n > maxLine {
			cut := runeStart(s, maxLine-line)
			b = append(b, s[:cut]...)
			b = append(b, "\r\n "...)
			s, n, line = s[cut:], n-cut, 1
		}
		b, s, line = append(b, s[:n]...), s[n:], line+n
	}
	return b
}

// runeStart returns n or the number before it where no character of s is torn.
func runeStart(s string, n int) int {
	for i := n; i > n-utf8.UTFMax && i > 0; i-- {
		if utf8.RuneStart(s[i]) {
			return i
		}
	}
	return n
}

// clean returns s as it may stand in a field, or in a line of text: without control characters or line ends of any kind.
func clean(s string, enc smtp.Encoding) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\t':
			return ' '
		case r == utf8.RuneError, unicode.IsControl(r), r == '\u2028', r == '\u2029', enc == smtp.ASCII && r >= utf8.RuneSelf:
			return '?'
		}
		return r
	}, s)
}

// shorten returns s, or its start and an ellipsis if it has more than n octets.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return s[:runeStart(s, n)] + "..."
}

// word returns s as it may stand in a Message-ID.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', r == '-', r == '_':
			return r
		}
		return '-'
	}, s)
}
