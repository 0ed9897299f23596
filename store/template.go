package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxName is how many octets one name in a directory may have (NAME_MAX of every file system we know).
const maxName = 255

// A Template says where the mailbox of an address is kept: a path with verbs in it.
//
//	%u  the address, its domain in lower case      ann@example.org
//	%n  its local-part                             ann
//	%d  its domain in lower case                   example.org
//	%%  a percent sign
//
// %h, the home of an account, is reserved. What an address may become in a path is decided in [Template.Expand]
// and nowhere else.
type Template struct {
	text string
	root string // the part in front of the first element with a verb
	rest []element
}

// An element is one directory name of a template, in pieces: literal text, or one of the verbs.
type element []piece

type piece struct {
	verb rune // 'u', 'n', 'd'; 0: literal
	text string
}

// ParseTemplate reads a template. It must name the local-part, or all mailboxes would be one.
func ParseTemplate(text string) (Template, error) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return Template{}, fmt.Errorf("mailbox template %q: control character or invalid UTF-8", text)
	}
	var fixed []string
	t := Template{text: text}
	for _, name := range strings.Split(filepath.Clean(text), "/") {
		e, err := parseElement(name)
		switch {
		case err != nil:
			return Template{}, fmt.Errorf("mailbox template %q: %w", text, err)
		case len(t.rest) == 0 && !e.has("und"):
			fixed = append(fixed, e.literal())
		default:
			t.rest = append(t.rest, e)
		}
	}
	if !t.has('u') && !t.has('n') {
		return Template{}, fmt.Errorf("mailbox template %q: neither %%u nor %%n in it, so all mailboxes would be one", text)
	}
	t.root = strings.Join(fixed, "/")
	switch {
	case t.root == "" && len(fixed) > 0:
		t.root = "/"
	case t.root == "":
		t.root = "."
	}
	return t, nil
}

func parseElement(name string) (element, error) {
	var e element
	for name != "" {
		lit, rest, found := strings.Cut(name, "%")
		if lit != "" {
			e = append(e, piece{text: lit})
		}
		if !found {
			break
		}
		verb, size := utf8.DecodeRuneInString(rest)
		switch {
		case rest == "":
			return nil, errors.New("a single % at the end (write %%)")
		case verb == '%':
			e = append(e, piece{text: "%"})
		case verb == 'h':
			return nil, errors.New("%h (home) is not supported yet")
		case strings.ContainsRune("und", verb):
			e = append(e, piece{verb: verb})
		default:
			return nil, fmt.Errorf("unknown verb %%%c (there are %%u, %%n, %%d and %%%%)", verb)
		}
		name = rest[size:]
	}
	return e.join(), nil
}

// join writes %n@%d as %u, so that the name of the mailbox can be read back from either.
func (e element) join() element {
	for i := 0; i+2 < len(e); i++ {
		if e[i].verb == 'n' && e[i+1].text == "@" && e[i+2].verb == 'd' {
			e[i] = piece{verb: 'u'}
			e = append(e[:i+1], e[i+3:]...)
		}
	}
	return e
}

func (e element) has(verbs string) bool {
	for _, p := range e {
		if p.verb != 0 && strings.ContainsRune(verbs, p.verb) {
			return true
		}
	}
	return false
}

func (e element) literal() string {
	var b strings.Builder
	for _, p := range e {
		b.WriteString(p.text)
	}
	return b.String()
}

func (t Template) has(verb rune) bool {
	for _, e := range t.rest {
		if e.has(string(verb)) {
			return true
		}
	}
	return false
}

// String gives the template as it was written.
func (t Template) String() string { return t.text }

// Root gives the directory that all mailboxes of the template lie in.
func (t Template) Root() string { return t.root }

// Depth says how many directories lie between Root and a mailbox, the mailbox's own counted.
func (t Template) Depth() int { return len(t.rest) }

// Expand gives the path of a mailbox, or an error wrapping ErrNoMailbox if its name may not become one: both
// parts of the address must be there, in UTF-8, without a slash, NUL or other control character and without a leading
// dot, and no name may be longer than a directory can hold.
func (t Template) Expand(mailbox string) (string, error) {
	rel, err := t.Rel(mailbox)
	if err != nil {
		return "", err
	}
	return filepath.Join(t.root, rel), nil
}

// Rel is Expand, relative to Root.
func (t Template) Rel(mailbox string) (string, error) {
	local, domain, err := cutAddress(mailbox)
	if err != nil {
		return "", fmt.Errorf("%w: %q: %w", ErrNoMailbox, mailbox, err)
	}
	var b strings.Builder
	for i, e := range t.rest {
		if i > 0 {
			b.WriteByte('/')
		}
		start := b.Len()
		e.expand(&b, local, domain)
		if b.Len()-start > maxName {
			return "", fmt.Errorf("%w: %q: longer than a file name may be", ErrNoMailbox, mailbox)
		}
	}
	return b.String(), nil
}

func (e element) expand(b *strings.Builder, local, domain string) {
	for _, p := range e {
		switch p.verb {
		case 'u':
			b.WriteString(local + "@" + domain)
		case 'n':
			b.WriteString(local)
		case 'd':
			b.WriteString(domain)
		default:
			b.WriteString(p.text)
		}
	}
}

// cutAddress divides an address at its last at-sign: a quoted local-part may hold others (RFC 5321 §4.1.2).
func cutAddress(mailbox string) (local, domain string, err error) {
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 {
		return "", "", errors.New("not an address")
	}
	local, domain = mailbox[:at], mailbox[at+1:]
	if err := errors.Join(checkPart(local), checkPart(domain)); err != nil {
		return "", "", err
	}
	return local, strings.ToLower(domain), nil
}

func checkPart(s string) error {
	switch {
	case s == "":
		return errors.New("empty part")
	case len(s) > maxName:
		return errors.New("part longer than a file name may be")
	case !utf8.ValidString(s):
		return errors.New("not UTF-8")
	case s[0] == '.':
		return errors.New("leading dot")
	case strings.ContainsRune(s, '/') || strings.ContainsFunc(s, unicode.IsControl):
		return errors.New("slash or control character")
	}
	return nil
}
