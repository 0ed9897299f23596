package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"lmtpd/store"
	"lmtpd/store/directory"
	"lmtpd/store/sqldb"
)

// A database is a file of mailboxes and the goroutine that writes it.
type database struct {
	store  *Store
	path   string
	opened chan struct{} // closed when it is open or cannot be opened
	err    error         // why not, after that
	db     *sqldb.DB
	dir    *os.File // that it lies in, to ask for free space
	writer *writer
	close  func() error // waits for the writer and closes it; again, it says what it said

	users   int   // guarded by the mu of the pool
	lent    int64 // the same
	leaving bool  // the same: its files are not where they were, and it is not lent any more

	wasThere bool // there was one at path, and it was moved or removed
}

func newDatabase(s *Store, path string) *database {
	d := &database{store: s, path: path, opened: make(chan struct{})}
	d.close = sync.OnceValue(d.end)
	return d
}

// open opens the file and starts the writer.
func (d *database) open(absent absence) (err error) {
	ctx := context.Background()
	d.db, err = sqldb.Open(ctx, d.path, kind())
	switch {
	case !errors.Is(err, fs.ErrNotExist) || absent != mayMake:
	case d.wasThere: // who moved it may be about to put another there
		return fmt.Errorf("%w; it was there: put it back, or start lmtpd anew to have a new one made", err)
	default:
		err = d.make(ctx)
	}
	if sqldb.IsCorrupt(err) {
		return fmt.Errorf("%w; put a backup in its place, or save what can be saved with sqlite3's .recover", err)
	}
	if err != nil {
		return err
	}
	if d.dir, err = os.Open(filepath.Dir(d.db.Path())); err != nil {
		return errors.Join(err, d.db.Close())
	}
	d.writer = newWriter(d)
	return nil
}

// make makes the file with the directories above it. Somebody else may be faster.
func (d *database) make(ctx context.Context) (err error) {
	if err := directory.Make(filepath.Dir(d.path)); err != nil {
		return err
	}
	d.db, err = sqldb.Create(ctx, d.path, kind())
	if errors.Is(err, fs.ErrExist) {
		d.db, err = sqldb.Open(ctx, d.path, kind())
	}
	return err
}

func (d *database) end() error {
	<-d.opened
	if d.err != nil {
		return nil
	}
	d.writer.close()
	return errors.Join(d.db.Close(), d.dir.Close())
}

// hasRoom says whether the disk has room for so much more.
func (d *database) hasRoom(ctx context.Context, octets int64) error {
	return d.store.space.Check(ctx, int(d.dir.Fd()), octets)
}

// classify gives SQLite's errors the names that they have in the contract.
func classify(err error) error {
	if sqldb.IsFull(err) && !errors.Is(err, store.ErrFull) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}
