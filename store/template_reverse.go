package store

import (
	"strings"
)

// Matches says whether name may be the directory at this depth (0: directly in Root).
func (t Template) Matches(depth int, name string) (ok bool) {
	_, _, ok = t.rest[depth].match(name)
	return ok
}

// Literal gives the one name that the directory at this depth can have, if it does not depend on the mailbox.
func (t Template) Literal(depth int) (name string, ok bool) {
	if e := t.rest[depth]; !e.has("und") {
		return e.literal(), true
	}
	return "", false
}

// Reversible says whether the name of a mailbox can be read from its path: the whole address is in it, no two verbs share a
// directory name, and it lies in no home, since homes are known to the accounts alone.
func (t Template) Reversible() bool {
	if t.InHome() {
		return false
	}
	for _, e := range t.rest {
		if e.verbs() > 1 {
			return false
		}
	}
	return t.has('u') || t.has('n') && t.has('d')
}

// Mailbox is Rel the other way round: the mailbox whose path this is, if there is one.
func (t Template) Mailbox(rel string) (mailbox string, ok bool) {
	names := strings.Split(rel, "/")
	if len(names) != len(t.rest) || !t.Reversible() {
		return "", false
	}
	found := map[rune]string{}
	for i, e := range t.rest {
		verb, value, ok := e.match(names[i])
		if !ok {
			return "", false
		}
		found[verb] = value
	}
	mailbox = found['u']
	if mailbox == "" {
		mailbox = found['n'] + "@" + found['d']
	}
	back, err := t.Rel(mailbox)
	return mailbox, err == nil && back == rel
}

func (e element) verbs() (n int) {
	for _, p := range e {
		if p.verb != 0 {
			n++
		}
	}
	return n
}

// match fits name to an element with at most one verb, and gives the verb's value. Of an element with more, only the
// literal text at both ends is looked at.
func (e element) match(name string) (verb rune, value string, ok bool) {
	rest := name
	for len(e) > 0 && e[0].verb == 0 {
		if rest, ok = strings.CutPrefix(rest, e[0].text); !ok {
			return 0, "", false
		}
		e = e[1:]
	}
	if len(e) == 0 {
		return 0, "", rest == ""
	}
	for len(e) > 1 && e[len(e)-1].verb == 0 {
		if rest, ok = strings.CutSuffix(rest, e[len(e)-1].text); !ok {
			return 0, "", false
		}
		e = e[:len(e)-1]
	}
	return e[0].verb, rest, checkPart(rest) == nil
}
