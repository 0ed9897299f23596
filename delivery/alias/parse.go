package alias

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"lmtpd/auth/account/textfile"
	"lmtpd/protocol/smtp"
)

// A parser makes a table of a file's text and collects what is wrong with it.
type parser struct {
	fold  func(smtp.Path) smtp.Path
	read  func(list string) (string, error)
	table *table
	bad   textfile.Mistakes
	lists map[string][]target // those that were read, by path
	open  []string            // those being read, each named by the one before
	all   int                 // targets of all aliases
	cause error               // why nothing can be told
}

// parse makes a table. The error is of type Mistakes and holds all that is wrong, or says that a list is being
// changed.
func (p *parser) parse(file, text string) (*table, error) {
	names := strings.Count(text, "\n") + 1
	p.table = &table{fold: p.fold, aliases: make([]Alias, 0, names), byName: make(map[string]int32, names)}
	p.lists = make(map[string][]target)
	for l := range logicalLines(file, text, p.wrongIn(file)) {
		p.alias(&l)
		if p.cause != nil {
			return nil, p.cause
		}
	}
	if p.bad != nil {
		p.sort(file)
		return nil, p.bad
	}
	return p.table, nil
}

// sort puts the mistakes in the order of their lines, those of the file before those of lists.
func (p *parser) sort(file string) {
	slices.SortStableFunc(p.bad, func(a, b textfile.Mistake) int {
		if inList := (a.File != file); inList != (b.File != file) {
			if inList {
				return 1
			}
			return -1
		}
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}

// wrongIn returns what notes a mistake in a line of a file.
func (p *parser) wrongIn(file string) func(number int, what string) {
	return func(number int, what string) {
		p.bad = append(p.bad, textfile.Mistake{File: file, Line: number, What: what})
	}
}

// wrong notes a mistake at an offset of a line.
func (p *parser) wrong(l *line, offset int, format string, args ...any) {
	p.wrongIn(l.file)(l.at(offset), fmt.Sprintf(format, args...))
}

// alias reads a line of the file.
func (p *parser) alias(l *line) {
	sc := scanner{s: l.text}
	first, colon := sc.next(), sc.next()
	if first.kind != 'w' || colon.kind != ':' {
		p.wrong(l, 0, "%s", cmp.Or(sc.bad, "not an alias: name: target, target …; a name with blanks or a colon stands in quotes"))
		return
	}
	name, err := p.name(first.word)
	if err != nil {
		p.wrong(l, 0, "%s: %v", first.word, err)
	}
	before := len(p.bad)
	al := Alias{File: l.file, Line: l.number, name: name, Name: nameString(name)}
	al.targets = p.targets(l, sc.i)
	if p.all += len(al.targets); p.all > maxAll {
		p.wrong(l, 0, "more than %d targets of all aliases together", maxAll)
		p.cause = p.bad
		return
	}
	switch {
	case err != nil:
		return
	case len(p.bad) == before && len(al.targets) == 0:
		p.wrong(l, 0, "%s has no target: mail for it would be lost", al.Name)
	case len(al.targets) > maxTargets:
		p.wrong(l, 0, "%s has %d targets, more than %d", al.Name, len(al.targets), maxTargets)
	}
	p.add(l, al)
}

// add puts an alias into the table.
func (p *parser) add(l *line, al Alias) {
	k := key(al.name)
	if i, twice := p.table.byName[k]; twice {
		p.wrong(l, 0, "%s is an alias already, in line %d", al.Name, p.table.aliases[i].Line)
		return
	}
	p.table.byName[k] = int32(len(p.table.aliases))
	p.table.aliases = append(p.table.aliases, al)
}

// name reads the name of an alias.
func (p *parser) name(s string) (smtp.Path, error) {
	w, err := readWord(s)
	if err != nil {
		return smtp.Path{}, err
	}
	if w.at && w.local == "" && !w.quoted && w.domain != "" { // a catch-all
		if !smtp.IsDomain(w.domain, smtp.UTF8) && !smtp.IsAddressLiteral(w.domain) {
			return smtp.Path{}, errors.New("not a domain")
		}
		return p.fold(smtp.Path{Domain: w.domain}), nil
	}
	path, err := w.path()
	if err != nil {
		return smtp.Path{}, err
	}
	return p.fold(path), nil
}

func nameString(name smtp.Path) string {
	if name.Local == "" {
		return "@" + name.Domain
	}
	return name.String()
}
