package alias

import (
	"strings"

	"lmtpd/protocol/smtp"
)

// includePrefix is what comes before the path of a list, in any case.
const includePrefix = ":include:"

// A token is a word or one of , : ; < and >; the zero token is the end.
type token struct {
	kind   byte   // 'w' for a word, or what it is
	word   string // as it is written, quotes and all
	offset int
}

// A scanner divides text into tokens (RFC 822 §3.3, with aliases(5)'s own: a word may begin with :include:).
type scanner struct {
	s   string
	i   int
	bad string // what ended it before the end
}

// next returns the next token.
func (sc *scanner) next() token {
	if !sc.skipBlanks() || sc.i == len(sc.s) {
		return token{}
	}
	start := sc.i
	if c := sc.s[start]; strings.IndexByte(",:;<>", c) >= 0 && !hasPrefixFold(sc.s[start:], includePrefix) {
		sc.i++
		return token{kind: c, offset: start}
	}
	if hasPrefixFold(sc.s[start:], includePrefix) {
		sc.i += len(includePrefix)
	}
	for sc.i < len(sc.s) && strings.IndexByte(blanks+",:;<>(", sc.s[sc.i]) < 0 {
		if !sc.step() {
			return token{}
		}
	}
	return token{kind: 'w', word: sc.s[start:sc.i], offset: start}
}

// step goes over a character of a word, or over what is in quotes or brackets.
func (sc *scanner) step() bool {
	switch sc.s[sc.i] {
	case '"':
		return sc.through('"', "quote is not closed")
	case '[':
		return sc.through(']', "bracket is not closed")
	case ')':
		sc.bad = "parenthesis was not opened"
		return false
	case '\\':
		sc.i++
		if sc.i == len(sc.s) {
			sc.bad = "backslash at the end"
			return false
		}
	}
	sc.i++
	return true
}

// through goes over everything up to and with end; a backslash takes its meaning from what follows.
func (sc *scanner) through(end byte, otherwise string) bool {
	for sc.i++; sc.i < len(sc.s); sc.i++ {
		switch sc.s[sc.i] {
		case '\\':
			sc.i++
		case end:
			sc.i++
			return true
		}
	}
	sc.i, sc.bad = len(sc.s), otherwise
	return false
}

// skipBlanks goes over blanks and comments, which nest.
func (sc *scanner) skipBlanks() bool {
	depth := 0
	for ; sc.i < len(sc.s); sc.i++ {
		switch c := sc.s[sc.i]; {
		case c == '(':
			depth++
		case depth > 0 && c == ')':
			depth--
		case depth > 0 && c == '\\':
			sc.i++
		case depth == 0 && strings.IndexByte(blanks, c) < 0:
			return true
		}
	}
	sc.i = len(sc.s)
	if depth > 0 {
		sc.bad = "comment is not closed"
		return false
	}
	return true
}

// skipItem goes to the next comma.
func (sc *scanner) skipItem() {
	for t := sc.next(); t.kind != 0; t = sc.next() {
		if t.kind == ',' {
			sc.i = t.offset
			return
		}
	}
}

func hasPrefixFold(s, prefix string) bool {
	return len(s) >= len(prefix) && smtp.EqualFold(s[:len(prefix)], prefix)
}
