package sqlite

import (
	"context"
	"fmt"

	"lmtpd/store"
)

// SetFlags replaces the flags of a message.
func (s *Store) SetFlags(ctx context.Context, mailbox store.Mailbox, folder, id string, flags []store.Flag) error {
	words := flagWords(flags)
	return s.onMessage(ctx, mailbox, folder, func(t *tx, in int64) error {
		n, err := parseID(id)
		if err != nil {
			return err
		}
		return t.change("set flags", noMessage(id), updateFlags, words, n, in)
	})
}

// Remove deletes a message, and its content with the last copy.
func (s *Store) Remove(ctx context.Context, mailbox store.Mailbox, folder, id string) error {
	return s.onMessage(ctx, mailbox, folder, func(t *tx, in int64) error {
		n, err := parseID(id)
		if err != nil {
			return err
		}
		return t.change("delete copy", noMessage(id), deleteCopy, n, in)
	})
}

// Move puts a message into another folder, where it gets a UID of its own.
func (s *Store) Move(ctx context.Context, mailbox store.Mailbox, folder, id, to string) error {
	to, err := folderName(to)
	if err != nil {
		return err
	}
	return s.onFolder(ctx, mailbox, folder, func(db *database, p place) error {
		return db.writer.change(ctx, func(t *tx) error { return t.move(p, id, to) })
	})
}

func (t *tx) move(p place, id, to string) error {
	n, err := parseID(id)
	if err != nil {
		return err
	}
	from, err := t.existing(p)
	if err != nil {
		return err
	}
	there, err := t.id("find copy", selectID, n, from)
	if err != nil {
		return err
	}
	if there == 0 {
		return noMessage(id)
	}
	if to == p.folder {
		return nil
	}
	into, err := t.makeFolder(place{p.mailbox, to})
	if err != nil {
		return err
	}
	return t.change("move copy", noMessage(id), moveCopy, n, into, from)
}

// MakeFolder makes a folder, and the mailbox if it is not there.
func (s *Store) MakeFolder(ctx context.Context, mailbox store.Mailbox, folder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	name, path, err := s.find(mailbox)
	if err != nil {
		return err
	}
	if folder, err = folderName(folder); err != nil {
		return err
	}
	db, err := s.pool.lend(ctx, path, mayMake)
	if err != nil {
		return err
	}
	defer s.pool.giveBack(db)
	return classify(db.writer.change(ctx, func(t *tx) error {
		_, err := t.makeFolder(place{name, folder})
		return err
	}))
}

// onMessage changes something in a folder.
func (s *Store) onMessage(ctx context.Context, mailbox store.Mailbox, folder string, do func(t *tx, in int64) error) error {
	return s.onFolder(ctx, mailbox, folder, func(db *database, p place) error {
		return db.writer.change(ctx, func(t *tx) error {
			in, err := t.existing(p)
			if err != nil {
				return err
			}
			return do(t, in)
		})
	})
}

// Sweep removes contents that were begun and never finished, once they are old enough to be nobody's.
func (s *Store) Sweep(ctx context.Context) (removed int, err error) {
	s.running.Add(1)
	defer s.running.Done()
	for path, e := range s.paths(ctx) {
		n := 0
		if e == nil {
			n, e = s.sweep(ctx, path)
		}
		removed += n
		if e != nil && err == nil {
			err = fmt.Errorf("sweep: %w", e)
		}
	}
	return removed, err
}
