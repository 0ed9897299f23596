package delivery

import (
	"context"
	"errors"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A Carried is what has become of one recipient of a message from the queue.
type Carried struct {
	Reply smtp.Reply
	Fate  Fate  // if the reply is positive
	Cause error // of one that is not
	Doubt Doubt // if it is transient: what to tell the next attempt
}

// A Parcel is a message that comes from the queue.
type Parcel struct {
	Envelope *smtp.Envelope
	Content  store.Content // its Received is in it
	Arrived  time.Time     // in the queue
	Doubt    Doubt
}

// Carry places a message that comes from the queue, or sends it on, and tells for each recipient what became of it. A store that
// hangs may read the content for a while after Carry has returned.
func (a *Agent) Carry(ctx context.Context, p Parcel) []Carried {
	defer a.ledger.release(p.Envelope)
	d := a.newDelivery(p.Envelope)
	d.whole, d.octets = true, p.Content.Size()
	if p.Doubt == CutOff {
		d.arrived = p.Arrived
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.Deadline, errDeadline)
	defer cancel()
	a.place(ctx, d, p.Content)
	a.waitForBusy(ctx, d, p.Content)
	a.conclude(ctx, d)
	all := make([]Carried, len(d.outcomes))
	for i := range d.outcomes {
		o := &d.outcomes[i]
		all[i] = Carried{Reply: o.reply, Fate: o.fate(), Cause: o.cause, Doubt: o.doubt()}
	}
	return all
}

// How long a busy mailbox is waited for, at first and in the end from one look to the next, and in all. What one sender has for a
// mailbox comes at once, and who is turned away would wait minutes.
const (
	busyFirst = 10 * time.Millisecond
	busyMost  = time.Second
	busyAll   = 3 * time.Second
)

// waitForBusy tries those recipients again for a while whose mailbox has too many deliveries under way.
func (a *Agent) waitForBusy(ctx context.Context, d *delivery, c store.Content) {
	ctx, cancel := context.WithTimeout(ctx, busyAll)
	defer cancel()
	for wait := busyFirst; ; wait = min(2*wait, busyMost) {
		busy := d.busy()
		if len(busy) == 0 {
			return
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		env := *d.env
		env.Recipients = make([]smtp.Recipient, len(busy))
		for n, i := range busy {
			env.Recipients[n] = d.env.Recipients[i]
		}
		again := a.newDelivery(&env)
		again.arrived, again.whole, again.octets = d.arrived, true, d.octets
		a.place(ctx, again, c)
		a.ledger.release(&env)
		d.late = d.late || again.late
		for n, i := range busy {
			d.outcomes[i] = again.outcomes[n]
		}
	}
}

// busy are the recipients that would be served if less went on in their mailboxes.
func (d *delivery) busy() (recipients []int) {
	for i := range d.outcomes {
		if errors.Is(d.outcomes[i].cause, store.ErrBusy) {
			recipients = append(recipients, i)
		}
	}
	return recipients
}

// Local says whether an address is in a domain of ours.
func (a *Agent) Local(p smtp.Path) bool {
	b, _ := a.locate(p)
	return b != nil
}
