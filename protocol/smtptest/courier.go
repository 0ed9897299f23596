package smtptest

import (
	"bytes"
	"context"
	"io"
	"slices"
	"sync"

	"lmtpd/delivery"
	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A courier is the queue of a stage. It takes mail to mailboxes before it says that it has it, once, whatever comes of that, and
// what is for elsewhere it keeps itself.
type courier struct {
	agent  *delivery.Agent
	relays Flag // there is a way elsewhere

	mu   sync.Mutex
	sent []Message
}

// Relays says whether there is a way.
func (c *courier) Relays(_, _ smtp.Path) bool { return bool(c.relays) }

// Put carries a message.
func (c *courier) Put(ctx context.Context, env *smtp.Envelope, trace []byte, content store.Content) error {
	b, err := io.ReadAll(io.NewSectionReader(content, 0, content.Size()))
	if err != nil {
		return err
	}
	local := *env
	local.Account, local.Submitter, local.Recipients = "", false, nil
	for _, to := range env.Recipients {
		if c.agent.Local(to.To) {
			local.Recipients = append(local.Recipients, to)
			continue
		}
		c.mu.Lock()
		c.sent = append(c.sent, Message{Mailbox: to.To.String(), Content: b})
		c.mu.Unlock()
	}
	if local.Recipients != nil {
		c.agent.Carry(ctx, delivery.Parcel{Envelope: &local, Content: bytes.NewReader(slices.Concat(trace, b))})
	}
	return nil
}

// Notify keeps a notification as mail for whoever is told.
func (c *courier) Notify(_ context.Context, r dsn.Report) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, to := range r.Recipients {
		c.sent = append(c.sent, Message{Mailbox: r.From.String(), Content: []byte(string(to.Action) + " " + to.To.String())})
	}
	return nil
}

// kept returns what is kept of both, in the mailboxes and for elsewhere.
func (c *courier) kept(ctx context.Context, s store.Store) ([]Message, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	all, err := Stored(ctx, s)
	return append(all, c.sent...), err
}
