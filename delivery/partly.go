package delivery

import (
	"crypto/sha256"
	"io"
	"slices"
	"sync"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// maxPartly is how many copies are remembered at least; twice as many at most.
const maxPartly = 10_000

// A partly remembers which of a recipient's mailboxes have a message that others of them could not take. The recipient
// was deferred as one, so the client sends it again for all, and those must not have it twice. It is forgotten when
// the daemon ends: then they may.
type partly struct {
	mu         sync.Mutex
	now, old   map[copyKey]struct{} // old is forgotten when now is full
	recipients map[string]int       // how many copies are remembered of each
}

// A copyKey is one message for one recipient in one folder of a mailbox.
type copyKey struct {
	content [sha256.Size]byte
	to      string
	place   place
}

func newPartly() *partly {
	return &partly{now: map[copyKey]struct{}{}, recipients: map[string]int{}}
}

// knows says whether a recipient has been deferred, so that it matters what a message's content is.
func (p *partly) knows(to smtp.Recipient) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.recipients) > 0 && p.recipients[to.To.String()] > 0
}

func (p *partly) has(k copyKey) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, now := p.now[k]
	_, old := p.old[k]
	return now || old
}

func (p *partly) add(k copyKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(k)
	if len(p.now) >= maxPartly {
		for k := range p.old {
			p.remove(k)
		}
		p.now, p.old = map[copyKey]struct{}{}, p.now
	}
	p.now[k] = struct{}{}
	p.recipients[k.to]++
}

func (p *partly) forget(k copyKey) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.remove(k)
}

// remove is forget under the lock.
func (p *partly) remove(k copyKey) {
	for _, copies := range [...]map[copyKey]struct{}{p.now, p.old} {
		if _, has := copies[k]; !has {
			continue
		}
		delete(copies, k)
		if p.recipients[k.to]--; p.recipients[k.to] == 0 {
			delete(p.recipients, k.to)
		}
	}
}

// digest is what a message's content is known by: an MTA that sends it again sends the same octets. Content that cannot
// be read is known to nobody.
func digest(c store.Content) (sum [sha256.Size]byte, ok bool) {
	h := sha256.New()
	n, err := io.Copy(h, io.NewSectionReader(c, 0, c.Size()))
	return [sha256.Size]byte(h.Sum(nil)), err == nil && n == c.Size()
}

// skip marks the targets that have the message from an earlier attempt.
func (a *Agent) skip(d *delivery, c store.Content) {
	if !slices.ContainsFunc(d.env.Recipients, a.partly.knows) {
		return
	}
	sum, ok := digest(c)
	if !ok {
		return
	}
	for i := range d.outcomes {
		o := &d.outcomes[i]
		for n := range o.targets {
			if t := &o.targets[n]; t.err == nil && !t.had {
				t.had = a.partly.has(t.key(sum, d.env.Recipients[i]))
			}
		}
	}
}

// remember keeps in mind who has the message of those recipients that are to be tried again.
func (a *Agent) remember(d *delivery, c store.Content) {
	if !d.isPartly() {
		return
	}
	sum, ok := digest(c)
	if !ok {
		return
	}
	for i := range d.outcomes {
		o := &d.outcomes[i]
		for n := range o.targets {
			switch t := &o.targets[n]; {
			case o.isPartly() && t.err == nil:
				a.partly.add(t.key(sum, d.env.Recipients[i]))
			case t.had:
				a.partly.forget(t.key(sum, d.env.Recipients[i]))
			}
		}
	}
}

func (t *target) key(sum [sha256.Size]byte, to smtp.Recipient) copyKey {
	return copyKey{sum, to.To.String(), t.place()}
}

// isPartly says that there is something to remember, or to forget.
func (d *delivery) isPartly() bool {
	for i := range d.outcomes {
		o := &d.outcomes[i]
		if o.isPartly() || slices.ContainsFunc(o.targets, func(t target) bool { return t.had }) {
			return true
		}
	}
	return false
}

// isPartly says that a recipient has the message in one of its mailboxes, and is sent it again nevertheless.
func (o *outcome) isPartly() bool {
	return o.cause != nil && replyFor(o.cause).Transient() && slices.ContainsFunc(o.targets, func(t target) bool { return t.err == nil })
}
