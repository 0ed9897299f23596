package smtp

import (
	"errors"
	"net/netip"
	"strings"
	"unicode/utf8"
)

// MaxPath bounds a path. RFC 5321 §4.5.3.1.3 asks for 256 octets at least; it must fit a line of Return-Path
// (RFC 5322 §2.1.1).
//
// QUIRK: the 64 octets of a local-part (RFC 5321 §4.5.3.1.1) are no limit here, because reverse-paths made by
// VERP and SRS are longer and their mail must not bounce.
const MaxPath = 900

// Errors of ParsePath.
var (
	ErrBadPath     = errors.New("malformed path")
	ErrPathTooLong = errors.New("path too long")
	ErrNonASCII    = errors.New("non-ASCII address without SMTPUTF8")
)

// A Path is a reverse-path or a forward-path, that is, a mailbox (RFC 5321 §4.1.2). The zero Path is the null
// reverse-path. Local is without quotes and backslashes; Domain is as it came. A Path with a local-part alone
// is only ever "postmaster" (RFC 5321 §4.5.1).
type Path struct {
	Local  string
	Domain string
}

// IsNull says whether p is the null reverse-path.
func (p Path) IsNull() bool { return p.Local == "" && p.Domain == "" }

// IsPostmaster says whether p is the reserved mailbox, with or without a domain, whatever its case.
func (p Path) IsPostmaster() bool { return EqualFold(p.Local, "postmaster") }

// String returns the mailbox without angle brackets, its local-part quoted if it must be; "" for the null path.
func (p Path) String() string {
	local := p.Local
	if !isDotString(local) && !p.IsNull() {
		local = quote(local)
	}
	if p.Domain == "" {
		return local
	}
	return local + "@" + p.Domain
}

// ASCII says whether p can be written without SMTPUTF8.
func (p Path) ASCII() bool { return isASCII(p.Local) && isASCII(p.Domain) }

// ParsePath reads a path in angle brackets at the start of s and returns what follows it. A source route is
// skipped (RFC 5321 §4.1.1.3); "<>" is the null path. enc says whether SMTPUTF8 is in force.
func ParsePath(s string, enc Encoding) (p Path, rest string, err error) {
	if !strings.HasPrefix(s, "<") {
		return Path{}, s, ErrBadPath
	}
	if strings.HasPrefix(s, "<>") {
		return Path{}, s[2:], nil
	}
	sc := scanner{s: s, i: 1, enc: enc}
	if sc.peek() == '@' && !sc.sourceRoute() {
		return Path{}, s, sc.fail()
	}
	if p, err = sc.mailbox('>'); err != nil {
		return Path{}, s, err
	}
	if !sc.skip('>') {
		return Path{}, s, ErrBadPath
	}
	if sc.i > MaxPath {
		return Path{}, s, ErrPathTooLong
	}
	return p, s[sc.i:], nil
}

// ParseMailbox reads a bare mailbox, without angle brackets, that is the whole of s.
func ParseMailbox(s string, enc Encoding) (Path, error) {
	if len(s) > MaxPath {
		return Path{}, ErrPathTooLong
	}
	sc := scanner{s: s, enc: enc}
	p, err := sc.mailbox(0)
	if err != nil {
		return Path{}, err
	}
	if sc.i != len(s) {
		return Path{}, ErrBadPath
	}
	return p, nil
}

// Encoding says which octets an address may hold.
type Encoding int

// The encodings: ASCII, and UTF-8 where SMTPUTF8 was asked for (RFC 6531 §3.3).
const (
	ASCII Encoding = iota
	UTF8
)

// A scanner reads the ABNF of RFC 5321 §4.1.2, one method a rule.
type scanner struct {
	s        string
	i        int
	enc      Encoding
	nonASCII bool // an octet was refused only for want of SMTPUTF8
}

func (sc *scanner) peek() byte {
	if sc.i < len(sc.s) {
		return sc.s[sc.i]
	}
	return 0
}

func (sc *scanner) skip(c byte) bool {
	if sc.i < len(sc.s) && sc.s[sc.i] == c {
		sc.i++
		return true
	}
	return false
}

func (sc *scanner) fail() error {
	if sc.nonASCII {
		return ErrNonASCII
	}
	return ErrBadPath
}

// sourceRoute = A-d-l ":"
func (sc *scanner) sourceRoute() bool {
	for sc.skip('@') {
		if sc.domain() == "" {
			return false
		}
		if sc.skip(':') {
			return true
		}
		if !sc.skip(',') {
			return false
		}
	}
	return false
}

