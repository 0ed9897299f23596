package maildir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"lmtpd/store"
)

// Open opens a message. It is read as it is written, with CRLF for each LF that has no CR before it.
func (s *Store) Open(ctx context.Context, mailbox store.Mailbox, folder, id string) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := s.onMessage(ctx, &store.Placement{Mailbox: mailbox, Folder: folder}, id, func(d *dir, m found) (err error) {
		r, err = d.open(m)
		return err
	})
	return r, err
}

// SetFlags replaces the flags of a message, and moves it to cur/ if it was new. Letters that stand for nothing we know stay.
func (s *Store) SetFlags(ctx context.Context, mailbox store.Mailbox, folder, id string, flags []store.Flag) error {
	return s.onMessage(ctx, &store.Placement{Mailbox: mailbox, Folder: folder}, id, func(d *dir, m found) error {
		k, err := s.keywordsFor(d, flags)
		if err != nil {
			return err
		}
		to := "cur/" + m.id + ":2," + replaceLetters(m.flags, flags, k)
		if to == m.file {
			return nil
		}
		if err := d.root.Rename(m.file, to); err != nil {
			return err
		}
		return s.syncBoth(d)
	})
}

// Remove deletes a message.
func (s *Store) Remove(ctx context.Context, mailbox store.Mailbox, folder, id string) error {
	return s.onMessage(ctx, &store.Placement{Mailbox: mailbox, Folder: folder}, id, func(d *dir, m found) error {
		count, err := s.posting(ctx, mailbox, folder, nil)
		if err != nil {
			return err
		}
		defer count.end()
		size, err := d.diskSize(m.baseName, m.file)
		if err != nil {
			return err
		}
		if err := d.root.Remove(m.file); err != nil {
			return err
		}
		count.add(store.Usage{Messages: -1, Octets: -size})
		return s.syncBoth(d)
	})
}

// onMessage does something to a message. Another program may rename the file at any moment, so it is looked for once more
// when it was not where it had been found.
func (s *Store) onMessage(ctx context.Context, p *store.Placement, id string, do func(*dir, found) error) error {
	return s.onFolder(ctx, p.Mailbox, p.Folder, func(d *dir) error {
		var err error
		for range 3 {
			var m found
			if m, err = s.find(d, p, id); err != nil {
				return err
			}
			if err = do(d, m); !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return fmt.Errorf("%w: %s: %w", store.ErrNoMessage, id, err)
	})
}

// syncBoth brings a change of names in new/ and cur/ to the disk.
func (s *Store) syncBoth(d *dir) error {
	for _, where := range []string{"cur", "new"} {
		sub, err := d.sub(where)
		if err != nil {
			return err
		}
		err = s.fs.syncDir(sub.fd())
		sub.Close()
		if err != nil {
			return fmt.Errorf("sync %s/%s: %w", d.name(), where, err)
		}
	}
	return nil
}
