package main

import (
	"errors"
	"fmt"
	"strings"

	"lmtpd/protocol/smtp"
)

// errAddress says that a list of addresses cannot be read.
var errAddress = errors.New("malformed address")

// An addressReader reads what people write into To: mailboxes with names and comments, groups, and local names without a domain
// (RFC 5322 §3.4 and the obsolete forms of §4.4). What cannot be told is an error and never a guess.
type addressReader struct {
	rest  string
	found []string

	text  strings.Builder // what stands outside angle brackets: an address, or words that go with one
	words int
	gap   bool // a blank, or a comment, was the last thing
	angle *string
}

// readAddresses returns the addresses of a list, as they would be written bare.
func readAddresses(list string) ([]string, error) {
	r := &addressReader{rest: list}
	for r.rest != "" {
		if err := r.token(); err != nil {
			return nil, fmt.Errorf("%w in %.200q", err, list)
		}
	}
	if err := r.end(); err != nil {
		return nil, fmt.Errorf("%w in %.200q", err, list)
	}
	return r.found, nil
}

// token reads one thing.
func (r *addressReader) token() (err error) {
	c := r.rest[0]
	switch c {
	case ' ', '\t', '\r', '\n':
		r.gap, r.rest = true, r.rest[1:]
	case '(':
		r.gap = true
		r.rest, err = skipComment(r.rest)
	case '<':
		err = r.bracket()
	case ',', ';':
		r.rest = r.rest[1:]
		err = r.end()
	case ':': // what came before was the name of a group
		if r.angle != nil {
			return errAddress
		}
		r.forget()
		r.rest = r.rest[1:]
	case '>':
		return errAddress
	default:
		return r.word(enclosed(r.rest))
	}
	return err
}

// word takes what stands outside angle brackets. Blanks divide words, but not around the dots and the at sign of an address.
func (r *addressReader) word(s string) error {
	if s == "" || r.angle != nil {
		return errAddress
	}
	last := r.text.String()
	if last == "" || r.gap && !strings.HasSuffix(last, "@") && !strings.HasSuffix(last, ".") && s[0] != '@' && s[0] != '.' {
		r.words++
	}
	r.text.WriteString(s)
	r.gap, r.rest = false, r.rest[len(s):]
	return nil
}

// enclosed returns the first character of s, or all of a quoted string or a domain literal; "" if that has no end.
func enclosed(s string) string {
	end := byte(0)
	switch s[0] {
	case '"':
		end = '"'
	case '[':
		end = ']'
	case '\\':
		return s[:min(2, len(s))]
	default:
		return s[:1]
	}
	for i := 1; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case end:
			return s[:i+1]
		}
	}
	return ""
}

// skipComment returns what follows a comment, which may have others in it.
func skipComment(s string) (string, error) {
	depth := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return s[i+1:], nil
			}
		}
	}
	return "", errAddress
}

// bracket reads an address in angle brackets. A source route is dropped (RFC 5321 App. C).
func (r *addressReader) bracket() (err error) {
	if r.angle != nil {
		return errAddress
	}
	var b strings.Builder
	for s := r.rest[1:]; s != ""; {
		switch c := s[0]; c {
		case '>':
			address := b.String()
			r.angle, r.rest = &address, s[1:]
			return nil
		case ' ', '\t', '\r', '\n':
			s = s[1:]
		case '(':
			if s, err = skipComment(s); err != nil {
				return err
			}
		case ':':
			if !strings.HasPrefix(b.String(), "@") {
				return errAddress
			}
			b.Reset()
			s = s[1:]
		case '<':
			return errAddress
		default:
			e := enclosed(s)
			if e == "" {
				return errAddress
			}
			b.WriteString(e)
			s = s[len(e):]
		}
	}
	return errAddress
}

// end ends a mailbox. Nothing at all is none: there are lists with a comma too many.
func (r *addressReader) end() error {
	text, words, angle := r.text.String(), r.words, r.angle
	r.forget()
	switch {
	case angle != nil:
		text = *angle
	case words > 1:
		return errAddress
	}
	if text != "" {
		r.found = append(r.found, text)
	}
	return nil
}

func (r *addressReader) forget() {
	r.text.Reset()
	r.words, r.gap, r.angle = 0, false, nil
}

// mailboxOf reads one address; without a domain it is at host.
func mailboxOf(address, host string) (smtp.Path, error) {
	if !hasDomain(address) {
		address += "@" + host
	}
	path, err := smtp.ParseMailbox(address, smtp.UTF8)
	if err != nil {
		return path, fmt.Errorf("%w %q", errAddress, address)
	}
	return path, nil
}

// hasDomain says whether there is an at sign outside quotes.
func hasDomain(address string) bool {
	for address != "" {
		if address[0] == '@' {
			return true
		}
		address = address[max(1, len(enclosed(address))):]
	}
	return false
}

// mailboxesOf reads a list.
func mailboxesOf(list, host string) (paths []smtp.Path, err error) {
	all, err := readAddresses(list)
	if err != nil {
		return nil, err
	}
	for _, address := range all {
		path, err := mailboxOf(address, host)
		if err != nil {
			return nil, err
		}
		paths = append(paths, path)
	}
	return paths, nil
}
