package storetest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"lmtpd/store"
)

// Mailboxes implements store.Store.
func (m *Memory) Mailboxes(ctx context.Context) iter.Seq2[string, error] {
	m.mu.Lock()
	keys := slices.Sorted(maps.Keys(m.mailboxes))
	m.mu.Unlock()
	return func(yield func(string, error) bool) {
		for _, k := range keys {
			name, _ := layout().Mailbox(k)
			if !yield(name, ctx.Err()) {
				return
			}
		}
	}
}

// with calls f with a folder of a mailbox, locked.
func (m *Memory) with(ctx context.Context, mailbox store.Mailbox, folder string, f func(folders map[string][]*memoryMessage, folder string) error) error {
	if err := m.fault(ctx, OpRead, mailbox); err != nil {
		return err
	}
	k, err := key(mailbox.Name)
	if err != nil {
		return err
	}
	if folder, err = folderName(folder); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	folders, ok := m.mailboxes[k]
	if !ok {
		return fmt.Errorf("%w: %s", store.ErrNoMailbox, mailbox.Name)
	}
	if _, ok := folders[folder]; !ok {
		return fmt.Errorf("%w: %q", store.ErrNoFolder, folder)
	}
	return f(folders, folder)
}

// message calls f with the place of a message.
func (m *Memory) message(ctx context.Context, mailbox store.Mailbox, folder, id string, f func(list []*memoryMessage, i int) []*memoryMessage) error {
	return m.with(ctx, mailbox, folder, func(folders map[string][]*memoryMessage, folder string) error {
		i := slices.IndexFunc(folders[folder], func(msg *memoryMessage) bool { return msg.ID == id })
		if i < 0 {
			return fmt.Errorf("%w: %s", store.ErrNoMessage, id)
		}
		folders[folder] = f(folders[folder], i)
		return nil
	})
}

// Folders implements store.Store.
func (m *Memory) Folders(ctx context.Context, mailbox store.Mailbox) (names []string, err error) {
	err = m.with(ctx, mailbox, "", func(folders map[string][]*memoryMessage, _ string) error {
		names = slices.DeleteFunc(slices.Sorted(maps.Keys(folders)), func(name string) bool { return name == "" })
		return nil
	})
	return names, err
}

// Messages implements store.Store.
func (m *Memory) Messages(ctx context.Context, mailbox store.Mailbox, folder string) (list []store.Message, err error) {
	err = m.with(ctx, mailbox, folder, func(folders map[string][]*memoryMessage, folder string) error {
		for _, msg := range folders[folder] {
			list = append(list, msg.Message)
		}
		slices.SortStableFunc(list, func(a, b store.Message) int { return a.Date.Compare(b.Date) })
		return nil
	})
	return list, err
}

// Open implements store.Store.
func (m *Memory) Open(ctx context.Context, mailbox store.Mailbox, folder, id string) (r io.ReadCloser, err error) {
	err = m.message(ctx, mailbox, folder, id, func(list []*memoryMessage, i int) []*memoryMessage {
		r = io.NopCloser(bytes.NewReader(list[i].octets))
		return list
	})
	return r, err
}

// SetFlags implements store.Store.
func (m *Memory) SetFlags(ctx context.Context, mailbox store.Mailbox, folder, id string, flags []store.Flag) error {
	return m.message(ctx, mailbox, folder, id, func(list []*memoryMessage, i int) []*memoryMessage {
		list[i].Flags = slices.Clone(flags)
		return list
	})
}

// MakeFolder implements store.Store.
func (m *Memory) MakeFolder(ctx context.Context, mailbox store.Mailbox, folder string) error {
	if err := m.fault(ctx, OpRead, mailbox); err != nil {
		return err
	}
	k, err := key(mailbox.Name)
	if err != nil {
		return err
	}
	if folder, err = folderName(folder); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.make(k, folder)
	return nil
}

// Move implements store.Store.
func (m *Memory) Move(ctx context.Context, mailbox store.Mailbox, folder, id, to string) error {
	to, err := folderName(to)
	if err != nil {
		return err
	}
	return m.message(ctx, mailbox, folder, id, func(list []*memoryMessage, i int) []*memoryMessage {
		msg := list[i]
		if msg.Folder == to {
			return list
		}
		k, _ := key(mailbox.Name)
		m.make(k, to)
		msg.Folder = to
		m.mailboxes[k][to] = append(m.mailboxes[k][to], msg)
		return slices.Delete(list, i, i+1)
	})
}

// Remove implements store.Store.
func (m *Memory) Remove(ctx context.Context, mailbox store.Mailbox, folder, id string) error {
	return m.message(ctx, mailbox, folder, id, func(list []*memoryMessage, i int) []*memoryMessage {
		return slices.Delete(list, i, i+1)
	})
}

// Usage implements store.Store.
func (m *Memory) Usage(ctx context.Context, mailbox store.Mailbox) (u store.Usage, err error) {
	err = m.with(ctx, mailbox, "", func(map[string][]*memoryMessage, string) error {
		k, _ := key(mailbox.Name)
		u = m.usage(k, mailbox.Quota)
		return nil
	})
	return u, err
}

// Recount implements store.Store.
func (m *Memory) Recount(ctx context.Context, mailbox store.Mailbox) (store.Usage, error) {
	return m.Usage(ctx, mailbox)
}

func (m *Memory) usage(k string, q store.Quota) (u store.Usage) {
	for folder, list := range m.mailboxes[k] {
		if q.Ignores(folder) {
			continue
		}
		for _, msg := range list {
			u.Messages++
			u.Octets += msg.Size
		}
	}
	return u
}
