package alias

import (
	"slices"

	"lmtpd/auth/account/textfile"
	"lmtpd/protocol/smtp"
)

// Check returns what is wrong with a file that is for these domains, which are folded, though each of its lines is
// good: names that nothing asks for, aliases that lead in a circle and those that stand for too many targets.
func (ds Domains) Check(f *File, domains []string) textfile.Mistakes {
	t, _ := f.content()
	var bad textfile.Mistakes
	told := make(map[*Alias]bool)
	for i := range t.aliases {
		al := &t.aliases[i]
		if d := al.name.Domain; d != "" && !slices.Contains(domains, d) {
			bad = append(bad, al.mistake("nothing asks for "+al.Name+": "+d+" is not a domain that these aliases are for"))
			continue
		}
		for _, d := range domains {
			if al.name.Domain != "" && al.name.Domain != d {
				continue
			}
			if err := newWalk(ds, f, t).try(al, d, told); err != nil {
				bad = append(bad, al.mistake(err.Error()))
				break
			}
		}
	}
	return bad
}

// Elsewhere returns the aliases of a file that is for these domains that stand for an address in none of ours, alone or among
// others.
func (ds Domains) Elsewhere(f *File, domains []string) (found []*Alias) {
	t, _ := f.content()
	for i := range t.aliases {
		al := &t.aliases[i]
		if slices.ContainsFunc(domains, func(d string) bool {
			w := newWalk(ds, f, t)
			return (al.name.Domain == "" || al.name.Domain == d) && w.try(al, d, map[*Alias]bool{}) == nil &&
				slices.ContainsFunc(w.targets, func(t Target) bool { return t.Remote })
		}) {
			found = append(found, al)
		}
	}
	return found
}

// try expands an alias in a domain. What is wrong with aliases that were told of is not told again.
func (w *walk) try(al *Alias, domain string, told map[*Alias]bool) error {
	d, _ := w.domains(domain)
	err := w.expand(Split(smtp.Path{Local: al.name.Local, Domain: domain}, d.Delimiters), al, "")
	if err == nil || slices.ContainsFunc(w.chain, func(al *Alias) bool { return told[al] }) {
		return nil
	}
	for _, al := range w.chain {
		told[al] = true
	}
	return err
}

func (al *Alias) mistake(what string) textfile.Mistake {
	return textfile.Mistake{File: al.File, Line: al.Line, What: what}
}
