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
	"lmtpd/store/sqldb"
)

// A pool is the databases that are open, so many at most but for those in use. One that is wanted again is open already.
type pool struct {
	store *Store
	limit int

	mu    sync.Mutex
	open  map[string]*database // by path
	moved map[string]bool      // paths of those that were moved or removed while they were open
	clock int64                // counts lendings

	closing sync.WaitGroup // what is being closed because it was superfluous or moved; added to under mu
}

func newPool(s *Store, limit int) *pool {
	return &pool{store: s, limit: limit, open: map[string]*database{}, moved: map[string]bool{}}
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
	if db == nil {
		return nil, fmt.Errorf("%w, and is not closed yet", sqldb.ErrMoved)
	}
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

// find finds the database at path, or puts a new one there that the caller must open; nil if it is being left.
func (p *pool) find(path string) (db *database, isNew bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	db, ok := p.open[path]
	if ok && db.leaving {
		return nil, false
	}
	if !ok {
		db = newDatabase(p.store, path)
		db.wasThere = p.moved[path]
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
	defer p.mu.Unlock()
	db.users--
	if idle := p.superfluous(); idle != nil {
		p.closing.Go(func() {
			if err := idle.close(); err != nil {
				p.store.log.Error("a database cannot be closed", "database", idle.path, "cause", err)
			}
		})
	}
	if db.leaving && db.users == 0 && p.open[db.path] == db {
		p.closing.Go(func() { p.left(db) })
	}
}

// leave says that the files of a database are not where they were. It is lent to nobody any more, and opened anew once all who
// use it have given it back.
func (p *pool) leave(db *database) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !db.leaving {
		db.leaving, p.moved[db.path] = true, true
		p.store.log.Error("a database was moved, removed or replaced while it was open", "database", db.path)
	}
}

// left closes what nobody uses any more. If its log cannot be emptied it stays as it is, and the mail for it with who sent it.
func (p *pool) left(db *database) {
	err := db.db.Leave(context.Background())
	if err != nil {
		p.store.log.Error("the log of a database that was moved cannot be brought into it; stop lmtpd", "database", db.path, "cause", err)
		return
	}
	if err := db.close(); err != nil {
		p.store.log.Error("a database cannot be closed", "database", db.path, "cause", err)
	}
	p.drop(db)
}

// superfluous takes the database out that has been idle longest, if there are too many.
func (p *pool) superfluous() (oldest *database) {
	if len(p.open) <= p.limit {
		return nil
	}
	for _, db := range p.open {
		if db.users == 0 && !db.leaving && (oldest == nil || db.lent < oldest.lent) {
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
	p.closing.Wait()
	var errs []error
	for _, db := range all {
		errs = append(errs, db.close())
	}
	return errors.Join(errs...)
}
