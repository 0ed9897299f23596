package delivery

import (
	"bytes"
	"context"
	"errors"
	"io"
	"time"

	"lmtpd/store"
)

// Doubt says whether a message from the queue may be in mailboxes already.
type Doubt int

const (
	Fresh  Doubt = iota // it is not
	CutOff              // an attempt ended in the middle, and some mailboxes may have it, or do
)

// clockSlack is how much earlier than it came into the queue a message may seem to be delivered: stores keep seconds.
const clockSlack = 2 * time.Second

// traceOctets is where the Received of a message is that came through the queue: behind fields that are put before it.
const traceOctets = 8 << 10

// doubt says whether a recipient that is tried again may have the message in one of its targets, or has it there. A partly
// knows the latter too, but not after the daemon has ended.
func (o *outcome) doubt() Doubt {
	for i := range o.targets {
		if t := &o.targets[i]; t.err == nil || t.unsure {
			return CutOff
		}
	}
	return Fresh
}

// mayBeThere says whether a store that returned an error may have the message nevertheless (store.Store).
func mayBeThere(err error) bool {
	for _, fact := range []error{nil, store.ErrNoMailbox, store.ErrOverQuota, store.ErrFull, store.ErrBusy} {
		if errors.Is(err, fact) {
			return false
		}
	}
	return true
}

// lookFor marks the targets that have the message from an attempt that was cut off. It is known by the transaction's ID in its
// Received. Who has moved or removed it meanwhile gets it again, and where a mailbox cannot be read nobody knows.
func (a *Agent) lookFor(ctx context.Context, d *delivery) {
	for i := range d.outcomes {
		for n := range d.outcomes[i].targets {
			if t := &d.outcomes[i].targets[n]; t.err == nil && !t.isRemote() {
				t.had = t.hasSince(ctx, d.env.ID, d.arrived)
			}
		}
	}
}

// hasSince says whether a message of an ID has come to the target's folder since then.
func (t *target) hasSince(ctx context.Context, id string, since time.Time) bool {
	list, err := t.block.Store.Messages(ctx, t.mailbox, t.folder)
	if err != nil {
		return false
	}
	for i := len(list) - 1; i >= 0 && !list[i].Date.Before(since.Add(-clockSlack)); i-- {
		if t.isOf(ctx, list[i], id) {
			return true
		}
	}
	return false
}

// isOf says whether a message has come by a transaction.
func (t *target) isOf(ctx context.Context, m store.Message, id string) bool {
	r, err := t.block.Store.Open(ctx, t.mailbox, m.Folder, m.ID)
	if err != nil {
		return false
	}
	defer r.Close()
	head := make([]byte, traceOctets)
	n, err := io.ReadFull(r, head)
	if err != nil && err != io.ErrUnexpectedEOF {
		return false
	}
	for _, end := range []string{";", "\r\n"} {
		if bytes.Contains(head[:n], []byte(" id "+id+end)) {
			return true
		}
	}
	return false
}
