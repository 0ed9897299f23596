package sqlite

import (
	"context"
	"database/sql"

	"lmtpd/store"
)

// Subscriptions lists the folders that a mailbox is subscribed to.
func (s *Store) Subscriptions(ctx context.Context, mailbox store.Mailbox) (folders []string, err error) {
	err = s.on(ctx, mailbox, func(db *database, name string) error {
		folders, err = db.list(ctx, selectListed, name)
		return err
	})
	return folders, err
}

// list reads the names that a query has for a mailbox.
func (d *database) list(ctx context.Context, query, mailbox string) (names []string, err error) {
	err = d.look(ctx, func(v view) error {
		names = nil
		id, err := v.mailbox(mailbox)
		if err != nil {
			return err
		}
		return v.all(query, []any{id}, func(rows *sql.Rows) error {
			var name string
			err := rows.Scan(&name)
			names = append(names, name)
			return err
		})
	})
	return names, err
}

// SetSubscriptions replaces the list.
func (s *Store) SetSubscriptions(ctx context.Context, mailbox store.Mailbox, folders []string) error {
	var names []string
	for _, f := range folders {
		name, err := folderName(f)
		if err != nil {
			return err
		}
		if name != "" {
			names = append(names, name)
		}
	}
	return s.on(ctx, mailbox, func(db *database, name string) error {
		return db.writer.change(ctx, func(t *tx) error { return t.subscribe(name, names) })
	})
}

func (t *tx) subscribe(mailbox string, folders []string) error {
	id, err := t.id("find mailbox", selectMailbox, mailbox)
	if err != nil {
		return err
	}
	if id == 0 {
		return noMailbox(mailbox)
	}
	if _, err := t.exec("unsubscribe", unsubscribe, id); err != nil {
		return err
	}
	for _, f := range folders {
		if _, err := t.exec("subscribe", subscribe, f, mailbox); err != nil {
			return err
		}
	}
	return nil
}
