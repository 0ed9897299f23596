package maildir

import (
	"fmt"
	"slices"
	"testing"

	"lmtpd/store"
)

// Of many mailboxes those are known that mail has come for lately, each once, and never more than twice the limit.
func TestAwayIsBounded(t *testing.T) {
	a := away{max: 3}
	note := func(name, folder string) {
		a.note(place{mailbox: name, folder: folder}, store.Mailbox{Name: name})
	}
	for i := range 100 {
		note(fmt.Sprint("user", i), "")
		note("busy", "") // and so never forgotten
		note("busy", "Lists")
		var names []string
		for _, m := range a.all() {
			names = append(names, m.Name)
		}
		slices.Sort(names)
		if len(names) > 6 || len(slices.Compact(slices.Clone(names))) != len(names) || len(a.now)+len(a.old) > 6 {
			t.Fatalf("after %d there are %q, %d and %d", i, names, len(a.now), len(a.old))
		}
		for back := range min(i+1, 3) - 1 { // with busy these are three
			if want := fmt.Sprint("user", i-back); !slices.Contains(names, want) {
				t.Fatalf("after %d: %s is forgotten, there are %q", i, want, names)
			}
		}
		if !slices.Contains(names, "busy") {
			t.Fatalf("after %d: busy is forgotten, there are %q", i, names)
		}
	}
}

// A mailbox is known as it was noted last.
func TestAwayLatest(t *testing.T) {
	a := away{max: 1}
	p := place{mailbox: "ann"}
	a.note(p, store.Mailbox{Name: "ann", Home: "/old"})
	a.note(place{mailbox: "bob"}, store.Mailbox{Name: "bob"})
	a.note(p, store.Mailbox{Name: "ann", Home: "/new"})
	for _, m := range a.all() {
		if m.Home == "/old" {
			t.Errorf("there are %+v", a.all())
		}
	}
}
