package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"sync"

	"lmtpd/store"
)

// A pool is the databases that are open, so many at most but for those in use. One that is wanted again is open already.
type pool struct {
	store *Store
	limit int

	mu    sync.Mutex
	open  map[string]*database // by path
	clock int64                // counts lendings
}

func newPool(s *Store, limit int) *pool {
	return &pool{store: s, limit: limit, open: map[string]*database{}}
}

// An absence says what to do where there is no database yet.
type absence int

const (
	mustBeThere absence = iota // it is store.ErrNoMailbox
	mayMake                    // it is made
)

// lend returns the database at path, open until it is given back. Who comes while it is being opened waits for that; a file system
// that hangs keeps nobody beyond ctx.
func (p *pool) lend(ctx context.Context, path string, absent absence) (*database, error) {
	db, isNew := p.find(path)
	if isNew {
		p.store.running.Go(func() {
			db.err = db.open(absent)
			close(db.opened)
		})
	}
	select {
	case <-db.opened:
	case <-ctx.Done():
		p.giveBack(db)
		return nil, context.Cause(ctx)
	}
	if db.err == nil {
		return db, nil
	}
	p.drop(db)
	if errors.Is(db.err, fs.ErrNotExist) && absent == mayMake && !isNew {
		return p.lend(ctx, path, absent) // who opened it did not want to make it
	}
	if errors.Is(db.err, fs.ErrNotExist) && absent == mustBeThere {
		return nil, fmt.Errorf("%w: %w", store.ErrNoMailbox, db.err)
	}
	return nil, classify(db.err)
}

// find finds the database at path, or puts a new one there that the caller must open.
func (p *pool) find(path string) (db *database, isNew bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	db, ok := p.open[path]
	if !ok {
		db = newDatabase(p.store, path)
		p.open[path] = db
	}
	p.clock++
	db.users, db.lent = db.users+1, p.clock
	return db, !ok
}

// drop takes out what could not be opened.
func (p *pool) drop(db *database) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open[db.path] == db {
		delete(p.open, db.path)
	}
}

// giveBack says that a database is no longer used. If there are too many, the one that has been idle longest is closed.
func (p *pool) giveBack(db *database) {
	p.mu.Lock()
	db.users--
	idle := p.superfluous()
	p.mu.Unlock()
	if idle != nil {
		p.store.running.Go(func() {
			if err := idle.close(); err != nil {
				p.store.log.Error("a database cannot be closed", "database", idle.path, "cause", err)
			}
		})
	}
}

// superfluous takes the database out that has been idle longest, if there are too many.
func (p *pool) superfluous() (oldest *database) {
	if len(p.open) <= p.limit {
		return nil
	}
	for _, db := range p.open {
		if db.users == 0 && (oldest == nil || db.lent < oldest.lent) {
			oldest = db
		}
	}
	if oldest != nil {
		delete(p.open, oldest.path)
	}
	return oldest
}

// close closes all that are open. Nobody may be using them but their writers, who give them back yet.
func (p *pool) close() error {
	p.mu.Lock()
	all := slices.Collect(maps.Values(p.open))
	clear(p.open)
	p.mu.Unlock()
	var errs []error
	for _, db := range all {
		errs = append(errs, db.close())
	}
	return errors.Join(errs...)
}
