package alias

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"lmtpd/protocol/smtp"
)

// maxLevels is how deep aliases may be nested, as with Postfix.
const maxLevels = 100

// What is wrong with aliases that are expanded. It is for the admin to mend, so mail waits meanwhile: the client is to
// hear a transient reply (RFC 5321 §4.2.1).
var (
	ErrLoop    = errors.New("aliases lead in a circle")
	ErrTooMany = errors.New("alias stands for too many targets")
)

// A Domain is what an expansion has to know about one of our domains.
type Domain struct {
	Aliases    *File  // nil: none
	Delimiters string // each of these octets may set a detail apart
}

// Domains says what there is to know about a domain, which is folded, and whether it is one of ours.
//
// Aliases are looked up as in virtual(5), first local+detail@domain, then local@domain, local+detail and local, and
// nested. A detail that the name of the alias does not have goes on to those targets that have none of their own. The
// target that leads to the alias it stands in is the mailbox of that name, as is \name. In other domains than ours
// nothing is looked up.
//
// QUIRK: Postfix appends the detail to targets that have one too, and cyd+Team becomes cyd+Team+X. Whoever writes a folder
// into an alias means that folder.
type Domains func(name string) (d Domain, ours bool)

// A Target is one of the mailboxes that an address stands for.
type Target struct {
	Address Address
	Remote  bool     // it is not in a domain of ours
	Final   bool     // it is a mailbox or nothing: no other alias stands in for it, nor a catch-all
	Chain   []*Alias // the aliases that led to it, the first one first
}

// Expand returns the mailboxes that an address stands for, each once and in the order of the file, or none if no alias
// has its name.
func (ds Domains) Expand(a Address) ([]Target, error) {
	d, _ := ds(a.Domain)
	if d.Aliases == nil {
		return nil, nil
	}
	// That the file may say something else by now does not matter yet: who has a mailbox has one, and for others there is
	// CatchAll.
	t, _ := d.Aliases.content()
	al, unmatched := t.find(a)
	if al == nil {
		return nil, nil
	}
	return newWalk(ds, d.Aliases, t).run(a, al, unmatched)
}

// CatchAll returns the mailboxes that an address stands for that has no account: by an alias that has come meanwhile,
// or by that of its domain, to whose targets no detail goes on. None are a fact. As long as the file is not what was taken
// of it, a name that was not there may have an alias by now, so that neither is there none nor is its mail for the
// catch-all: that is an error.
func (ds Domains) CatchAll(a Address) ([]Target, error) {
	d, _ := ds(a.Domain)
	if d.Aliases == nil {
		return nil, nil
	}
	t, doubt := d.Aliases.content()
	al, unmatched := t.find(a)
	switch {
	case al != nil:
		return newWalk(ds, d.Aliases, t).run(a, al, unmatched)
	case doubt != nil:
		return nil, unsure(doubt)
	}
	if al = t.get("", "", a.Domain); al == nil {
		return nil, nil
	}
	return newWalk(ds, d.Aliases, t).run(a, al, "")
}

// A walk is one expansion. Each file is to it what it was at first: an alias that is read again is not the same.
type walk struct {
	domains  Domains
	tables   map[*File]*table
	at       []Address // those being expanded, each a target of the one before
	chain    []*Alias  // their aliases
	expanded map[Address]struct{}
	kept     map[Address]struct{} // the addresses of targets
	targets  []Target
}

// newWalk returns a walk that begins in a file.
func newWalk(ds Domains, f *File, t *table) *walk {
	return &walk{
		domains:  ds,
		tables:   map[*File]*table{f: t},
		expanded: make(map[Address]struct{}),
		kept:     make(map[Address]struct{}),
	}
}

func (w *walk) run(a Address, al *Alias, unmatched string) ([]Target, error) {
	if err := w.expand(a, al, unmatched); err != nil {
		return nil, fmt.Errorf("expand %s: %w", a, err)
	}
	return w.targets, nil
}

// find finds the alias of an address of ours.
func (w *walk) find(a Address) (al *Alias, unmatched string) {
	d, _ := w.domains(a.Domain)
	if d.Aliases == nil {
		return nil, ""
	}
	t, known := w.tables[d.Aliases]
	if !known {
		t, _ = d.Aliases.content()
		w.tables[d.Aliases] = t
	}
	return t.find(a)
}

// expand goes through the targets of an alias. After an error, at and chain tell where that was.
func (w *walk) expand(a Address, al *Alias, unmatched string) error {
	w.at, w.chain = append(w.at, a), append(w.chain, al)
	w.expanded[a] = struct{}{}
	switch {
	case len(w.at) > maxLevels:
		return fmt.Errorf("more than %d levels: %w", maxLevels, ErrLoop)
	case len(w.expanded) > maxTargets:
		return fmt.Errorf("%w: more than %d aliases", ErrTooMany, maxTargets)
	}
	for _, t := range al.targets {
		if err := w.follow(t, unmatched); err != nil {
			return err
		}
	}
	w.at, w.chain = w.at[:len(w.at)-1], w.chain[:len(w.chain)-1]
	return nil
}

// follow keeps a target, or expands it.
func (w *walk) follow(t target, unmatched string) error {
	to, ours := w.address(t)
	if to.Detail == "" {
		to.Detail = unmatched
	}
	if !ours || t.final {
		return w.keep(Target{Address: to, Remote: !ours, Final: ours})
	}
	al, rest := w.find(to)
	if own := al != nil && al == w.chain[len(w.chain)-1]; own || al == nil {
		return w.keep(Target{Address: to, Final: own})
	}
	if slices.Contains(w.at, to) {
		return fmt.Errorf("%w: %s", ErrLoop, w.circle(to))
	}
	if _, done := w.expanded[to]; done {
		return nil
	}
	return w.expand(to, al, rest)
}

// address returns the address of a target, which may have its domain and delimiters from the one that is expanded.
func (w *walk) address(t target) (a Address, ours bool) {
	p, domain := t.path, w.at[len(w.at)-1].Domain
	d, ours := w.domains(domain)
	if p.Domain == "" {
		p.Domain = domain
	} else if other, known := w.domains(p.Domain); known {
		d, ours = other, true
	} else {
		ours = false
	}
	if !ours { // what case means is for others to say (RFC 5321 §2.4)
		return Split(smtp.Path{Local: t.written, Domain: p.Domain}, d.Delimiters), false
	}
	a = Split(p, d.Delimiters)
	a.Detail = Split(smtp.Path{Local: t.written}, d.Delimiters).Detail
	return a, true
}

// keep takes a target that is not expanded any further.
func (w *walk) keep(t Target) error {
	if _, twice := w.kept[t.Address]; twice {
		return nil
	}
	if len(w.targets) == maxTargets {
		return fmt.Errorf("%w: more than %d", ErrTooMany, maxTargets)
	}
	w.kept[t.Address] = struct{}{}
	t.Chain = slices.Clone(w.chain)
	w.targets = append(w.targets, t)
	return nil
}

// circle tells of the addresses that lead from one back to it.
func (w *walk) circle(back Address) string {
	var s strings.Builder
	for _, a := range w.at[slices.Index(w.at, back):] {
		s.WriteString(a.String() + " > ")
	}
	return s.String() + back.String()
}
