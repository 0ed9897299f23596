package main

import (
	"context"
	"errors"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/dsn"
	"lmtpd/delivery/relay"
	"lmtpd/delivery/spool"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// The names of destinations that are no relay's.
const (
	localDestination = "local"
	noDestination    = "nowhere" // there was one when the mail was taken, and may be again: it waits
)

// A post brings agent, spool and relay together: it is the queue of the agent and the transport of the spool. It is made before any
// of them, since they need each other.
type post struct {
	agent *delivery.Agent
	spool *spool.Spool
	relay *relay.Relay // nil: there is none
}

// Relays says whether the relay has a way to a recipient.
func (p *post) Relays(from, to smtp.Path) bool { return p.relay != nil && p.relay.Relays(from, to) }

// Put puts mail into the spool.
func (p *post) Put(ctx context.Context, env *smtp.Envelope, trace []byte, c store.Content) error {
	return p.spool.Put(ctx, spool.Mail{Envelope: env, Trace: trace, Content: c})
}

// Notify puts a notification into the spool. One for a sender who cannot be reached from here it does not take: it would bounce, and
// the postmaster hear of each.
func (p *post) Notify(ctx context.Context, r dsn.Report) error {
	if p.Destination(smtp.Path{}, r.From) == noDestination {
		return errNoRelay
	}
	return p.spool.Notify(ctx, r)
}

// Destination is where the spool's mail for a recipient goes.
func (p *post) Destination(from, to smtp.Path) string {
	switch {
	case p.agent.Local(to):
		return localDestination
	case p.Relays(from, to):
		return p.relay.Destination(from, to)
	}
	return noDestination
}

// errNoRelay is why mail for elsewhere goes nowhere.
var errNoRelay = errors.New("no relay is configured that would take it")

// Attempt brings a message to mailboxes here, or hands it to a smarthost.
func (p *post) Attempt(ctx context.Context, destination string, m *spool.Message) ([]spool.Outcome, error) {
	switch destination {
	case localDestination:
		return p.deliver(ctx, m), nil
	case noDestination:
		return nil, errNoRelay
	}
	return p.relay.Attempt(ctx, destination, m)
}

// deliver brings a message to mailboxes here.
func (p *post) deliver(ctx context.Context, m *spool.Message) []spool.Outcome {
	env := &smtp.Envelope{
		ID: m.ID, From: m.From, Recipients: m.Recipients, Size: m.Content.Size(), Body: m.Body, UTF8: m.UTF8, Ret: m.Ret, EnvID: m.EnvID,
	}
	outcomes := make([]spool.Outcome, len(m.Recipients))
	parcel := delivery.Parcel{Envelope: env, Content: m.Content, Arrived: m.Arrived}
	if m.Doubt {
		parcel.Doubt = delivery.CutOff
	}
	for i, c := range p.agent.Carry(ctx, parcel) {
		outcomes[i] = spool.Outcome{Fate: fateOf(c), Reply: c.Reply, Cause: c.Cause}
	}
	return outcomes
}

func fateOf(c delivery.Carried) spool.Fate {
	switch {
	case c.Reply.Permanent():
		return spool.Bounced
	case !c.Reply.Positive() && c.Doubt == delivery.CutOff:
		return spool.Unknown
	case !c.Reply.Positive():
		return spool.Deferred
	case c.Fate == delivery.PassedOn:
		return spool.PassedOn
	case c.Fate == delivery.Expanded:
		return spool.Expanded
	}
	return spool.Delivered
}

// openPost opens relay and spool, and brings them together with the agent, which has the post for its queue.
func (d *daemon) openPost(agent *delivery.Agent) (err error) {
	d.post.agent = agent
	if d.post.relay, err = openRelay(d.cfg, d.log); err != nil {
		return err
	}
	q := d.cfg.Queue
	d.post.spool, err = spool.Open(context.Background(), spool.Config{
		Path:        spoolPath(d.cfg.Data),
		Transport:   &d.post,
		Report:      notification,
		Hostname:    d.cfg.Hostname,
		Postmaster:  q.Postmaster,
		Life:        q.Lifetime,
		DelayAfter:  q.WarnAfter,
		Grace:       d.cfg.Limits.Shutdown,
		Retries:     q.Retry,
		LongestRest: q.RetryMax,
		Concurrency: q.Concurrency,
		Space:       store.NewSpace(d.cfg.Limits.MinFree, time.Now),
		Now:         time.Now,
		NewID:       newID,
		Log:         d.log,
	})
	if err != nil {
		return errors.Join(err, d.post.closeRelay())
	}
	closeOthers := d.close
	d.close = func() error { return errors.Join(d.post.spool.Close(), d.post.closeRelay(), closeOthers()) }
	return nil
}

// lingering is how long attempts may go on that have been told to end.
const lingering = 5 * time.Second

// run begins attempts, and tells failed if it cannot. stop lets those under way finish in the time of the spool's grace, and says
// whether they have: one that hangs in a disk that does not answer never does.
func (p *post) run(failed chan<- error, grace time.Duration) (stop func() (ended bool)) {
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	go func() {
		defer close(over)
		if err := p.spool.Run(ctx); err != nil {
			failed <- err
		}
	}()
	return func() bool {
		cancel()
		select {
		case <-over:
			return true
		case <-time.After(grace + lingering):
			return false
		}
	}
}

func (p *post) closeRelay() error {
	if p.relay == nil {
		return nil
	}
	return p.relay.Close()
}
