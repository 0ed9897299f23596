package smtp

import (
	"strings"
)

// MaxCommand is the longest command line taken, its CRLF included. RFC 5321 §4.5.3.1.4 asks for 512 octets and
// the extensions for some hundreds more.
const MaxCommand = 4096

// A Command is a command line taken apart: the verb in capitals and all that follows it.
type Command struct {
	Verb string
	Arg  string
}

// ParseCommand takes a line (without its CRLF) apart. A verb is letters only and ends at a space or the end of
// the line, so "STARTTLSFOO" is not STARTTLS. Blanks at the end are dropped (RFC 5321 §4.1.1). ok is false for a
// line that cannot be a command: no verb, a control character in it, or octets that are not UTF-8.
func ParseCommand(line []byte) (c Command, ok bool) {
	for len(line) > 0 && (line[len(line)-1] == ' ' || line[len(line)-1] == '\t') {
		line = line[:len(line)-1]
	}
	if !printable(line) {
		return Command{}, false
	}
	n := 0
	for n < len(line) && isLetter(line[n]) {
		n++
	}
	if n == 0 || n < len(line) && line[n] != ' ' {
		return Command{}, false
	}
	c.Verb = verb(line[:n])
	if n < len(line) {
		c.Arg = string(line[n+1:])
	}
	return c, true
}

// verb returns the verb in capitals; the usual ones without an allocation.
func verb(b []byte) string {
	var buf [8]byte
	if len(b) > len(buf) {
		return Upper(string(b))
	}
	up := buf[:len(b)]
	for i, c := range b {
		up[i] = upper(c)
	}
	switch string(up) {
	case "MAIL":
		return "MAIL"
	case "RCPT":
		return "RCPT"
	case "DATA":
		return "DATA"
	case "BDAT":
		return "BDAT"
	case "RSET":
		return "RSET"
	}
	return string(up)
}

// CutPath takes "FROM:" or "TO:" off the argument of MAIL or RCPT, in any case. Blanks around the colon are
// let through, as everybody does, though RFC 5321 §4.1.1.2 has none.
func CutPath(arg, word string) (rest string, ok bool) {
	arg = strings.TrimLeft(arg, " ")
	if len(arg) < len(word) || !EqualFold(arg[:len(word)], word) {
		return "", false
	}
	rest, ok = strings.CutPrefix(strings.TrimLeft(arg[len(word):], " "), ":")
	return strings.TrimLeft(rest, " "), ok
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
