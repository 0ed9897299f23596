package maildir

import (
	"context"
	"errors"

	"lmtpd/store"
)

// Usage adds up what a mailbox holds, from the names where they tell.
func (s *Store) Usage(ctx context.Context, mailbox store.Mailbox) (u store.Usage, err error) {
	d, err := s.existing(ctx, mailbox)
	if err != nil {
		return u, err
	}
	defer d.Close()
	folders, err := d.folders()
	if err != nil {
		return u, err
	}
	for _, folder := range append([]string{""}, folders...) {
		if err := errors.Join(ctx.Err(), d.addUsage(&u, folder)); err != nil {
			return u, err
		}
	}
	return u, nil
}

// Recount is Usage, which counts each time.
func (s *Store) Recount(ctx context.Context, mailbox store.Mailbox) (store.Usage, error) {
	return s.Usage(ctx, mailbox)
}

func (d *dir) addUsage(u *store.Usage, folder string) error {
	f, err := d.folder(folder)
	if err != nil {
		return err
	}
	if f != d {
		defer f.Close()
	}
	all, err := f.messages()
	if err != nil {
		return err
	}
	for _, m := range all {
		size, err := f.size(m)
		if passable(err) {
			continue
		}
		if err != nil {
			return err
		}
		u.Messages++
		u.Octets += size
	}
	return nil
}
