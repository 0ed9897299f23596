package sqlite

import (
	"context"
	"errors"
	"fmt"

	"lmtpd/store"
)

// What of an index goes first, and makes the rest nobody's.
const dropIndexing = "DROP TABLE IF EXISTS indexing; DROP VIEW IF EXISTS found; DROP TRIGGER IF EXISTS search_removed"

// What goes then, some rows at a time: the tables that FTS4 keeps an index in (sqlite.org/fts3.html#*shadowtabs). To drop them
// at once would take as long as they are large.
var emptyIndex = []string{
	"DELETE FROM search_segdir",
	"DELETE FROM search_segments WHERE blockid IN (SELECT blockid FROM search_segments LIMIT 256)",
	"DELETE FROM search_content WHERE docid IN (SELECT docid FROM search_content LIMIT 32)",
}

const dropSearch = "DROP TABLE search"

// Unindex removes the indexes of all databases.
func (s *Store) Unindex(ctx context.Context) error {
	for path, err := range s.paths(ctx) {
		if err == nil {
			err = s.unindex(ctx, path)
		}
		if err != nil {
			return fmt.Errorf("remove index: %w", err)
		}
	}
	return nil
}

func (s *Store) unindex(ctx context.Context, path string) error {
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if errors.Is(err, store.ErrNoMailbox) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.pool.giveBack(db)
	return classify(db.removeIndex(ctx))
}

// removeIndex removes an index, or what is left of one.
func (d *database) removeIndex(ctx context.Context) error {
	there := 0
	err := d.look(ctx, func(v view) error {
		_, err := v.one(selectHasRest, nil, &there)
		return err
	})
	if err != nil || there == 0 {
		return err
	}
	if err := d.writer.change(ctx, func(t *tx) error {
		_, err := t.exec("drop index", dropIndexing)
		return err
	}); err != nil {
		return err
	}
	for _, statement := range emptyIndex {
		for left := true; left; {
			if err := d.writer.change(ctx, func(t *tx) error {
				r, err := t.exec("empty index", statement)
				if err != nil {
					return err
				}
				n, err := r.RowsAffected()
				left = n > 0
				return err
			}); err != nil {
				return err
			}
		}
	}
	return d.writer.change(ctx, func(t *tx) error {
		_, err := t.exec("drop index", dropSearch)
		return err
	})
}
