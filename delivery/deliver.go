package delivery

import (
	"context"
	"errors"
	"io"
	"runtime/debug"
	"sync"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// Deliver receives the content, places every recipient's copy, and answers for each.
func (a *Agent) Deliver(ctx context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	defer a.ledger.release(env)
	d := a.newDelivery(env)
	c, err := a.receive(ctx, d, r)
	defer func() {
		if d.late {
			c.leave()
		} else {
			c.release()
		}
	}()
	if errors.Is(err, errGone) {
		return nil
	}
	d.received = a.received(env, d.start)
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.Deadline, errDeadline)
	defer cancel()
	if err != nil {
		a.fail(d, err)
	} else {
		a.place(ctx, d, c)
	}
	replies := a.conclude(ctx, d)
	a.owe(ctx, d, c)
	return replies
}

// receive receives content, which is to be released after an error too. errGone says that there is no message.
func (a *Agent) receive(ctx context.Context, d *delivery, r io.Reader) (*received, error) {
	c, err := a.memory.receive(r)
	switch {
	case errors.Is(err, errGone):
		a.cfg.Log.InfoContext(ctx, "no message", "id", d.env.ID, "session", d.env.Session, "cause", err)
	case err == nil && a.memory.tooManyHops(c, a.cfg.MaxHops):
		return c, errLoop
	case err == nil:
		d.whole, d.octets = true, c.Size()
	}
	return c, err
}

// A delivery is one message on its way to its mailboxes.
type delivery struct {
	env      *smtp.Envelope
	start    time.Time
	whole    bool      // the content was received
	octets   int64     // of it
	outcomes []outcome // of env.Recipients, by number
	batches  []batch
	hangs    map[*Block]int // how many lookups have hung there
	late     bool           // a store may go on reading the content
	arrived  time.Time      // since when the message may be in mailboxes from an attempt that was cut off; zero: it is not
	received []byte         // the field that the copies get; nil: the content has it
}

func (a *Agent) newDelivery(env *smtp.Envelope) *delivery {
	return &delivery{env: env, start: a.cfg.Now(), outcomes: make([]outcome, len(env.Recipients)), hangs: map[*Block]int{}}
}

// An outcome is what became of one recipient.
type outcome struct {
	to      smtp.Recipient
	targets []target
	reply   smtp.Reply
	cause   error  // nil: delivered
	queued  string // as what it was sent on; "": it was not
}

// A batch is what goes into one store.
type batch struct {
	store      store.Store
	placements []store.Placement
	number     map[place]int // of the placement for it
	wanted     [][]want      // by placement, whom it is the copy of
	errs       []error       // by placement
}

// A want is a recipient's, for one of its targets.
type want struct{ recipient, target int }

// fail gives all recipients the same outcome. Nothing is looked up for it.
func (a *Agent) fail(d *delivery, cause error) {
	for i, to := range d.env.Recipients {
		t := target{err: cause}
		if b, addr := a.locate(to.To); b != nil {
			t.mailbox.Name = addr.Local + "@" + addr.Domain
		}
		d.outcomes[i] = outcome{targets: []target{t}, cause: cause}
	}
}

// maxHangs is how many lookups of one block may hang before the others are not tried any more.
const maxHangs = 10

// find is resolve within the time that one recipient has, so that those that hang leave the others theirs: half of what is left
// for all lookups of the message, and where one of the same block has hung, a second.
func (a *Agent) find(ctx context.Context, d *delivery, to smtp.Recipient) []target {
	if len(d.outcomes) == 1 {
		return a.certainly(ctx, query{env: d.env}, to.To)
	}
	b, _ := a.locate(to.To)
	limit := a.cfg.Lookup
	if end, ends := ctx.Deadline(); ends {
		limit = min(limit, time.Until(end)/2)
	}
	switch n := d.hangs[b]; {
	case n > maxHangs:
		return []target{{address: to.To.String(), err: errDeadline}}
	case n > 0:
		limit = min(limit, time.Second)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	targets := a.certainly(ctx, query{env: d.env}, to.To)
	if ctx.Err() != nil {
		d.hangs[b]++
	}
	return targets
}

// findAll finds the mailboxes of all recipients, in half of the time that the message has.
func (a *Agent) findAll(ctx context.Context, d *delivery) {
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.Deadline/2, errDeadline)
	defer cancel()
	for i, to := range d.env.Recipients {
		d.outcomes[i].targets = a.find(ctx, d, to)
	}
}

