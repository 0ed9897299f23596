package smtptest

import (
	"context"
	"io"
	"strings"
	"sync"

	"lmtpd/store"
)

// Mailboxes is as much of a store.Store as delivery needs, in memory.
type Mailboxes struct {
	store.Store // nil: nothing else is asked

	mu       sync.Mutex
	messages []Message
}

// Check refuses names as the other stores do.
func (m *Mailboxes) Check(_ context.Context, mailbox string, _ int64) error {
	if mailbox == "" || mailbox[0] == '.' || strings.ContainsAny(mailbox, "/\x00") {
		return store.ErrNoMailbox
	}
	return nil
}

// Deliver keeps the content without the trace fields.
func (m *Mailboxes) Deliver(_ context.Context, c store.Content, to []store.Placement) []error {
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	errs := make([]error, len(to))
	m.mu.Lock()
	defer m.mu.Unlock()
	for i, p := range to {
		if errs[i] = err; err == nil {
			m.messages = append(m.messages, Message{Mailbox: p.Mailbox, Content: b})
		}
	}
	return errs
}

// Kept returns what was delivered.
func (m *Mailboxes) Kept() ([]Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.messages, nil
}
