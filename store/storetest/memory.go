package storetest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"lmtpd/store"
)

// An Op is an operation of a store, as Memory names it to Fault.
type Op string

// The operations that Fault hears of.
const (
	OpCheck   Op = "check"
	OpDeliver Op = "deliver" // once for each placement
	OpRead    Op = "read"    // all others
)

// Memory is a store that forgets everything when it goes, for tests. The zero value is ready for use. Its fields are set
// before the first call.
type Memory struct {
	// Fault, if set, is asked before each operation on a mailbox; the error it returns is the operation's. It may block,
	// and be called from several goroutines at once.
	Fault func(op Op, mailbox string) error
	// Quota is how many octets a mailbox may hold; 0: any number.
	Quota int64
	// Now is the clock; nil: time.Now.
	Now func() time.Time

	mu            sync.Mutex
	last          int
	mailboxes     map[string]map[string][]*memoryMessage // by path and folder
	subscriptions map[string][]string                    // by path
}

var (
	_ store.Store      = (*Memory)(nil)
	_ store.Subscriber = (*Memory)(nil)
)

type memoryMessage struct {
	store.Message
	octets []byte
}

// key is a mailbox's name in a form that all its spellings have in common.
func key(mailbox string) (string, error) {
	return layout().Rel(mailbox)
}

func layout() store.Template {
	t, err := store.ParseTemplate("%d/%n")
	if err != nil {
		panic(err) // unreachable
	}
	return t
}

func folderName(folder string) (string, error) {
	levels, err := store.Levels(folder)
	return strings.Join(levels, "/"), err
}

func (m *Memory) fault(ctx context.Context, op Op, mailbox store.Mailbox) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if m.Fault == nil {
		return nil
	}
	return m.Fault(op, mailbox.Name)
}

// Check implements store.Store.
func (m *Memory) Check(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	if err := m.fault(ctx, OpCheck, mailbox); err != nil {
		return err
	}
	k, err := key(mailbox.Name)
	if err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.room(k, more.Octets); err != nil {
		return err
	}
	return mailbox.Quota.Check(m.usage(k, mailbox.Quota), more)
}

func (m *Memory) room(k string, size int64) error {
	if m.Quota > 0 && m.usage(k, store.Quota{}).Octets+size > m.Quota {
		return fmt.Errorf("%w: %d octets more", store.ErrOverQuota, size)
	}
	return nil
}

// Deliver implements store.Store.
func (m *Memory) Deliver(ctx context.Context, c store.Content, to []store.Placement) []error {
	errs := make([]error, len(to))
	for i := range to {
		errs[i] = m.place(ctx, c, &to[i])
	}
	return errs
}

func (m *Memory) place(ctx context.Context, c store.Content, p *store.Placement) error {
	if err := m.fault(ctx, OpDeliver, p.Mailbox); err != nil {
		return err
	}
	k, err := key(p.Mailbox.Name)
	if err != nil {
		return err
	}
	folder, err := folderName(p.Folder)
	if err != nil && p.Missing == store.MakeFolder {
		return err
	}
	if err != nil {
		folder, p.Folder = "", ""
	}
	octets := make([]byte, int64(len(p.Trace))+c.Size())
	n := copy(octets, p.Trace)
	if got, err := c.ReadAt(octets[n:], 0); got < len(octets)-n {
		return fmt.Errorf("read content: %w", cmp.Or(err, io.ErrUnexpectedEOF))
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, ok := m.mailboxes[k][folder]; !ok && p.Missing == store.UseInbox {
		folder, p.Folder = "", ""
	}
	if err := m.room(k, int64(len(octets))); err != nil {
		return err
	}
	m.add(k, store.Message{Folder: folder, Date: p.Date, Flags: slices.Clone(p.Flags)}, octets)
	return nil
}

// make makes a folder, subscribed to, if it is not there.
func (m *Memory) make(k, folder string) {
	if m.mailboxes == nil {
		m.mailboxes = map[string]map[string][]*memoryMessage{}
	}
	if m.mailboxes[k] == nil {
		m.mailboxes[k] = map[string][]*memoryMessage{"": nil}
	}
	if _, there := m.mailboxes[k][folder]; there {
		return
	}
	m.mailboxes[k][folder] = nil
	m.subscribe(k, append(m.subscriptions[k], folder))
}

// add keeps a message; it gives it what it lacks.
func (m *Memory) add(k string, msg store.Message, octets []byte) {
	m.make(k, msg.Folder)
	now := time.Now
	if m.Now != nil {
		now = m.Now
	}
	if msg.Date.IsZero() {
		msg.Date = now()
	}
	m.last++
	msg.ID, msg.Size = strconv.Itoa(m.last), int64(len(octets))
	m.mailboxes[k][msg.Folder] = append(m.mailboxes[k][msg.Folder], &memoryMessage{msg, octets})
}

// All returns the messages of a folder ("" is INBOX) whole, in the order they came: what a test wants to see.
func (m *Memory) All(mailbox, folder string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	k, err := key(mailbox)
	if err != nil {
		return nil
	}
	var all []string
	for _, msg := range m.mailboxes[k][folder] {
		all = append(all, string(msg.octets))
	}
	return all
}

// Close implements store.Store.
func (m *Memory) Close() error { return nil }
