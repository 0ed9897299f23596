package delivery

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// Deliver receives the content, places every recipient's copy, and answers for each.
func (a *Agent) Deliver(ctx context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	start := a.cfg.Now()
	c, err := a.memory.receive(r)
	defer c.release()
	if errors.Is(err, errGone) {
		a.cfg.Log.InfoContext(ctx, "no message", "id", env.ID, "session", env.Session, "cause", err)
		return nil
	}
	d := delivery{env: env, start: start, outcomes: make([]outcome, len(env.Recipients))}
	if err == nil && a.memory.tooManyHops(c, a.cfg.MaxHops) {
		err = errLoop
	}
	if err != nil {
		a.fail(ctx, &d, err)
	} else {
		d.size = sizeAttr(c.Size())
		a.place(ctx, &d, c)
	}
	return a.conclude(ctx, &d)
}

// A delivery is one message on its way to its mailboxes.
type delivery struct {
	env      *smtp.Envelope
	start    time.Time
	size     slog.Attr // none if the content was not received whole
	outcomes []outcome // of env.Recipients, by number
	batches  []batch
}

// An outcome is what became of one recipient.
type outcome struct {
	to      smtp.Recipient
	mailbox string
	folder  string
	reply   smtp.Reply
	cause   error // nil: delivered
}

// A batch is what goes into one store.
type batch struct {
	store      store.Store
	placements []store.Placement
	recipients [][]int // by placement, whom it is the copy of
}

// fail gives all recipients the same outcome.
func (a *Agent) fail(ctx context.Context, d *delivery, cause error) {
	for i, to := range d.env.Recipients {
		rt, _ := a.route(ctx, to.To) // for the log alone
		d.outcomes[i].mailbox, d.outcomes[i].cause = rt.mailbox, cause
	}
}

// place decides the placements and hands them to their stores, one call each.
func (a *Agent) place(ctx context.Context, d *delivery, c store.Content) {
	for i, to := range d.env.Recipients {
		rt, err := a.route(ctx, to.To)
		if err != nil {
			d.outcomes[i].cause = err
			continue
		}
		d.outcomes[i].mailbox, d.outcomes[i].cause = rt.mailbox, errNotTold
		d.add(rt, i, func() []byte { return a.trace(d.env, to, d.start) })
	}
	var others sync.WaitGroup
	for i := range d.batches[min(1, len(d.batches)):] {
		others.Go(func() { a.hand(ctx, d, c, &d.batches[i+1]) })
	}
	if len(d.batches) > 0 {
		a.hand(ctx, d, c, &d.batches[0])
	}
	others.Wait()
}

// errNotTold is what became of a recipient as long as no store has said so.
var errNotTold = errors.New("the store did not say what became of it")

// hand gives a store its placements. Nothing is taken for delivered that the store has not said is. A panic is the
// trouble of this store's recipients alone; in a goroutine of its own it would end the daemon.
func (a *Agent) hand(ctx context.Context, d *delivery, c store.Content, b *batch) {
	defer func() {
		if v := recover(); v != nil {
			a.cfg.Log.ErrorContext(ctx, "panic in a store", "id", d.env.ID, "cause", v, "stack", string(debug.Stack()))
		}
	}()
	errs := b.store.Deliver(ctx, c, b.placements)
	for n, recipients := range b.recipients {
		err := errNotTold
		if len(errs) == len(b.placements) {
			err = errs[n]
		}
		for _, i := range recipients {
			d.outcomes[i].cause = err
		}
	}
}

// add gives recipient i a placement, the one of an earlier recipient if that has the same mailbox: there the
// message is stored once and answered for each.
func (d *delivery) add(rt route, i int, trace func() []byte) {
	b := d.batch(rt.store)
	for n := range b.placements {
		if b.placements[n].Mailbox.Name == rt.mailbox {
			b.recipients[n] = append(b.recipients[n], i)
			return
		}
	}
	b.placements = append(b.placements, store.Placement{Mailbox: store.Mailbox{Name: rt.mailbox}, Trace: trace()})
	b.recipients = append(b.recipients, []int{i})
}

func (d *delivery) batch(s store.Store) *batch {
	for i := range d.batches {
		if d.batches[i].store == s {
			return &d.batches[i]
		}
	}
	d.batches = append(d.batches, batch{store: s})
	return &d.batches[len(d.batches)-1]
}

// conclude makes the replies and logs each outcome.
func (a *Agent) conclude(ctx context.Context, d *delivery) []smtp.Reply {
	replies := make([]smtp.Reply, len(d.outcomes))
	for i := range d.outcomes {
		o := &d.outcomes[i]
		o.to = d.env.Recipients[i]
		if o.cause == nil {
			o.reply = delivered(d.env.ID).For(o.to.To)
		} else {
			o.reply = replyFor(o.cause).For(o.to.To)
		}
		replies[i] = o.reply
		a.log(ctx, d.env, *o, d.size, delayAttr(a.cfg.Now().Sub(d.start)))
	}
	return replies
}
