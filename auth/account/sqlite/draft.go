package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lmtpd/auth/account"
)

// A Draft is the accounts as they will be. Its methods do what those of account.Draft do. Names are folded, and taken
// as they stand: no local-part is looked for.
type Draft struct {
	ctx  context.Context // that of the transaction, which is over before Edit returns
	conn *sql.Conn
}

// Account returns the account of a name, or account.ErrNotFound.
func (d *Draft) Account(name string) (account.Account, error) {
	return scan(d.conn.QueryRowContext(d.ctx, selectOne, account.Fold(name)))
}

// Add puts an account in, or returns account.ErrExists.
func (d *Draft) Add(a account.Account) error {
	a.Name = account.Fold(a.Name)
	if err := check(a); err != nil {
		return fmt.Errorf("add %q: %w", a.Name, err)
	}
	switch _, err := d.Account(a.Name); {
	case err == nil:
		return fmt.Errorf("add %s: %w", a.Name, account.ErrExists)
	case !errors.Is(err, account.ErrNotFound):
		return fmt.Errorf("add %s: %w", a.Name, err)
	}
	_, err := d.conn.ExecContext(d.ctx, insertOne, a.Name, a.Password, valueOf(a.UID), valueOf(a.GID), a.Home, a.Mail,
		a.Quota.Octets, a.Quota.Messages, a.Disabled.Login, a.Disabled.Delivery)
	if err != nil {
		return fmt.Errorf("add %s: %w", a.Name, err)
	}
	return nil
}

// SetPassword replaces the hash of an account; "" is none.
func (d *Draft) SetPassword(name, hash string) error {
	return d.change(name, func(a *account.Account) { a.Password = hash })
}

// SetDisabled bars an account from login and delivery, or lets it again.
func (d *Draft) SetDisabled(name string, to account.Disabled) error {
	return d.change(name, func(a *account.Account) { a.Disabled = to })
}

// Remove takes an account away.
func (d *Draft) Remove(name string) error {
	done, err := d.conn.ExecContext(d.ctx, deleteOne, account.Fold(name))
	if err != nil {
		return fmt.Errorf("remove %s: %w", name, err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return fmt.Errorf("remove %s: %w", name, errors.Join(account.ErrNotFound, err))
	}
	return nil
}

// change writes what may change of an account, and checks what it has become.
func (d *Draft) change(name string, edit func(*account.Account)) error {
	a, err := d.Account(name)
	if err == nil {
		edit(&a)
		err = check(a)
	}
	if err == nil {
		_, err = d.conn.ExecContext(d.ctx, updateOne, a.Password, a.Disabled.Login, a.Disabled.Delivery, a.Name)
	}
	if err != nil {
		return fmt.Errorf("change %s: %w", name, err)
	}
	return nil
}

// check says what the schema cannot keep.
func check(a account.Account) error {
	if len(a.Groups) > 0 {
		return errors.New("the database has no place for groups")
	}
	return a.Check()
}
