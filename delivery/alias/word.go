package alias

import (
	"errors"
	"fmt"
	"strings"

	"lmtpd/protocol/smtp"
)

// A word is what a name or target says once its quotes and backslashes are taken away.
type word struct {
	local, domain string
	at            bool // there is an @ that is not in quotes
	quoted        bool // the local-part, or the whole word, is in quotes
	escaped       bool // a backslash is before it
}

var errQuotes = errors.New("quotes go around the whole of a local-part")

// readWord takes the quotes and backslashes of a word away.
func readWord(s string) (w word, err error) {
	if s[0] == '\\' && len(s) > 1 {
		w.escaped, s = true, s[1:]
	}
	switch at := indexAt(s); {
	case s[0] == '"' && !w.escaped:
		w.quoted = true
		if w.local, s, err = unquote(s); err != nil {
			return w, err
		}
	case strings.IndexByte(s, '"') >= 0:
		return w, errQuotes
	case at < 0:
		w.local, s = unescape(s), ""
	default:
		w.local, s = unescape(s[:at]), s[at:]
	}
	switch {
	case !w.quoted && strings.ContainsAny(w.local, "[]"):
		return w, errors.New("brackets in a local-part")
	case s == "":
		return w, nil
	case s[0] != '@':
		return w, errQuotes
	}
	w.at, w.domain = true, s[1:]
	return w, nil
}

// indexAt returns the index of the first @ that is not behind a backslash.
func indexAt(s string) int {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '@':
			return i
		}
	}
	return -1
}

// unquote reads a quoted string at the beginning of s, which the scanner has seen the end of.
func unquote(s string) (value, rest string, err error) {
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return unescape(s[1:i]), s[i+1:], nil
		}
	}
	return "", "", errors.New("quote is not closed")
}

// unescape takes away the backslashes that are not themselves behind one.
func unescape(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) {
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// path returns the mailbox that a word is, without a domain if it has none.
func (w word) path() (smtp.Path, error) {
	switch {
	case w.at && w.domain == "":
		return smtp.Path{}, errors.New("no domain after the @")
	case w.local == "":
		return smtp.Path{}, errors.New("no local-part")
	case !w.at && strings.IndexByte(w.local, '@') >= 0:
		return smtp.Path{}, errors.New("an @ in quotes belongs to a local-part: an address has quotes around its local-part alone")
	}
	p := smtp.Path{Local: w.local, Domain: w.domain}
	whole := p
	if !w.at {
		whole.Domain = "localhost"
	}
	if back, err := smtp.ParseMailbox(whole.String(), smtp.UTF8); err != nil || back != whole {
		return smtp.Path{}, fmt.Errorf("not an address: %s", p)
	}
	return p, nil
}
