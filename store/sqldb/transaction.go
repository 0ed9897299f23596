package sqldb

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"time"
)

const (
	busyTimeout = 100 * time.Millisecond // how long SQLite waits for a lock, deaf to contexts
	busyPause   = 10 * time.Millisecond  // between one attempt and the next
	patience    = 10 * time.Second       // how long a lock is waited for in all
	maxCutOff   = 5                      // how often what was cut off may be met at once
)

// Read has look read from the database. What it reads in one query is one state; for several queries of the same
// state it begins a transaction. If somebody has locked the database look is called again, so it starts anew each time.
//
// Where a change was cut off before its commit, by a crash say, SQLite must roll it back first. Who has opened the
// database to read does that by opening it to write for a moment, if he may.
func (db *DB) Read(ctx context.Context, look func(context.Context, *sql.Conn) error) error {
	err := db.read(ctx, look)
	for tries := 0; isCutOff(err) && tries < maxCutOff; tries++ {
		// SQLite says so as well when the change is over that very moment, and then there is nothing to be done.
		if tries > 0 {
			if mended := db.mend(ctx); mended != nil && tries == maxCutOff-1 {
				return fmt.Errorf("a change was cut off, and cannot be rolled back (%w): %w", mended, err)
			}
		}
		err = db.read(ctx, look)
	}
	return err
}

// mend rolls back what was cut off.
func (db *DB) mend(ctx context.Context) error {
	writing, err := Open(ctx, db.path, db.kind)
	if err != nil {
		return err
	}
	return writing.Close()
}

func (db *DB) read(ctx context.Context, look func(context.Context, *sql.Conn) error) error {
	return untilFree(ctx, func() error {
		conn, err := db.readers.Conn(ctx)
		if err != nil {
			return err
		}
		defer conn.Close()
		return look(ctx, conn)
	})
}

// Write has change work inside a transaction that has the right to write from its beginning, and commits it. nil says
// that it is there even if the power fails now. An error of change is returned and nothing is changed. After any other
// error nothing is changed either, unless the disk fails in mid-commit, which may go both ways. After ErrMoved it is of no use
// any more. A change that meets an error must return: some end the transaction, and what is done then is done outside it.
func (db *DB) Write(ctx context.Context, change func(context.Context, *sql.Conn) error) error {
	conn, err := db.connect(ctx, db.writer)
	if err != nil {
		return err
	}
	defer conn.Close()
	return db.transact(ctx, conn, change)
}

// connect takes a connection of a pool, or makes one, for which a lock may have to be waited for.
func (db *DB) connect(ctx context.Context, pool *sql.DB) (conn *sql.Conn, err error) {
	err = untilFree(ctx, func() error {
		conn, err = pool.Conn(ctx)
		return err
	})
	return conn, err
}

// transact does not use sql.Tx: the driver ends a transaction whose commit finds a reader in its way, and this tries
// to commit it again.
func (db *DB) transact(ctx context.Context, conn *sql.Conn, change func(context.Context, *sql.Conn) error) error {
	if err := untilFree(ctx, func() error { return execute(ctx, conn, "BEGIN IMMEDIATE") }); err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	committed := false
	defer func() {
		if !committed {
			rollBack(conn)
		}
	}()
	if err := change(ctx, conn); err != nil {
		return err
	}
	if err := db.places.check(); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	if err := untilFree(ctx, func() error { return execute(ctx, conn, "COMMIT") }); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	committed = true
	return nil
}

// execute runs a statement that is over soon, and must not be cut off in the middle.
func execute(ctx context.Context, conn *sql.Conn, statement string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	_, err := conn.ExecContext(context.WithoutCancel(ctx), statement)
	return err
}

// rollBack ends a transaction. SQLite may have done so already; a connection that cannot be got out of it is of no use
// any more.
func rollBack(conn *sql.Conn) {
	conn.ExecContext(context.Background(), "ROLLBACK") // its error is the question below
	conn.Raw(func(c any) error {
		if inside, can := c.(interface{ AutoCommit() bool }); can && inside.AutoCommit() {
			return nil
		}
		return driver.ErrBadConn
	})
}

// untilFree repeats what finds the database locked, until the context or patience ends.
func untilFree(ctx context.Context, do func() error) error {
	err := do()
	if !IsBusy(err) {
		return err
	}
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for IsBusy(err) {
		select {
		case <-waiting.Done():
			if ctx.Err() != nil {
				return fmt.Errorf("%w: %w", ctx.Err(), err)
			}
			return fmt.Errorf("locked by somebody else for %v: %w", patience, err)
		case <-time.After(busyPause):
			err = do()
		}
	}
	return err
}

// Changes returns a number that is another one after somebody else, another process or another DB, has changed the database.
func (db *DB) Changes(ctx context.Context) (n int64, err error) {
	conn, err := db.connect(ctx, db.writer) // of the same connection: its own changes do not count
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	err = untilFree(ctx, func() error { return conn.QueryRowContext(ctx, "PRAGMA data_version").Scan(&n) })
	return n, err
}
