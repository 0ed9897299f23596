package alias

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"

	"lmtpd/auth/account/textfile"
)

// maxLists is how many lists a file may name.
const maxLists = 1000

// readList reads a list that an aliases file names.
func readList(r *textfile.Reading, path string) (string, error) {
	text, err := r.Read(path)
	if err == nil && r.Mode()&0o002 != 0 {
		err = fmt.Errorf("everybody may write %s", path)
	}
	return text, err
}

// listPath returns the path that a word has after :include:, which may be in quotes.
func listPath(s string) string {
	if s != "" && s[0] == '"' {
		path, _, _ := unquote(s)
		return path
	}
	return unescape(s)
}

// include returns the targets in a list.
func (p *parser) include(l *line, offset int, path string) []target {
	if all, known := p.lists[path]; known {
		return all
	}
	switch {
	case !filepath.IsAbs(path):
		p.wrong(l, offset, "%s%s: the path of a list is absolute", includePrefix, path)
		return nil
	case slices.Contains(p.open, path):
		p.wrong(l, offset, "%s%s: the list includes itself", includePrefix, path)
		return nil
	case len(p.lists) == maxLists:
		p.wrong(l, offset, "%s%s: more than %d lists", includePrefix, path, maxLists)
		return nil
	case len(p.open) == maxLevels:
		p.wrong(l, offset, "%s%s: lists are nested more than %d levels deep", includePrefix, path, maxLevels)
		return nil
	}
	text, err := p.read(path)
	if errors.Is(err, textfile.ErrChanging) {
		p.cause = err
		return nil
	}
	if err != nil {
		p.wrong(l, offset, "%s%s: %v", includePrefix, path, err)
		p.lists[path] = nil
		return nil
	}
	p.open = append(p.open, path)
	all := p.list(path, text)
	p.open = p.open[:len(p.open)-1]
	p.lists[path] = all
	return all
}

// list reads a list's text. Its lines do not continue one another.
func (p *parser) list(path, text string) (all []target) {
	for l := range physicalLines(path, text, p.wrongIn(path)) {
		all = append(all, p.targets(&l, 0)...)
		if len(all) > maxTargets {
			p.wrong(&l, 0, "more than %d targets in a list", maxTargets)
			return nil
		}
	}
	return all
}
