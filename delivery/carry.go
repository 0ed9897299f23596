package delivery

import (
	"context"
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
	a.conclude(ctx, d)
	all := make([]Carried, len(d.outcomes))
	for i := range d.outcomes {
		o := &d.outcomes[i]
		all[i] = Carried{Reply: o.reply, Fate: o.fate(), Cause: o.cause, Doubt: o.doubt()}
	}
	return all
}

// Local says whether an address is in a domain of ours.
func (a *Agent) Local(p smtp.Path) bool {
	b, _ := a.locate(p)
	return b != nil
}
