package delivery

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A ledger keeps what messages under way have reserved of quotas, so that all of them together cannot overshoot one that
// each alone would fit. What is in a mailbox already, its store counts.
type ledger struct {
	mu       sync.Mutex
	reserved map[box]store.Usage
	held     map[*smtp.Envelope]map[place]store.Usage
	targets  map[*smtp.Envelope]int // of aliases among its recipients
}

// maxTargets is how many mailboxes the aliases of one message may stand for, all recipients together: a list of a thousand
// that is named a thousand times, with a detail each, would be a million copies. The client sends the rest in another
// transaction. What one alias may stand for has its own limit, a tenth of this.
const maxTargets = 10_000

// A hold is what one copy of a message has reserved.
type hold struct {
	env   *smtp.Envelope
	place place
	usage store.Usage
}

func newLedger() *ledger {
	return &ledger{
		reserved: map[box]store.Usage{},
		held:     map[*smtp.Envelope]map[place]store.Usage{},
		targets:  map[*smtp.Envelope]int{},
	}
}

// admits says whether a message may go to so many more mailboxes, those of one recipient.
func (l *ledger) admits(env *smtp.Envelope, targets int) bool {
	if targets == 1 { // of which there are no more than recipients
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.targets[env]+targets > maxTargets {
		return false
	}
	l.targets[env] += targets
	return true
}

// What a quota says no to.
var (
	// errRefuse makes a quota a reason to return a message.
	errRefuse = errors.New("refused")
	// errInFlight says that there would be room but for messages under way, which may yet come to nothing.
	errInFlight = errors.New("with what is being delivered")
)

// reserve holds room for a message of that size, if there is room. Another recipient's hold for the same copy, or one of
// RCPT, will do if it is as much.
func (l *ledger) reserve(ctx context.Context, env *smtp.Envelope, t *target, size int64) error {
	h := hold{env, t.place(), store.Usage{Messages: 1, Octets: size}}
	before, enough := l.add(h)
	if enough {
		return nil
	}
	own := h.usage
	if t.block.Grace == OneMessage {
		own.Octets = min(own.Octets, 1)
	}
	with := store.Usage{Messages: before.Messages + own.Messages, Octets: before.Octets + own.Octets}
	err := t.block.Store.Check(ctx, t.mailbox, with)
	switch {
	case err == nil:
		return nil
	case !errors.Is(err, store.ErrOverQuota):
	case with != own && t.block.Store.Check(ctx, t.mailbox, own) == nil:
		err = fmt.Errorf("%w %w", err, errInFlight)
	case t.block.OverQuota == Refuse:
		err = fmt.Errorf("%w: %w", errRefuse, err)
	}
	l.drop(h)
	return err
}

// add notes a hold and says what the others have reserved in its mailbox. If there is one for the same copy already, that
// is enough or goes.
func (l *ledger) add(h hold) (before store.Usage, enough bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held[h.env]
	if held == nil {
		held = map[place]store.Usage{}
		l.held[h.env] = held
	}
	if u, has := held[h.place]; has {
		if u.Octets >= h.usage.Octets {
			return before, true
		}
		l.change(h.place.box, u, -1)
	}
	before = l.reserved[h.place.box]
	l.change(h.place.box, h.usage, 1)
	held[h.place] = h.usage
	return before, false
}

// change adds to or takes from what is reserved in a mailbox.
func (l *ledger) change(b box, u store.Usage, sign int64) {
	all := l.reserved[b]
	all.Messages += sign * u.Messages
	all.Octets += sign * u.Octets
	if all == (store.Usage{}) {
		delete(l.reserved, b)
		return
	}
	l.reserved[b] = all
}

// drop ends one hold.
func (l *ledger) drop(h hold) {
	l.mu.Lock()
	defer l.mu.Unlock()
	held := l.held[h.env]
	l.change(h.place.box, held[h.place], -1)
	if delete(held, h.place); len(held) == 0 {
		delete(l.held, h.env)
	}
}

// release ends all holds of a transaction.
func (l *ledger) release(env *smtp.Envelope) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, u := range l.held[env] {
		l.change(p.box, u, -1)
	}
	delete(l.held, env)
	delete(l.targets, env)
}
