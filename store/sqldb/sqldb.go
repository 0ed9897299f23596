// Package sqldb opens SQLite databases: it is the one place where lmtpd does, so that each of them is durable, ours,
// and of a schema that is known.
//
// What is promised of a database that is open. Every connection has its settings set and read back, because the
// driver sets synchronous=NORMAL by itself, lets unknown keys of a name pass, and SQLite may refuse a setting without
// an error; one that did not take is an error. A transaction that was committed survives a power cut: synchronous is
// FULL with a write-ahead log and EXTRA with a rollback journal, and a new file's directory is synced. A file belongs to one
// kind of database, told by its application_id, and another program's is refused before anything is changed in it.
// Its schema has a number, user_version: older ones are led to the present one in one transaction, and newer ones are
// refused. Any path is taken as it stands, with ?, # and % in it too. New files are for their owner alone, and the
// files that SQLite puts beside them have the same mode.
//
// A context ends the waiting for a lock, which it does not with the driver alone: SQLite waits a tenth of a second, and
// the rest is done here. Without a deadline that takes ten seconds at most.
//
// What it does not do: it makes no directories, keeps no statement for its callers beyond a cache in each
// connection, reads no large values piece by piece, and does not look for damage that no query meets (lmtpd is built
// with cgo; without it every database is an error).
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// A Kind says what databases of one kind have in common. Two kinds never have the same ApplicationID.
type Kind struct {
	Name          string // in errors, as in "accounts"
	ApplicationID int32  // in the header of every file; not 0, which is nobody's
	Journal       Journal
	Layout        string   // pragmas that a new file needs before anything is in it, as page_size
	LogPages      int      // that a write-ahead log has before a commit itself makes a checkpoint, and keeps after; 0: 1000, and any number
	Steps         []string // Steps[n] makes schema n+1 of schema n. One that was released never changes.
}

// A Journal says how a database survives what cuts a transaction off.
type Journal int

const (
	// WAL is for what is written all the time: readers and a writer do not wait for each other, and a commit is one
	// sync. Who reads must be able to write to the directory, too, or have come after one who can.
	WAL Journal = iota
	// Rollback is for what is written now and then: who reads needs no right but to read the file, and waits for the
	// moment of a commit. A file that somebody has turned to WAL stays so.
	Rollback
)

// A DB is an open database. Its methods may be called from many goroutines at once.
type DB struct {
	path    string
	kind    Kind
	places  places
	writer  *sql.DB // one connection; nil if it was opened to be read only
	keeper  *sql.DB // one connection beside it, for what takes long; nil like that
	readers *sql.DB
}

// Create makes a database and opens it. A file that is there is an error that wraps fs.ErrExist.
func Create(ctx context.Context, path string, kind Kind) (*DB, error) {
	if err := makeFile(path); err != nil {
		return nil, fmt.Errorf("make %s: %w", kind.Name, err)
	}
	db, err := Open(ctx, path, kind)
	if err != nil {
		return nil, errors.Join(err, os.Remove(path))
	}
	return db, nil
}

// Open opens a database to write and read it, and brings its schema up to date. An empty file is a new database. That there is
// no file is an error that wraps fs.ErrNotExist.
func Open(ctx context.Context, path string, kind Kind) (*DB, error) {
	path, err := findFile(path, forWriting)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", kind.Name, err)
	}
	db := &DB{path: path, kind: kind}
	db.writer = sql.OpenDB(&connector{path: path, kind: kind, access: forWriting})
	db.writer.SetMaxOpenConns(1) // SQLite has one writer at a time, and here they queue without being asked to try again
	db.writer.SetMaxIdleConns(1)
	db.keeper = sql.OpenDB(&connector{path: path, kind: kind, access: forUpkeep})
	db.keeper.SetMaxOpenConns(1)
	db.openReaders(besideWriting)
	err = db.migrate(ctx)
	if err == nil {
		db.places, err = findPlaces(path, kind.Journal)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", kind.Name, explain(path, err)), db.Close())
	}
	return db, nil
}

// OpenReadOnly opens a database that somebody else may be writing. It changes nothing, and an older schema is an error.
func OpenReadOnly(ctx context.Context, path string, kind Kind) (*DB, error) {
	path, err := findFile(path, forReading)
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", kind.Name, err)
	}
	db := &DB{path: path, kind: kind}
	db.openReaders(forReading)
	err = db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		version, err := kind.version(ctx, conn)
		if err == nil && version < len(kind.Steps) {
			err = fmt.Errorf("its schema %d is older than %d: it must be opened for writing once", version, len(kind.Steps))
		}
		return err
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", kind.Name, explain(path, err)), db.Close())
	}
	return db, nil
}

func (db *DB) openReaders(a access) {
	n := max(4, runtime.GOMAXPROCS(0))
	db.readers = sql.OpenDB(&connector{path: db.path, kind: db.kind, access: a})
	db.readers.SetMaxOpenConns(n)
	db.readers.SetMaxIdleConns(n)
}

// Path returns where the database is, links resolved.
func (db *DB) Path() string { return db.path }

// Close waits for what is under way and closes the database.
func (db *DB) Close() error {
	errs := []error{db.readers.Close()}
	if db.writer != nil {
		errs = append(errs, db.keeper.Close(), db.writer.Close()) // the last to go: it empties the log
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("close %s: %w", filepath.Base(db.path), err)
	}
	return nil
}
