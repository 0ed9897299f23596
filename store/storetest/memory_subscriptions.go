package storetest

import (
	"context"
	"slices"

	"lmtpd/store"
)

// Subscriptions implements store.Subscriber.
func (m *Memory) Subscriptions(ctx context.Context, mailbox store.Mailbox) (folders []string, err error) {
	err = m.with(ctx, mailbox, "", func(map[string][]*memoryMessage, string) error {
		k, _ := key(mailbox.Name)
		folders = slices.Clone(m.subscriptions[k])
		return nil
	})
	return folders, err
}

// SetSubscriptions implements store.Subscriber.
func (m *Memory) SetSubscriptions(ctx context.Context, mailbox store.Mailbox, folders []string) error {
	var names []string
	for _, f := range folders {
		name, err := folderName(f)
		if err != nil {
			return err
		}
		names = append(names, name)
	}
	return m.with(ctx, mailbox, "", func(map[string][]*memoryMessage, string) error {
		k, _ := key(mailbox.Name)
		m.subscribe(k, names)
		return nil
	})
}

// subscribe replaces a list.
func (m *Memory) subscribe(k string, folders []string) {
	if m.subscriptions == nil {
		m.subscriptions = map[string][]string{}
	}
	folders = slices.DeleteFunc(slices.Clone(folders), func(name string) bool { return name == "" })
	slices.Sort(folders)
	m.subscriptions[k] = slices.Compact(folders)
}
