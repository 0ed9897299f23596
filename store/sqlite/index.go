package sqlite

import (
	"context"
	_ "embed"
	"errors"
	"fmt"

	"lmtpd/store"
)

//go:embed search.sql
var searchSchema string

// searchVersion is that of searchSchema. It is no step of the schema, because most databases do without, and a database
// with an index can be read and written by an lmtpd that knows nothing of it.
const searchVersion = 1

const (
	selectHasIndex = "SELECT count(*) FROM sqlite_schema WHERE name = 'indexing'"
	selectHasRest  = "SELECT count(*) FROM sqlite_schema WHERE name = 'search'"
	selectIndexing = "SELECT version, copy, (SELECT coalesce(max(id), 0) FROM copy) FROM indexing"
)

// An indexState says how far the index of a database is.
type indexState struct {
	there  bool
	mark   int64 // the contents of copies up to this one are in it
	newest int64 // copy in the database
}

// indexState reads how far the index is, if there is one.
func (v view) indexState() (s indexState, err error) {
	n, version := 0, 0
	if _, err := v.one(selectHasIndex, nil, &n); err != nil || n == 0 {
		return s, err
	}
	s.there, err = v.one(selectIndexing, nil, &version, &s.mark, &s.newest)
	if err == nil && version > searchVersion {
		err = fmt.Errorf("its full-text index %d is newer than %d, the newest that this lmtpd knows", version, searchVersion)
	}
	return s, err
}

// Index brings the indexes of all databases up to date, some of each in turn.
func (s *Store) Index(ctx context.Context) (contents int, err error) {
	if s.extract == nil {
		return 0, errors.New("sqlite: nothing is there to get at the text of messages")
	}
	s.running.Add(1)
	defer s.running.Done()
	for left := true; left; {
		left = false
		for path, e := range s.paths(ctx) {
			v := visit{err: e}
			if e == nil {
				v = s.visit(ctx, path)
			}
			contents, left = contents+v.contents, left || v.left
			if v.err != nil && err == nil {
				err = fmt.Errorf("index: %w", classify(v.err))
			}
		}
	}
	return contents, err
}

// A visit is what was done for one index.
type visit struct {
	contents int
	left     bool // there is more to do
	err      error
}

// visit does some for the index of a database, unless nobody has written to it since there was nothing to do.
func (s *Store) visit(ctx context.Context, path string) (v visit) {
	now := stampOf(path, s.now())
	if s.idle.is(path, now) {
		return v
	}
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if errors.Is(err, store.ErrNoMailbox) {
		return v
	}
	if err != nil {
		return visit{err: err}
	}
	defer s.pool.giveBack(db)
	if v = db.index(ctx); v.err == nil && !v.left && v.contents == 0 {
		s.idle.note(path, now)
	}
	return v
}

// indexAll brings the index of one database up to date.
func (d *database) indexAll(ctx context.Context) error {
	for {
		if v := d.index(ctx); v.err != nil || !v.left {
			return v.err
		}
	}
}
