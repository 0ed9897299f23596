package maildir

import (
	"context"
	"errors"

	"lmtpd/store"
)

// addUp adds up what a mailbox holds with CRLF line ends, from the names where they tell.
func (s *Store) addUp(ctx context.Context, mailbox store.Mailbox) (u store.Usage, err error) {
	err = s.onMailbox(ctx, mailbox, func(d *dir) error {
		folders, err := d.folders()
		if err != nil {
			return err
		}
		for _, folder := range append([]string{""}, folders...) {
			if folder != "" && mailbox.Quota.Ignores(folder) {
				continue
			}
			if err := errors.Join(ctx.Err(), d.addUsage(&u, folder)); err != nil {
				return err
			}
		}
		return nil
	})
	return u, err
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
