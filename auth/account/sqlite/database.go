package sqlite

import (
	"context"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"lmtpd/store/sqldb"
)

// A database is one that is open, and which file it is.
type database struct {
	*sqldb.DB
	file     unix.Stat_t
	borrowed int // by how many; under the lock of the source
}

// openDatabase opens what is at a path.
func openDatabase(ctx context.Context, path string) (*database, error) {
	var file unix.Stat_t
	if err := unix.Stat(path, &file); err != nil {
		return nil, fmt.Errorf("find accounts: %w", &fs.PathError{Op: "stat", Path: path, Err: err})
	}
	db, err := sqldb.OpenReadOnly(ctx, path, kind())
	if err != nil {
		return nil, err
	}
	return &database{DB: db, file: file}, nil
}

// isAt says whether the file is still at the path.
func (db *database) isAt(path string) bool {
	var now unix.Stat_t
	return unix.Stat(path, &now) == nil && now.Dev == db.file.Dev && now.Ino == db.file.Ino
}
