package delivery

import (
	"context"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A Carried is what has become of one recipient of a message from the queue.
type Carried struct {
	Reply smtp.Reply
	Fate  Fate  // if the reply is positive
	Cause error // of one that is not
}

// Carry places a message that comes from the queue, or sends it on, and tells for each recipient what became of it. The content
// has its Received already. A store that hangs may read it for a while after Carry has returned.
func (a *Agent) Carry(ctx context.Context, env *smtp.Envelope, c store.Content) []Carried {
	defer a.ledger.release(env)
	d := a.newDelivery(env)
	d.whole, d.octets = true, c.Size()
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.Deadline, errDeadline)
	defer cancel()
	a.place(ctx, d, c)
	a.conclude(ctx, d)
	all := make([]Carried, len(d.outcomes))
	for i := range d.outcomes {
		o := &d.outcomes[i]
		all[i] = Carried{Reply: o.reply, Fate: o.fate(), Cause: o.cause}
	}
	return all
}

// Local says whether an address is in a domain of ours.
func (a *Agent) Local(p smtp.Path) bool {
	b, _ := a.locate(p)
	return b != nil
}
