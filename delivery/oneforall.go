package delivery

import (
	"context"
	"errors"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A kept is why a recipient has nothing of a message that it could have had: the client hears one reply, so what it is told
// of one recipient is true of all.
type kept struct {
	by    smtp.Path // the recipient whose trouble it is
	cause error     // of that
	own   error     // nil: there was none
}

func (k kept) Error() string {
	text := "kept back for <" + k.by.String() + ">: " + k.cause.Error()
	if k.own != nil {
		return k.own.Error() + "; " + text
	}
	return text
}

// Unwrap returns the cause that the reply is made of.
func (k kept) Unwrap() error { return k.cause }

// oneForAll says whether several recipients hear one reply, so that a message is to be in the mailboxes of all or of none
// (RFC 5321 §6.1: whoever has answered 250 answers for all of them).
func (d *delivery) oneForAll() bool {
	return d.env.Answers == smtp.OneForAll && len(d.outcomes) > 1
}

// agreed says whether the message may be handed to the stores. If anything is known to be in the way of one recipient, it is
// handed to none of them, and all hear of that one. What a store refuses later on the others have nevertheless: partly keeps
// it in mind.
func (a *Agent) agreed(ctx context.Context, d *delivery) bool {
	if !d.oneForAll() {
		return true
	}
	for i := range d.batches {
		d.batches[i].check(ctx, d)
	}
	by := d.worst()
	if by < 0 {
		return true
	}
	d.keepBack(by)
	return false
}

// check asks a store once more for each of its placements: what RCPT has reserved of a quota somebody else may have used, and
// mailboxes without one it was not asked about since.
func (b *batch) check(ctx context.Context, d *delivery) {
	for n, wanted := range b.wanted {
		t, size := wanted[0].in(d), d.octets+int64(len(b.placements[n].Trace))
		own := store.Usage{Messages: 1, Octets: size}
		var err error
		if t.counts() {
			err = t.room(ctx, store.Usage{}, own)
		} else {
			err = t.space(ctx, own)
		}
		for _, w := range wanted {
			w.in(d).err = err
		}
	}
}

// worst returns the recipient of whose trouble the client is to hear, -1 if there is none: the first that is in doubt, else
// the first that is refused.
func (d *delivery) worst() int {
	by := -1
	var found error
	for i := range d.outcomes {
		for n := range d.outcomes[i].targets {
			if w := worse(found, d.outcomes[i].targets[n].err); w != found {
				by, found = i, w
			}
		}
	}
	return by
}

// keepBack gives nobody anything. Who has the message from an earlier attempt has it.
func (d *delivery) keepBack(by int) {
	var cause error
	for _, t := range d.outcomes[by].targets {
		cause = worse(cause, t.err)
	}
	for i := range d.outcomes {
		for n := range d.outcomes[i].targets {
			switch t := &d.outcomes[i].targets[n]; {
			case t.had:
			case i != by:
				t.err = kept{by: d.env.Recipients[by].To, cause: cause, own: t.err}
			case t.err == nil:
				t.err = cause
			}
		}
	}
}

// blamed is the recipient whose trouble a recipient's cause is.
func blamed(cause error, to smtp.Path) smtp.Path {
	if k, is := errors.AsType[kept](cause); is {
		return k.by
	}
	return to
}
