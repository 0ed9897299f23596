package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
)

// ErrMoved says that a file of an open database is not where it was opened. What is committed to it would go with it.
var ErrMoved = errors.New("the database, or its log, is not the file any more that was opened: it was moved, removed or replaced")

// places are the files of a database with a write-ahead log as they were when it was opened; none for another.
type places map[string]os.FileInfo

func findPlaces(path string, j Journal) (places, error) {
	found := places{}
	if j == Rollback { // SQLite looks itself
		return found, nil
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil {
			return nil, err
		}
		found[name] = info
	}
	return found, nil
}

// check says whether they are still there. It opens none: closing it would lose SQLite's locks.
func (p places) check() error {
	for name, was := range p {
		if info, err := os.Stat(name); err != nil || !os.SameFile(info, was) {
			return fmt.Errorf("%w: %s", ErrMoved, name)
		}
	}
	return nil
}

// Leave brings all of the log into the file, wherever that is now, and leaves an empty log: should there be another file by the
// name of the database, it must not take this log for its own.
func (db *DB) Leave(ctx context.Context) error {
	return db.keep(ctx, func(conn *sql.Conn) error {
		return untilFree(ctx, func() error {
			var busy, pages, done int
			err := conn.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &done)
			if err == nil && busy != 0 {
				err = errors.New("somebody is reading it")
			}
			return err
		})
	})
}
