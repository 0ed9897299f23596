package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"lmtpd/auth/account"
	"lmtpd/store/sqldb"
)

// Create makes a database without accounts that only its owner may read. A file that is there is an error that wraps
// fs.ErrExist.
func Create(path string) error {
	db, err := sqldb.Create(context.Background(), path, kind())
	if err != nil {
		return err
	}
	return db.Close()
}

// List returns the accounts of a database, by name. Rows that can be no account are an error, and the others are returned with it.
func List(path string) ([]account.Account, error) {
	ctx := context.Background()
	db, err := sqldb.OpenReadOnly(ctx, path, kind())
	if err != nil {
		return nil, err
	}
	var all []account.Account
	err = db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		all, err = list(ctx, conn)
		return err
	})
	if err = errors.Join(err, db.Close()); err != nil {
		return all, fmt.Errorf("list accounts of %s: %w", path, err)
	}
	return all, nil
}

func list(ctx context.Context, conn *sql.Conn) ([]account.Account, error) {
	rows, err := conn.QueryContext(ctx, selectAll)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []account.Account
	var errs []error
	for rows.Next() {
		if a, err := scan(rows); err == nil {
			all = append(all, a)
		} else {
			errs = append(errs, err)
		}
	}
	return all, errors.Join(append(errs, rows.Err())...)
}

// Edit has change work on a draft of the accounts and then commits the draft, as one change that is there even if the
// power fails. If change returns an error, nothing is changed and that is returned. One at a time may edit: who comes
// while somebody else has the database locked waits a while, and then it is account.ErrLocked.
func Edit(path string, change func(*Draft) error) error {
	return edit(context.Background(), path, change)
}

func edit(ctx context.Context, path string, change func(*Draft) error) error {
	db, err := sqldb.Open(ctx, path, kind())
	if err == nil {
		err = errors.Join(db.Write(ctx, func(ctx context.Context, conn *sql.Conn) error {
			return change(&Draft{ctx, conn})
		}), db.Close())
	}
	if sqldb.IsBusy(err) {
		return fmt.Errorf("%s: %w: %w", path, account.ErrLocked, err)
	}
	return err
}
