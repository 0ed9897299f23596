package maildir

import (
	"cmp"
	"maps"
	"slices"
	"sync"

	"lmtpd/store"
)

// maxAway is how many mailboxes are known at least; twice as many at most.
const maxAway = 50_000

// away are the mailboxes that lie elsewhere than in the root, in homes or on paths of their own, as far as mail has come for
// them: no template leads there, so the sweep would not find them. Those for which none has come for the longest time are
// forgotten, for homes come and go. Its zero value is ready.
type away struct {
	mu       sync.Mutex
	max      int                     // 0: maxAway
	now, old map[place]store.Mailbox // old is forgotten when now is full; a place may be in both
}

func (a *away) note(p place, mailbox store.Mailbox) {
	p.folder = ""
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, known := a.now[p]; !known && len(a.now) >= cmp.Or(a.max, maxAway) {
		a.now, a.old = nil, a.now
	}
	if a.now == nil {
		a.now = map[place]store.Mailbox{}
	}
	a.now[p] = mailbox
}

// all returns each once, as it was noted last.
func (a *away) all() []store.Mailbox {
	a.mu.Lock()
	defer a.mu.Unlock()
	all := slices.Collect(maps.Values(a.now))
	for p, mailbox := range a.old {
		if _, again := a.now[p]; !again {
			all = append(all, mailbox)
		}
	}
	return all
}
