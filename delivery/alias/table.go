package alias

import (
	"lmtpd/protocol/smtp"
)

// A table is the content of a file. It never changes once it is made.
type table struct {
	fold    func(smtp.Path) smtp.Path
	aliases []Alias
	byName  map[string]int32 // by local-part "@" domain, either of which may be missing: no domain has an @
}

// Len returns how many aliases there are.
func (t *table) Len() int { return len(t.aliases) }

// key is the name by which an alias is kept.
func key(name smtp.Path) string { return name.Local + "@" + name.Domain }

// get finds an alias by the parts of its name, without making a string of them.
func (t *table) get(local, detail, domain string) *Alias {
	var b [256]byte
	k := append(b[:0], local...)
	k = append(k, detail...)
	k = append(k, '@')
	k = append(k, domain...)
	if i, ok := t.byName[string(k)]; ok {
		return &t.aliases[i]
	}
	return nil
}

// find finds the alias of an address, as virtual(5) has it: what is more exact comes first. unmatched is the detail
// that its name does not have.
func (t *table) find(a Address) (al *Alias, unmatched string) {
	detail := t.fold(smtp.Path{Local: a.Detail}).Local
	for _, domain := range [...]string{a.Domain, ""} {
		if al = t.get(a.Local, detail, domain); al != nil {
			return al, ""
		}
		if a.Detail == "" {
			continue
		}
		if al = t.get(a.Local, "", domain); al != nil {
			return al, a.Detail
		}
	}
	return nil, ""
}
