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
	balances map[box]*balance
	held     map[*smtp.Envelope]map[place]store.Usage
	targets  map[*smtp.Envelope]int // of aliases among its recipients
}

// A balance is what is reserved of one mailbox's quota. It stays for as long as something is, or somebody asks.
type balance struct {
	reserved store.Usage
	grants   int // how often something was reserved
	asking   int // how many have been told both and are looking into the store
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
		balances: map[box]*balance{},
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
//
// Nothing is locked while the store is asked, so what it says counts only if nobody else was granted something meanwhile.
// What is merely asked for is in nobody's way: many at once would refuse each other what one of them could have.
func (l *ledger) reserve(ctx context.Context, env *smtp.Envelope, t *target, size int64) error {
	h := hold{env, t.place(), store.Usage{Messages: 1, Octets: size}}
	for {
		others, grants, enough := l.ask(h)
		if enough {
			return nil
		}
		err := t.room(ctx, others, h.usage)
		if l.settle(h, grants, err) {
			return err
		}
	}
}

// room asks the store for room beside what others have reserved.
func (t *target) room(ctx context.Context, others, own store.Usage) error {
	if t.block.Grace == OneMessage {
		if err := t.space(ctx, own); err != nil {
			return err
		}
		own.Octets = min(own.Octets, 1)
	}
	with := store.Usage{Messages: others.Messages + own.Messages, Octets: others.Octets + own.Octets}
	err := t.block.Store.Check(ctx, t.mailbox, with)
	if !errors.Is(err, store.ErrOverQuota) {
		return err
	}
	if with != own {
		switch alone := t.block.Store.Check(ctx, t.mailbox, own); {
		case alone == nil:
			return fmt.Errorf("%w %w", err, errInFlight)
		case !errors.Is(alone, store.ErrOverQuota):
			return alone // what is under way may be all that there is no room for
		}
	}
	if t.block.OverQuota == Refuse {
		err = fmt.Errorf("%w: %w", errRefuse, err)
	}
	return err
}

// space asks the store for room without regard to the quota.
func (t *target) space(ctx context.Context, own store.Usage) error {
	m := t.mailbox
	m.Quota = store.Quota{}
	return t.block.Store.Check(ctx, m, own)
}

// ask says what others have reserved in the mailbox of a hold, and after how many grants, unless what is held for the same
// copy already is enough. settle follows.
func (l *ledger) ask(h hold) (others store.Usage, grants int, enough bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	own, has := l.held[h.env][h.place]
	if has && own.Octets >= h.usage.Octets {
		return others, 0, true
	}
	b := l.balances[h.place.box]
	if b == nil {
		b = &balance{}
		l.balances[h.place.box] = b
	}
	b.asking++
	others = store.Usage{Messages: b.reserved.Messages - own.Messages, Octets: b.reserved.Octets - own.Octets}
	return others, b.grants, false
}

// settle takes a hold in place of that for the same copy if err is nil, else ends that. It is to be asked again, and
// nothing is settled, if there were grants meanwhile.
func (l *ledger) settle(h hold, grants int, err error) (settled bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.balances[h.place.box]
	b.asking--
	if err == nil && b.grants != grants {
		return false
	}
	defer l.tidy(h.place.box)
	b.change(l.held[h.env][h.place], -1)
	if err != nil {
		delete(l.held[h.env], h.place)
		return true
	}
	b.grants++
	b.change(h.usage, 1)
	if l.held[h.env] == nil {
		l.held[h.env] = map[place]store.Usage{}
	}
	l.held[h.env][h.place] = h.usage
	return true
}

// change adds to or takes from what is reserved.
func (b *balance) change(u store.Usage, sign int64) {
	b.reserved.Messages += sign * u.Messages
	b.reserved.Octets += sign * u.Octets
}

// tidy forgets a balance that is of no more use.
func (l *ledger) tidy(of box) {
	if b := l.balances[of]; b.reserved == (store.Usage{}) && b.asking == 0 {
		delete(l.balances, of)
	}
}

// release ends all holds of a transaction.
func (l *ledger) release(env *smtp.Envelope) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for p, u := range l.held[env] {
		l.balances[p.box].change(u, -1)
		l.tidy(p.box)
	}
	delete(l.held, env)
	delete(l.targets, env)
}
