package maildir

import (
	"maps"
	"slices"
	"sync"

	"lmtpd/store"
)

// away are the mailboxes that lie elsewhere than in the root, in homes or on paths of their own, as far as mail has come for
// them: no template leads there, so the sweep would not find them.
type away struct {
	mu    sync.Mutex
	known map[place]store.Mailbox
}

func (a *away) note(p place, mailbox store.Mailbox) {
	p.folder = ""
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.known == nil {
		a.known = map[place]store.Mailbox{}
	}
	a.known[p] = mailbox
}

func (a *away) all() []store.Mailbox {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Collect(maps.Values(a.known))
}
