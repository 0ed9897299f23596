package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"time"

	"lmtpd/store"
)

// paths yields the files that may be databases by the template.
func (s *Store) paths(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) { s.descend(ctx, s.template.Root(), 0, yield) }
}

// descend goes through a directory that is so deep below the root, and says whether to go on.
func (s *Store) descend(ctx context.Context, path string, depth int, yield func(string, error) bool) bool {
	if err := ctx.Err(); err != nil {
		yield("", err)
		return false
	}
	if depth == s.template.Depth() {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist), err == nil && !info.Mode().IsRegular():
			return true
		case err != nil:
			path = ""
		}
		return yield(path, err)
	}
	if name, ok := s.template.Literal(depth); ok {
		return s.descend(ctx, filepath.Join(path, name), depth+1, yield)
	}
	entries, err := os.ReadDir(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) && !yield("", err) {
		return false
	}
	for _, e := range entries {
		if s.template.Matches(depth, e.Name()) && !s.descend(ctx, filepath.Join(path, e.Name()), depth+1, yield) {
			return false
		}
	}
	return true
}

// sweepAge is how old what was never finished must be to be taken for left behind, as in a maildir.
const sweepAge = 36 * time.Hour

// sweep removes what was never finished from one database, one content in a transaction.
func (s *Store) sweep(ctx context.Context, path string) (removed int, err error) {
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if err != nil {
		return 0, err
	}
	defer s.pool.giveBack(db)
	before := s.now().Add(-sweepAge).Unix()
	for {
		err := db.writer.change(ctx, func(t *tx) error { return t.change("sweep", store.ErrNoMessage, sweepContent, before) })
		if errors.Is(err, store.ErrNoMessage) {
			return removed, nil
		}
		if err != nil {
			return removed, err
		}
		removed++
	}
}
