package delivery

import (
	"context"
	"errors"
	"io"
	"log/slog"

	"lmtpd/protocol/smtp"
)

// An MSA takes mail that is submitted (RFC 5598 §4.3.1): all of it into the queue, before it answers, for its client hears one
// reply and does not come again for those recipients that could not have it yet. It is a session.Handler, and its methods may be
// called from many goroutines.
type MSA struct {
	agent *Agent
}

// MSA returns the MSA of an agent's host. The agent has a Queue.
func (a *Agent) MSA() *MSA { return &MSA{a} }

// Sender takes mail from everybody, if there is room for it.
func (m *MSA) Sender(ctx context.Context, env *smtp.Envelope) smtp.Reply {
	return m.agent.Sender(ctx, env)
}

// Recipient refuses what will never be delivered. What cannot be told, or might have room later, the queue will try again.
func (m *MSA) Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	a := m.agent
	targets, err := a.admit(ctx, query{env: env, submitted: true}, to)
	a.ledger.release(env) // it is asked again when it is delivered
	if r := admitted(err).For(to.To); !r.Transient() || errors.Is(err, errTooManyTargets) {
		if err != nil && env.ID != "" { // else it was asked about without a message
			a.log(ctx, env, outcome{to: to, targets: targets, reply: r, cause: err})
		}
		return r
	}
	return admitted(nil).For(to.To)
}

// Deliver puts the message into the queue.
func (m *MSA) Deliver(ctx context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	a := m.agent
	d := a.newDelivery(env)
	c, err := a.receive(ctx, d, r)
	defer c.release()
	if errors.Is(err, errGone) {
		return nil
	}
	ctx, cancel := context.WithTimeoutCause(ctx, a.cfg.Deadline, errDeadline)
	defer cancel()
	if err == nil {
		err = a.cfg.Queue.Put(ctx, env, a.received(env, d.start), c)
	}
	if err != nil {
		return m.fail(ctx, d, err)
	}
	a.cfg.Log.LogAttrs(ctx, slog.LevelInfo, "queued", slog.String("id", env.ID), slog.String("session", env.Session),
		slog.String("from", "<"+env.From.String()+">"), slog.String("account", env.Account), slog.Int("recipients", len(env.Recipients)),
		d.sizeAttr(), delayAttr(a.cfg.Now().Sub(d.start)))
	replies := make([]smtp.Reply, len(env.Recipients))
	for i, to := range env.Recipients {
		replies[i] = queued(env, to.To)
	}
	return replies
}

// fail gives all recipients, or their one reply, the same outcome.
func (m *MSA) fail(ctx context.Context, d *delivery, cause error) []smtp.Reply {
	m.agent.fail(d, cause)
	replies := m.agent.conclude(ctx, d)
	if d.env.Answers == smtp.OneForAll {
		for i := range replies {
			replies[i] = replyFor(cause)
		}
	}
	return replies
}

// Abandon has nothing to give back.
func (m *MSA) Abandon(*smtp.Envelope) {}