// mailbox = Local-part "@" ( Domain / address-literal ), or postmaster alone, up to the octet end.
func (sc *scanner) mailbox(end byte) (Path, error) {
	local, ok := sc.localPart()
	if !ok {
		return Path{}, sc.fail()
	}
	if sc.peek() == end && EqualFold(local, "postmaster") {
		return Path{Local: local}, nil
	}
	if !sc.skip('@') {
		return Path{}, sc.fail()
	}
	domain := ""
	if sc.peek() == '[' {
		domain = sc.addressLiteral()
	} else {
		domain = sc.domain()
	}
	if domain == "" || len(domain) > 255 {
		return Path{}, sc.fail()
	}
	return Path{Local: local, Domain: domain}, nil
}

func (sc *scanner) localPart() (string, bool) {
	if sc.peek() == '"' {
		return sc.quotedString()
	}
	start := sc.i
	for sc.i < len(sc.s) && (sc.s[sc.i] == '.' || sc.atext()) {
		sc.i++
	}
	local := sc.s[start:sc.i]
	return local, isDotString(local) && (isASCII(local) || utf8.ValidString(local))
}

// atext says whether the octet at hand belongs to an atom (RFC 5322 §3.2.3, RFC 6531 §3.3).
func (sc *scanner) atext() bool {
	c := sc.s[sc.i]
	if c >= utf8.RuneSelf {
		sc.nonASCII = sc.nonASCII || sc.enc == ASCII
		return sc.enc == UTF8
	}
	return isAtext(c)
}

// quotedString = DQUOTE *QcontentSMTP DQUOTE; the value is returned.
func (sc *scanner) quotedString() (string, bool) {
	sc.i++
	var v []byte
	for sc.i < len(sc.s) {
		c := sc.s[sc.i]
		sc.i++
		switch {
		case c == '"':
			return string(v), utf8.Valid(v)
		case c == '\\':
			if c = sc.peek(); c < ' ' || c > '~' {
				return "", false
			}
			sc.i++
		case c >= utf8.RuneSelf && sc.enc == ASCII:
			sc.nonASCII = true
			return "", false
		case c < ' ' || c == 0x7f:
			return "", false
		}
		v = append(v, c)
	}
	return "", false
}

// domain = sub-domain *("." sub-domain). Underscores are let through: they occur, and do no harm.
func (sc *scanner) domain() string {
	start := sc.i
	for sc.i < len(sc.s) {
		c := sc.s[sc.i]
		if c >= utf8.RuneSelf {
			if sc.enc == ASCII {
				sc.nonASCII = true
				return ""
			}
		} else if !isAlnum(c) && c != '-' && c != '.' && c != '_' {
			break
		}
		sc.i++
	}
	d := sc.s[start:sc.i]
	if !validDomain(d) {
		return ""
	}
	return d
}

func validDomain(d string) bool {
	if d == "" || !utf8.ValidString(d) {
		return false
	}
	for label := range strings.SplitSeq(d, ".") {
		if label == "" || len(label) > 63 && isASCII(label) || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
	}
	return true
}

// addressLiteral = "[" ( IPv4 / "IPv6:" IPv6 / tag ":" 1*dcontent ) "]" (RFC 5321 §4.1.3).
func (sc *scanner) addressLiteral() string {
	n := strings.IndexByte(sc.s[sc.i:], ']')
	if n < 0 {
		return ""
	}
	lit := sc.s[sc.i : sc.i+n+1]
	if !IsAddressLiteral(lit) {
		return ""
	}
	sc.i += n + 1
	return lit
}

// IsAddressLiteral says whether s is an address literal in brackets (RFC 5321 §4.1.3).
func IsAddressLiteral(s string) bool {
	if len(s) < 3 || s[0] != '[' || s[len(s)-1] != ']' {
		return false
	}
	s = s[1 : len(s)-1]
	if len(s) > 5 && EqualFold(s[:5], "IPv6:") {
		a, err := netip.ParseAddr(s[5:])
		return err == nil && a.Is6() && a.Zone() == ""
	}
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is4()
}

// IsDomain says whether s is a domain as a hello may carry it (RFC 5321 §4.1.1.1).
func IsDomain(s string, enc Encoding) bool {
	sc := scanner{s: s, enc: enc}
	return sc.domain() == s && s != "" && len(s) <= 255
}

func isAtext(c byte) bool {
	return isAlnum(c) || strings.IndexByte("!#$%&'*+-/=?^_`{|}~", c) >= 0
}

func isAlnum(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
}

// isDotString says whether s needs no quotes: atoms divided by single dots.
func isDotString(s string) bool {
	if s == "" || s[0] == '.' || s[len(s)-1] == '.' {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case c == '.':
			if s[i-1] == '.' {
				return false
			}
		case c < utf8.RuneSelf && !isAtext(c):
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

func quote(s string) string {
	b := make([]byte, 0, len(s)+2)
	b = append(b, '"')
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(b, '\\')
		}
		b = append(b, s[i])
	}
	return string(append(b, '"'))
}
