package spool

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"lmtpd/store/directory"
	"lmtpd/store/sqldb"
)

// A Spool is the durable queue of submitted mail. Its methods may be called from many goroutines at once.
type Spool struct {
	cfg    Config
	db     *sqldb.DB
	dir    *os.File // that the database lies in, to ask for free space
	writer *writer
	fault  func(step string) error // for tests: before each step of a transaction

	kept     atomic.Int64 // octets of contents in memory
	changes  atomic.Int64 // what sqldb.Changes said last
	wake     chan struct{}
	workers  sync.WaitGroup
	attempts context.Context // of attempts; set when Run begins

	mu           sync.Mutex
	running      bool
	destinations map[string]*destination
	settling     int       // changes that are owed and not yet committed
	unsettled    []*debt   // those whose commit has failed
	stalled      time.Time // until when nothing is attempted, since the database could not be written to
}

// Open opens the spool, and makes it if it is not there. Nothing is attempted before Run.
func Open(ctx context.Context, cfg Config) (*Spool, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, err
	}
	s := &Spool{cfg: cfg, wake: make(chan struct{}, 1), destinations: map[string]*destination{}}
	if s.db, err = openDatabase(ctx, cfg.Path); err != nil {
		return nil, fmt.Errorf("spool: %w", err)
	}
	if s.dir, err = os.Open(filepath.Dir(s.db.Path())); err != nil {
		return nil, errors.Join(fmt.Errorf("spool: %w", err), s.db.Close())
	}
	s.writer = newWriter(s)
	return s, nil
}

// openDatabase opens the file, or makes it. Somebody else may be faster.
func openDatabase(ctx context.Context, path string) (*sqldb.DB, error) {
	db, err := sqldb.Open(ctx, path, kind())
	if errors.Is(err, fs.ErrNotExist) {
		if err := directory.Make(filepath.Dir(path)); err != nil {
			return nil, err
		}
		if db, err = sqldb.Create(ctx, path, kind()); errors.Is(err, fs.ErrExist) {
			db, err = sqldb.Open(ctx, path, kind())
		}
	}
	if err == nil {
		err = examine(ctx, db)
		if err != nil {
			err = errors.Join(err, db.Close())
		}
	}
	if sqldb.IsCorrupt(err) {
		return nil, fmt.Errorf("%w; move %s away with its -wal, to be mended with sqlite3's .recover: an empty spool is made in its place", err, path)
	}
	return db, err
}

// Close waits for what is under way and closes the spool. Run must have returned, and nobody may be putting mail in.
func (s *Spool) Close() error {
	s.workers.Wait()
	s.writer.Wait()
	s.writer.Stop()
	return errors.Join(s.db.Close(), s.dir.Close())
}

// poke has the schedule looked at now.
func (s *Spool) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}
