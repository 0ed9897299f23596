package smtp

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// ErrBadParameter is returned for parameters that do not follow RFC 5321 §4.1.2, or a value that does not
// follow its extension's document.
var ErrBadParameter = errors.New("malformed parameter")

// A Parameter is one esmtp-param of MAIL or RCPT: KEYWORD, or KEYWORD=value.
type Parameter struct {
	Keyword string // in capitals
	Value   string // "" for none: a value is never empty
}

// Parameters are what follows the path of MAIL or RCPT.
type Parameters []Parameter

// ParseParameters reads parameters divided by blanks. A keyword may stand only once.
func ParseParameters(s string) (Parameters, error) {
	if s != "" && s[0] != ' ' {
		return nil, ErrBadParameter
	}
	var ps Parameters
	for s = strings.TrimLeft(s, " "); s != ""; s = strings.TrimLeft(s, " ") {
		word, rest, _ := strings.Cut(s, " ")
		p, ok := parseParameter(word)
		if !ok || ps.has(p.Keyword) {
			return nil, ErrBadParameter
		}
		ps, s = append(ps, p), rest
	}
	return ps, nil
}

func parseParameter(word string) (Parameter, bool) {
	key, value, found := strings.Cut(word, "=")
	if key == "" || !isAlnum(key[0]) || found && value == "" {
		return Parameter{}, false
	}
	for i := range len(key) {
		if !isAlnum(key[i]) && key[i] != '-' {
			return Parameter{}, false
		}
	}
	return Parameter{Keyword: Upper(key), Value: value}, printable([]byte(value)) && !strings.Contains(value, "=")
}

func (ps Parameters) has(key string) bool {
	for _, p := range ps {
		if p.Keyword == key {
			return true
		}
	}
	return false
}

// ParseSize reads the value of SIZE=: up to 20 digits (RFC 1870 §4). A size no machine holds is the largest
// that an int64 can tell.
func ParseSize(v string) (int64, error) {
	if len(v) > 20 || !digits(v) {
		return 0, ErrBadParameter
	}
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return math.MaxInt64, nil
	}
	return n, nil
}

// A Body is what MAIL says about the content's octets.
type Body string

// The bodies of RFC 6152 §2 and RFC 3030 §3.
const (
	Body7Bit   Body = "7BIT"
	Body8Bit   Body = "8BITMIME"
	BodyBinary Body = "BINARYMIME"
)

// ParseBody reads the value of BODY=.
func ParseBody(v string) (Body, error) {
	switch b := Body(Upper(v)); b {
	case Body7Bit, Body8Bit, BodyBinary:
		return b, nil
	}
	return "", ErrBadParameter
}

// ParseXtext decodes xtext (RFC 3461 §4).
func ParseXtext(s string) (string, error) {
	if strings.IndexByte(s, '+') < 0 {
		return s, checkXchars(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '+':
			if i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2]) {
				return "", ErrBadParameter
			}
			n, _ := strconv.ParseUint(s[i+1:i+3], 16, 8)
			b = append(b, byte(n))
			i += 2
		case c < '!' || c > '~' || c == '=':
			return "", ErrBadParameter
		default:
			b = append(b, c)
		}
	}
	return string(b), nil
}

func checkXchars(s string) error {
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '=' || c == '+' {
			return ErrBadParameter
		}
	}
	return nil
}

// isHex says whether c is a hexadecimal digit of xtext, which has capitals only.
func isHex(c byte) bool { return '0' <= c && c <= '9' || 'A' <= c && c <= 'F' }

// AppendXtext appends s encoded as xtext (RFC 3461 §4).
func AppendXtext(b []byte, s string) []byte {
	const hex = "0123456789ABCDEF"
	for i := range len(s) {
		if c := s[i]; c < '!' || c > '~' || c == '=' || c == '+' {
			b = append(b, '+', hex[c>>4], hex[c&15])
		} else {
			b = append(b, c)
		}
	}
	return b
}

// printable says whether b is UTF-8 without control characters.
func printable(b []byte) bool {
	wide := false
	for _, c := range b {
		if c < ' ' || c == 0x7f {
			return false
		}
		wide = wide || c >= utf8.RuneSelf
	}
	return !wide || utf8.Valid(b)
}
