package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lmtpd/store/directory"
)

// Checkpoint brings what is in the write-ahead log into the file, as far as nobody reads what is older, and says how many of the
// log's pages are left. Nobody waits for it, and it waits for nobody.
func (db *DB) Checkpoint(ctx context.Context) (left int, err error) {
	err = db.keep(ctx, func(conn *sql.Conn) error {
		var busy, pages, done int
		err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &done)
		left = pages - done
		return err
	})
	return left, err
}

// CutLog empties a write-ahead log that has more octets than that, once all of it is in the file. Where somebody reads or writes
// just now it is left alone.
func (db *DB) CutLog(ctx context.Context, octets int64) error {
	info, err := os.Stat(db.path + "-wal")
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Size() <= octets {
		return nil
	}
	if err != nil {
		return fmt.Errorf("cut the log: %w", err)
	}
	return db.keep(ctx, func(conn *sql.Conn) error {
		var busy, pages, done int
		return conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done)
	})
}

// keep has do use the connection that is for the upkeep of the database.
func (db *DB) keep(ctx context.Context, do func(*sql.Conn) error) error {
	conn, err := db.connect(ctx, db.keeper)
	if err != nil {
		return err
	}
	defer conn.Close()
	return do(conn)
}

// Backup writes the database as it is at one moment to a new file, for its owner alone, and syncs it. What is there already is
// an error that wraps fs.ErrExist. After any other error nothing is left.
func (db *DB) Backup(ctx context.Context, path string) error {
	if err := makeFile(path); err != nil {
		return fmt.Errorf("back up: %w", err)
	}
	err := db.keep(ctx, func(conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "VACUUM INTO ?", path)
		return err
	})
	if err == nil {
		err = syncFile(path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("back up: %w", err), os.Remove(path))
	}
	return directory.Sync(filepath.Dir(path))
}

// syncFile brings a file that SQLite has closed to the disk.
func syncFile(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
