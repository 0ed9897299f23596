package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"

	"lmtpd/store"
)

// Check says whether a mailbox would take so much more now, from the counts of its folders. One that is not there yet is as
// good as one that is.
func (s *Store) Check(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	err := s.on(ctx, mailbox, func(db *database, name string) error {
		if err := db.hasRoom(ctx, more.Octets); err != nil || !mailbox.Quota.Limited() {
			return err
		}
		used, err := db.usage(ctx, name, mailbox.Quota)
		if err != nil && !errors.Is(err, store.ErrNoMailbox) {
			return err
		}
		return mailbox.Quota.Check(used, more)
	})
	if errors.Is(err, fs.ErrNotExist) { // there is no database yet
		return mailbox.Quota.Check(store.Usage{}, more)
	}
	return err
}

// Usage adds the counts of the folders up.
func (s *Store) Usage(ctx context.Context, mailbox store.Mailbox) (used store.Usage, err error) {
	err = s.on(ctx, mailbox, func(db *database, name string) error {
		used, err = db.usage(ctx, name, mailbox.Quota)
		return err
	})
	return used, err
}

func (d *database) usage(ctx context.Context, name string, q store.Quota) (used store.Usage, err error) {
	err = d.look(ctx, func(v view) error {
		used = store.Usage{}
		counts, err := v.counts(name)
		for _, c := range counts {
			if c.folder == "" || !q.Ignores(c.folder) {
				used.Messages += c.held.Messages
				used.Octets += c.held.Octets
			}
		}
		return err
	})
	return used, err
}

// A count is what a folder holds, as its columns say.
type count struct {
	id     int64
	folder string
	held   store.Usage
}

func (v view) counts(mailbox string) (all []count, err error) {
	id, err := v.mailbox(mailbox)
	if err != nil {
		return nil, err
	}
	err = v.all(selectCounts, []any{id}, func(rows *sql.Rows) error {
		var c count
		err := rows.Scan(&c.id, &c.folder, &c.held.Messages, &c.held.Octets)
		all = append(all, c)
		return err
	})
	return all, err
}

// Recount counts what is there and corrects the columns. It counts one state of the database while others write on; what they
// change is the same in the columns and in what is there, so it is the difference that is corrected.
func (s *Store) Recount(ctx context.Context, mailbox store.Mailbox) (used store.Usage, err error) {
	err = s.on(ctx, mailbox, func(db *database, name string) error {
		var wrong []count
		if err := db.look(ctx, func(v view) (err error) {
			wrong, err = v.miscounts(name)
			return err
		}); err != nil {
			return err
		}
		if len(wrong) > 0 {
			if err := db.writer.change(ctx, func(t *tx) error { return t.correct(wrong) }); err != nil {
				return err
			}
		}
		used, err = db.usage(ctx, name, mailbox.Quota)
		return err
	})
	return used, err
}

// miscounts gives the folders whose columns are wrong, and what is missing in them.
func (v view) miscounts(mailbox string) (wrong []count, err error) {
	err = v.snapshot(func() error {
		counts, err := v.counts(mailbox)
		if err != nil {
			return err
		}
		for _, c := range counts {
			var there store.Usage
			if _, err := v.one(countFolder, []any{c.id}, &there.Messages, &there.Octets); err != nil {
				return err
			}
			if there != c.held {
				c.held = store.Usage{Messages: there.Messages - c.held.Messages, Octets: there.Octets - c.held.Octets}
				wrong = append(wrong, c)
			}
		}
		return nil
	})
	return wrong, err
}

// snapshot has do see one state of the database in all its queries.
func (v view) snapshot(do func() error) error {
	if _, err := v.conn.ExecContext(v.ctx, "BEGIN"); err != nil {
		return err
	}
	err := do()
	_, end := v.conn.ExecContext(context.WithoutCancel(v.ctx), "ROLLBACK")
	return errors.Join(err, end)
}

func (t *tx) correct(wrong []count) error {
	for _, c := range wrong {
		if _, err := t.exec("correct count", correct, c.held.Messages, c.held.Octets, c.id); err != nil {
			return err
		}
	}
	return nil
}
