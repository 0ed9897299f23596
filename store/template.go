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
//	%h  the home of its account, as the first element and alone in it
//	%%  a percent sign
//
// What an address may become in a path is decided in [Template.Rel] and nowhere else.
type Template struct {
	text string
	root string // the part in front of the first element with a verb; "" with %h
	rest []element
}

// An element is one directory name of a template, in pieces: literal text, or one of the verbs.
type element []piece

type piece struct {
	verb rune // 'u', 'n', 'd'; 0: literal
	text string
}

// ParseTemplate reads a template. It must name the home or the local-part, or all mailboxes would be one.
func ParseTemplate(text string) (Template, error) {
	t, err := parseTemplate(text)
	if err == nil && !t.InHome() && !t.has('u') && !t.has('n') {
		err = fmt.Errorf("mailbox template %q: neither %%u nor %%n nor %%h in it, so all mailboxes would be one", text)
	}
	if err != nil {
		return Template{}, err
	}
	return t, nil
}

// ParseShared reads a template of files that may hold many mailboxes each: it needs no verb. It knows no %h, since who has a
// home may change what is in it. With verbs in its last element it must end in other text, as .db, so that no file has the name
// of another with an addition.
func ParseShared(text string) (Template, error) {
	t, err := parseTemplate(text)
	if err != nil {
		return Template{}, err
	}
	if t.InHome() {
		return Template{}, fmt.Errorf("mailbox template %q: %%h cannot be in it: a file of mailboxes does not lie in a home", text)
	}
	if n := len(t.rest); n > 0 {
		last := t.rest[n-1]
		switch end := last[len(last)-1]; {
		case end.verb != 0:
			return Template{}, fmt.Errorf("mailbox template %q: the files need an ending, as in %s.db", text, text)
		case strings.HasSuffix(end.text, "-wal"), strings.HasSuffix(end.text, "-shm"), strings.HasSuffix(end.text, "-journal"):
			return Template{}, fmt.Errorf("mailbox template %q: that is the name of SQLite's own files", text)
		}
	}
	return t, nil
}

func parseTemplate(text string) (Template, error) {
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unicode.IsControl) {
		return Template{}, fmt.Errorf("mailbox template %q: control character or invalid UTF-8", text)
	}
	t := Template{text: text}
	names := strings.Split(filepath.Clean(text), "/")
	parse := t.parseRooted
	if names[0] == "%h" {
		names, parse = names[1:], t.parseElements
	}
	if err := parse(names); err != nil {
		return Template{}, fmt.Errorf("mailbox template %q: %w", text, err)
	}
	return t, nil
}

// parseRooted sets the root to what is in front of the first element with a verb.
func (t *Template) parseRooted(names []string) error {
	if err := t.parseElements(names); err != nil {
		return err
	}
	var fixed []string
	for len(t.rest) > 0 && !t.rest[0].has("und") {
		fixed, t.rest = append(fixed, t.rest[0].literal()), t.rest[1:]
	}
	t.root = strings.Join(fixed, "/")
	switch {
	case t.root == "" && len(fixed) > 0:
		t.root = "/"
	case t.root == "":
		t.root = "."
	}
	return nil
}

func (t *Template) parseElements(names []string) error {
	for _, name := range names {
		e, err := parseElement(name)
		if err != nil {
			return err
		}
		t.rest = append(t.rest, e)
	}
	return nil
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
			return nil, errors.New("%h (home) can only stand at the beginning, as in %h/Maildir")
		case strings.ContainsRune("und", verb):
			e = append(e, piece{verb: verb})
		default:
			return nil, fmt.Errorf("unknown verb %%%c (there are %%u, %%n, %%d, %%h and %%%%)", verb)
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

// Root gives the directory that all mailboxes of the template lie in; with %h there is none: "".
func (t Template) Root() string { return t.root }

// InHome says whether mailboxes lie in the homes of their accounts.
func (t Template) InHome() bool { return t.root == "" && t.text != "" }

// Depth says how many directories lie between Root and a mailbox, the mailbox's own counted.
func (t Template) Depth() int { return len(t.rest) }

// Rel gives the path of a mailbox, relative to Root or the home, or an error wrapping ErrNoMailbox if its name may not
// become one: both parts of the address must be there, in UTF-8, without a slash, NUL or other control character and
// without a leading dot, and no name may be longer than a directory can hold.
func (t Template) Rel(mailbox string) (string, error) {
	local, domain, err := cutAddress(mailbox)
	if err != nil {
		return "", fmt.Errorf("%w: %q: %w", ErrNoMailbox, mailbox, err)
	}
	if len(t.rest) == 0 {
		return ".", nil // the home itself
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

// Canonical gives the one spelling that all spellings of a mailbox's name have: its domain in lower case. A name that may not
// become a path may not be one in any other store either, and gives an error wrapping ErrNoMailbox.
func Canonical(mailbox string) (string, error) {
	local, domain, err := cutAddress(mailbox)
	if err != nil {
		return "", fmt.Errorf("%w: %q: %w", ErrNoMailbox, mailbox, err)
	}
	return local + "@" + domain, nil
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
