package alias

import (
	"errors"
	"strings"
)

// Why a target is refused.
var (
	errCommand = errors.New("lmtpd does not run commands: let the MTA hand this address to a pipe, or filter the mailbox")
	errFile    = errors.New("lmtpd does not write files: give this mail an account, whose mailbox it writes")
	errDiscard = errors.New("lmtpd does not throw mail away: let the MTA discard it")
	errComment = errors.New("a comment with # stands in a line of its own")
)

// targets reads the targets in a line from an offset on.
func (p *parser) targets(l *line, from int) (all []target) {
	sc := scanner{s: l.text, i: from}
	for {
		words, ok := p.item(l, &sc)
		for _, t := range words {
			all = append(all, p.target(l, t)...)
		}
		if !ok {
			break
		}
	}
	if sc.bad != "" {
		p.wrong(l, min(sc.i, len(l.text)-1), "%s", sc.bad)
	}
	return all
}

// item returns the words up to the next comma that are targets: all, or what is in angle brackets. more says whether
// there was a comma.
func (p *parser) item(l *line, sc *scanner) (words []token, more bool) {
	for {
		switch t := sc.next(); t.kind {
		case 'w':
			words = append(words, t)
			if strings.HasPrefix(t.word, "|") || strings.HasPrefix(t.word, "#") { // the rest is part of it
				sc.skipItem()
			}
		case '<':
			inside, end := sc.next(), sc.next()
			after := sc.next()
			if inside.kind != 'w' || end.kind != '>' || after.kind != ',' && after.kind != 0 {
				p.wrong(l, t.offset, "angle brackets go around one address, and a comma follows")
				sc.i = t.offset + 1
				sc.skipItem()
				return nil, sc.next().kind == ','
			}
			return []token{inside}, after.kind == ','
		case ',':
			return words, true
		case 0:
			return words, false
		default:
			p.wrong(l, t.offset, "%q where a target should be: groups and source routes are not supported", t.kind)
			if end := strings.IndexByte(sc.s[sc.i:], ';'); t.kind == ':' && end >= 0 {
				sc.i += end + 1
			}
			sc.skipItem()
			return nil, sc.next().kind == ','
		}
	}
}

// target returns what a word stands for, which may be all of a list.
func (p *parser) target(l *line, t token) []target {
	if hasPrefixFold(t.word, includePrefix) {
		return p.include(l, t.offset, listPath(t.word[len(includePrefix):]))
	}
	w, err := readWord(t.word)
	if err == nil && w.quoted && !w.at && hasPrefixFold(w.local, includePrefix) {
		return p.include(l, t.offset, w.local[len(includePrefix):])
	}
	if err == nil {
		err = w.refused(t.word)
	}
	if err != nil {
		p.wrong(l, t.offset, "%s: %v", t.word, err)
		return nil
	}
	path, err := w.path()
	if err != nil {
		p.wrong(l, t.offset, "%s: %v", t.word, err)
		return nil
	}
	return []target{{path: p.fold(path), written: path.Local, final: w.escaped}}
}

// refused says why a target is none of ours.
func (w word) refused(written string) error {
	switch {
	case strings.HasPrefix(written, "#"):
		return errComment
	case strings.HasPrefix(w.local, "|"):
		return errCommand
	case w.local == "/dev/null" && !w.at:
		return errDiscard
	case strings.HasPrefix(w.local, "/"), strings.HasPrefix(w.local, "~/"):
		return errFile
	}
	return nil
}