// place decides the placements and hands them to their stores, one call each.
func (a *Agent) place(ctx context.Context, d *delivery, c store.Content) {
	a.findAll(ctx, d)
	if !d.arrived.IsZero() {
		a.lookFor(ctx, d)
	}
	a.skip(d, c)
	for i := range d.outcomes {
		for n := range d.outcomes[i].targets {
			if t := &d.outcomes[i].targets[n]; t.err == nil && !t.had && !t.isRemote() {
				t.err = a.add(ctx, d, want{i, n})
			}
		}
	}
	a.handAll(ctx, d, c)
	d.late = ctx.Err() != nil
	d.heed()
	a.sendOn(ctx, d, c)
	d.collect()
	a.remember(d, c)
}

// What becomes of a recipient that a store has not told anything about.
var (
	errNotTold  = errors.New("the store did not say what became of it")
	errDeadline = errors.New("not done in time")
)

// handAll gives every store its placements, all of them at once.
func (a *Agent) handAll(ctx context.Context, d *delivery, c store.Content) {
	if len(d.batches) == 1 {
		a.hand(ctx, d, c, &d.batches[0])
		return
	}
	var stores sync.WaitGroup
	for i := range d.batches {
		stores.Go(func() { a.hand(ctx, d, c, &d.batches[i]) })
	}
	stores.Wait()
}

// hand gives a store its placements. Nothing is taken for delivered that the store has not said is. A panic is the
// trouble of this store's recipients alone; in a goroutine of its own it would end the daemon.
func (a *Agent) hand(ctx context.Context, d *delivery, c store.Content, b *batch) {
	defer func() {
		if v := recover(); v != nil {
			a.cfg.Log.ErrorContext(ctx, "panic in a store", "id", d.env.ID, "cause", v, "stack", string(debug.Stack()))
		}
	}()
	if len(b.placements) > 0 { // quotas may have left none
		b.errs = b.store.Deliver(ctx, c, b.placements)
	}
}

// add has a placement made for a recipient's target, the one of an earlier recipient if that has the same mailbox: there
// the message is stored once and answered for each.
func (a *Agent) add(ctx context.Context, d *delivery, w want) error {
	t := w.in(d)
	b := d.batch(t.block.Store)
	if n, there := b.number[t.place()]; there {
		b.wanted[n] = append(b.wanted[n], w)
		return nil
	}
	trace := a.trace(d, w)
	if t.counts() {
		if err := a.ledger.reserve(ctx, d.env, t, d.octets+int64(len(trace))); err != nil {
			return err
		}
	}
	b.number[t.place()] = len(b.placements)
	b.placements = append(b.placements, store.Placement{Mailbox: t.mailbox, Folder: t.folder, Missing: t.missing, Trace: trace})
	b.wanted = append(b.wanted, []want{w})
	return nil
}

func (w want) in(d *delivery) *target { return &d.outcomes[w.recipient].targets[w.target] }

func (d *delivery) batch(s store.Store) *batch {
	for i := range d.batches {
		if d.batches[i].store == s {
			return &d.batches[i]
		}
	}
	d.batches = append(d.batches, batch{store: s, number: map[place]int{}})
	return &d.batches[len(d.batches)-1]
}

// heed tells every target what its store said.
func (d *delivery) heed() {
	for i := range d.batches {
		b := &d.batches[i]
		for n, wanted := range b.wanted {
			for _, w := range wanted {
				t := w.in(d)
				t.err, t.kept = errNotTold, b.placements[n].Folder
				if len(b.errs) == len(b.placements) {
					t.err = b.errs[n]
				}
				t.unsure = mayBeThere(t.err)
			}
		}
	}
}

// collect tells every recipient what became of its targets.
func (d *delivery) collect() {
	for i := range d.outcomes {
		o := &d.outcomes[i]
		for n := range o.targets {
			o.cause = worse(o.cause, o.targets[n].err)
		}
	}
}

// conclude makes the replies and logs each outcome.
func (a *Agent) conclude(ctx context.Context, d *delivery) []smtp.Reply {
	replies := make([]smtp.Reply, len(d.outcomes))
	for i := range d.outcomes {
		o := &d.outcomes[i]
		o.to = d.env.Recipients[i]
		switch {
		case o.cause != nil:
			o.reply = replyFor(o.cause).For(o.to.To)
		case o.fate() == PassedOn:
			o.reply = queued(d.env, o.to.To)
		default:
			o.reply = delivered(d.env, o.to.To)
		}
		replies[i] = o.reply
		a.log(ctx, d.env, *o, d.sizeAttr(), delayAttr(a.cfg.Now().Sub(d.start)))
	}
	return replies
}
