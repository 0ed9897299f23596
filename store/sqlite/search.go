package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"strings"

	"lmtpd/store"
)

const (
	// The index is asked first, and once: without CROSS JOIN SQLite may ask it for each message of the mailbox.
	selectFound = "SELECT c.id, c.octets, c.date, c.flags, f.name FROM search AS s CROSS JOIN copy AS c ON c.content = s.docid " +
		"CROSS JOIN folder AS f ON f.id = c.folder WHERE s.search MATCH ? AND f.mailbox = ? ORDER BY c.date, c.id"
	countBehind = "SELECT count(*) FROM copy WHERE id > ?"
)

// Search asks the index of the database that a mailbox is in. The query is one of SQLite's (sqlite.org/fts3.html#full_text_index_queries,
// with the enhanced syntax).
func (s *Store) Search(ctx context.Context, mailbox store.Mailbox, query string) (found []store.Message, behind int64, err error) {
	if strings.TrimSpace(query) == "" || strings.ContainsRune(query, 0) {
		return nil, 0, fmt.Errorf("%w: there is no word in it", store.ErrQuery)
	}
	err = s.on(ctx, mailbox, func(db *database, name string) error {
		return db.look(ctx, func(v view) error {
			return v.snapshot(func() (err error) {
				found, behind, err = v.search(name, query)
				return err
			})
		})
	})
	return found, behind, err
}

func (v view) search(mailbox, query string) (found []store.Message, behind int64, err error) {
	id, err := v.mailbox(mailbox)
	if err != nil {
		return nil, 0, err
	}
	state, err := v.indexState()
	if err == nil && !state.there {
		err = store.ErrNoIndex
	}
	if err != nil {
		return nil, 0, err
	}
	err = v.all(selectFound, []any{query, id}, func(rows *sql.Rows) error {
		var folder string
		m, err := scanMessage(rows, &folder)
		m.Folder = folder
		found = append(found, m)
		return err
	})
	if err == nil {
		_, err = v.one(countBehind, []any{state.mark}, &behind)
	}
	return found, behind, queryError(err)
}

// queryError tells what is wrong with the query from what is wrong with the database. SQLite has no codes for it.
func queryError(err error) error {
	if err == nil {
		return nil
	}
	for _, words := range []string{"malformed MATCH expression", "FTS expression tree is too large"} {
		if strings.Contains(err.Error(), words) {
			return fmt.Errorf("%w: %w", store.ErrQuery, err)
		}
	}
	return err
}
