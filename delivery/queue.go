package delivery

import (
	"context"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A Queue is where mail waits that is not in its mailboxes yet, or goes elsewhere. Its methods may be called from many goroutines.
type Queue interface {
	// Relays says whether there is a way to a recipient in none of our domains.
	Relays(from, to smtp.Path) bool

	// Put takes a message: trace fields and the content behind them. nil says that it survives a power cut. It keeps neither
	// env nor content.
	Put(ctx context.Context, env *smtp.Envelope, trace []byte, content store.Content) error

	// Notify takes a notification, as Put does.
	Notify(ctx context.Context, r dsn.Report) error
}

// A Rewriter rewrites reverse-paths of mail that is sent on, so that the next server has no reason to doubt the sender's domain,
// and notifications find their way back.
type Rewriter interface {
	// Forward rewrites the reverse-path of somebody who is not from here.
	Forward(from smtp.Path) smtp.Path
	// Reverse returns whose a rewritten reverse-path is; an error says that it is none of ours.
	Reverse(to smtp.Path) (smtp.Path, error)
}

// elsewhere is the target of an address that is not in a domain of ours. Without a queue, or a way from there, there is none.
func (a *Agent) elsewhere(from, to smtp.Path) target {
	t := target{address: to.String()}
	if a.cfg.Queue == nil || !a.cfg.Queue.Relays(from, to) {
		t.err = errNotLocal
		return t
	}
	t.remote = to
	t.box.name = to.String() // it is in no store
	return t
}

// sendOn puts the message into the queue for the targets of each recipient that are elsewhere.
func (a *Agent) sendOn(ctx context.Context, d *delivery, c store.Content) {
	for i := range d.outcomes {
		var to []*target
		for n := range d.outcomes[i].targets {
			if t := &d.outcomes[i].targets[n]; t.isRemote() && t.err == nil && !t.had {
				to = append(to, t)
			}
		}
		if len(to) == 0 {
			continue
		}
		err := a.sendOnFor(ctx, d, want{recipient: i}, to, c)
		for _, t := range to {
			t.err = err
		}
	}
}

func (t *target) isRemote() bool { return !t.remote.IsNull() }

// sendOnFor sends it on for one recipient. Its Delivered-To is there to be known by, should the message come back.
func (a *Agent) sendOnFor(ctx context.Context, d *delivery, w want, to []*target, c store.Content) error {
	rcpt := d.env.Recipients[w.recipient].To.String()
	if a.memory.comesBack(c, rcpt) {
		return errComesBack
	}
	env := a.onward(d, w, to)
	trace := append([]byte("Delivered-To: "+rcpt+"\r\n"), d.received...)
	if err := a.cfg.Queue.Put(ctx, env, trace, c); err != nil {
		return err
	}
	if !d.arrived.IsZero() { // what is in the queue no more cannot be looked for
		a.cfg.Log.WarnContext(ctx, "sent on after an attempt that nobody knows the end of: it may come twice", "id", d.env.ID, "to", "<"+rcpt+">", "queued", env.ID)
	}
	d.outcomes[w.recipient].queued = env.ID
	return nil
}

// onward is the envelope of a message that is sent on. What its sender wants to hear of a recipient goes with it if it becomes one
// other recipient (RFC 3461 §5.2.7.1); if it becomes several, success is told here (RFC 3461 §5.2.7.3).
func (a *Agent) onward(d *delivery, w want, to []*target) *smtp.Envelope {
	env := *d.env
	env.ID = a.cfg.NewID()
	env.From = a.onwardFrom(env.From)
	env.Recipients = make([]smtp.Recipient, len(to))
	r := d.env.Recipients[w.recipient]
	if r.Original.IsZero() {
		r.Original = smtp.OriginalRecipient{Type: "rfc822", Address: r.To.String()}
		if !r.To.ASCII() {
			r.Original.Type = "utf-8"
		}
	}
	if d.outcomes[w.recipient].expands() {
		r.Notify = withoutSuccess(r.Notify)
	}
	for i, t := range to {
		env.Recipients[i] = smtp.Recipient{To: t.remote, Notify: r.Notify, Original: r.Original}
	}
	return &env
}

// expands says whether a recipient has become several.
func (o *outcome) expands() bool { return len(o.targets) > 1 }

func withoutSuccess(n smtp.Notify) smtp.Notify {
	if n == smtp.NotifySuccess {
		return smtp.NotifyNever
	}
	return n &^ smtp.NotifySuccess
}

// onwardFrom is the reverse-path of a message that is sent on: it stays what it is, or is rewritten if it is of elsewhere.
func (a *Agent) onwardFrom(from smtp.Path) smtp.Path {
	if a.cfg.Rewriter == nil || from.IsNull() || a.domains[FoldDomain(from.Domain)] != nil {
		return from
	}
	return a.cfg.Rewriter.Forward(from)
}

// reversed is the target of an address that is a rewritten reverse-path; false if it is none.
func (a *Agent) reversed(from, to smtp.Path) (target, bool) {
	if a.cfg.Rewriter == nil {
		return target{}, false
	}
	back, err := a.cfg.Rewriter.Reverse(to)
	if err != nil {
		return target{}, false
	}
	return a.elsewhere(a.onwardFrom(from), back), true
}

// owe sends the sender of a message the notifications that it asked for, of those recipients that have it: whoever hands it over
// says nothing itself any more (RFC 3461 §5.2.1). What has been sent on to one other address is told from there.
func (a *Agent) owe(ctx context.Context, d *delivery, c store.Content) {
	if a.cfg.Queue == nil || d.env.From.IsNull() {
		return
	}
	var list []dsn.Recipient
	for i := range d.outcomes {
		o := &d.outcomes[i]
		if o.cause == nil && o.to.Notify&smtp.NotifySuccess != 0 && o.fate() != PassedOn {
			list = append(list, dsn.Recipient{Recipient: o.to, Action: o.fate().action(), Reply: o.reply, Last: a.cfg.Now()})
		}
	}
	if list == nil {
		return
	}
	err := a.cfg.Queue.Notify(ctx, dsn.Report{
		Hostname: a.cfg.Hostname, ID: d.env.ID, Arrived: d.start, From: d.env.From, EnvID: d.env.EnvID, Ret: d.env.Ret, UTF8: d.env.UTF8,
		Content: c, Recipients: list,
	})
	if err != nil {
		a.cfg.Log.WarnContext(ctx, "a notification of success is lost",
			"id", d.env.ID, "session", d.env.Session, "from", "<"+d.env.From.String()+">", "recipients", len(list), "cause", err)
	}
}

// A Fate says what has become of a recipient that has its message.
type Fate int

const (
	Placed   Fate = iota // it is in a mailbox, or several
	PassedOn             // it is in the queue for one other address
	Expanded             // it is in the queue for some of several, and perhaps in mailboxes
)

func (f Fate) action() dsn.Action {
	if f == Expanded {
		return dsn.Expanded
	}
	return dsn.Delivered
}

func (o *outcome) fate() Fate {
	remote := 0
	for i := range o.targets {
		if o.targets[i].isRemote() {
			remote++
		}
	}
	switch {
	case remote == 0:
		return Placed
	case len(o.targets) == 1:
		return PassedOn
	}
	return Expanded
}
