package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lmtpd/store"
)

// A tx is a transaction of the writer.
type tx struct {
	*writer
	ctx      context.Context
	conn     *sql.Conn
	made     map[place]int64   // folders found or made in it
	contents map[*parcel]int64 // contents, once they are there
}

// A place is a folder of a mailbox.
type place struct{ mailbox, folder string }

// fault lets a test be in the way of a step.
func (t *tx) fault(step string) error {
	if t.store.fault == nil {
		return nil
	}
	return t.store.fault(step)
}

// exec runs a statement that changes something.
func (t *tx) exec(step, query string, args ...any) (sql.Result, error) {
	if err := t.fault(step); err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	r, err := t.conn.ExecContext(t.ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	return r, nil
}

// change is exec for what must change one row, or else it is absent.
func (t *tx) change(step string, absent error, query string, args ...any) error {
	r, err := t.exec(step, query, args...)
	if err != nil {
		return err
	}
	if n, err := r.RowsAffected(); err != nil || n == 0 {
		return errors.Join(absent, err)
	}
	return nil
}

// id looks an id up; 0 is none.
func (t *tx) id(step, query string, args ...any) (id int64, err error) {
	if err := t.fault(step); err != nil {
		return 0, fmt.Errorf("%s: %w", step, err)
	}
	err = t.conn.QueryRowContext(t.ctx, query, args...).Scan(&id)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return 0, fmt.Errorf("%s: %w", step, err)
	}
	return id, nil
}

// folder finds a folder; 0 is none.
func (t *tx) folder(p place) (id int64, err error) {
	if id, ok := t.known[p]; ok {
		return id, nil
	}
	if id, ok := t.made[p]; ok {
		return id, nil
	}
	id, err = t.id("find folder", selectFolder, p.mailbox, p.folder)
	if id != 0 {
		t.made[p] = id
	}
	return id, err
}

// makeFolder makes a folder, subscribed to, with its mailbox and the INBOX of that.
func (t *tx) makeFolder(p place) (int64, error) {
	if id, err := t.folder(p); err != nil || id != 0 {
		return id, err
	}
	if _, err := t.exec("make mailbox", insertMailbox, p.mailbox); err != nil {
		return 0, err
	}
	validity := t.store.now().Unix() // grows with time, so a folder that is made again has another (RFC 3501 §2.3.1.1)
	for _, name := range []string{"", p.folder} {
		if _, err := t.exec("make folder", insertFolder, name, validity, p.mailbox); err != nil {
			return 0, err
		}
	}
	if p.folder != "" {
		if _, err := t.exec("subscribe", subscribe, p.folder, p.mailbox); err != nil {
			return 0, err
		}
	}
	id, err := t.folder(p)
	if err == nil && id == 0 {
		err = fmt.Errorf("folder %q of %s is not there after it was made", p.folder, p.mailbox)
	}
	return id, err
}

// existing is folder for what must be there.
func (t *tx) existing(p place) (int64, error) {
	id, err := t.folder(p)
	if err != nil || id != 0 {
		return id, err
	}
	if id, err = t.id("find mailbox", selectMailbox, p.mailbox); err == nil && id == 0 {
		return 0, noMailbox(p.mailbox)
	}
	return 0, errors.Join(err, noFolder(p.folder))
}

func noMailbox(name string) error  { return fmt.Errorf("%w: %s", store.ErrNoMailbox, name) }
func noFolder(folder string) error { return fmt.Errorf("%w: %q", store.ErrNoFolder, folder) }
func noMessage(id string) error    { return fmt.Errorf("%w: %s", store.ErrNoMessage, id) }
