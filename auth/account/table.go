package account

import (
	"strings"

	"lmtpd/auth/account/textfile"
)

// A table is the content of a file. It never changes once it is made, so any number may read it.
type table struct {
	accounts []Account
	byName   map[string]int32
}

// Len returns how many accounts there are.
func (t *table) Len() int { return len(t.accounts) }

// parseTable makes a table of a file's text. The error is of type Mistakes and holds all that is wrong, or if nothing is
// known to be, it may wrap ErrUntold.
func parseTable(file, text string) (*table, error) { return parseWith(hostID, file, text) }

func parseWith(find findID, file, text string) (*table, error) {
	lines := strings.Count(text, "\n") + 1
	t := &table{
		accounts: make([]Account, 0, lines),
		byName:   make(map[string]int32, lines),
	}
	at := make([]int32, 0, lines) // the lines of accounts
	p := lineParser{file: file, ids: ids{find: find}}
	for line := range strings.Lines(text) {
		p.line++
		line, _ = textfile.CutEnd(line)
		if !isAccount(line) {
			continue
		}
		before := len(p.bad)
		a := p.parse(line)
		if first, twice := t.byName[a.Name]; twice {
			p.wrong("%s has an account already, in line %d", a.Name, at[first])
		}
		if len(p.bad) == before {
			t.byName[a.Name] = int32(len(t.accounts))
			t.accounts = append(t.accounts, a)
			at = append(at, int32(p.line))
		}
	}
	switch {
	case p.bad != nil:
		return nil, p.bad
	case p.untold != nil:
		return nil, p.untold
	}
	return t, nil
}

// lookup finds the account of name: its own, or else, if it is an address, that of its local-part.
func (t *table) lookup(name string) (Account, bool) {
	i, ok := t.find(name)
	if !ok {
		local, isAddress := LocalPart(name)
		if !isAddress {
			return Account{}, false
		}
		if i, ok = t.find(local); !ok {
			return Account{}, false
		}
	}
	return t.accounts[i], true
}

// find folds the name on the stack: an address has at most 254 octets (RFC 5321 §4.5.3.1.3).
func (t *table) find(name string) (int32, bool) {
	if !hasCapital(name) {
		i, ok := t.byName[name]
		return i, ok
	}
	var b [256]byte
	i, ok := t.byName[string(appendFolded(b[:0], name))]
	return i, ok
}
