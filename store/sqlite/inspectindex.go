package sqlite

import (
	"database/sql"
	"fmt"
	"strings"

	"lmtpd/store"
)

const (
	selectOrphans   = "SELECT docid FROM search_content WHERE NOT EXISTS (SELECT 1 FROM content WHERE id = docid)"
	selectForgotten = "SELECT count(DISTINCT content), coalesce(min(id), 0) FROM copy WHERE id <= (SELECT copy FROM indexing) " +
		"AND NOT EXISTS (SELECT 1 FROM search_content WHERE docid = copy.content)"

	deleteOrphan = "DELETE FROM search WHERE docid = ?"
	goBack       = "UPDATE indexing SET copy = min(copy, ? - 1)"
)

// damaged tells of what SQLite has found. An index can be made anew.
func (i *inspection) damaged(what string) error {
	d := store.Damage{What: what}
	if strings.Contains(what, " FTS4 table ") && i.repair == store.PutRight && i.db.store.extract != nil {
		if err := i.db.removeIndex(i.ctx); err != nil {
			return err
		}
		if err := i.db.indexAll(i.ctx); err != nil {
			return err
		}
		d.PutRight = true
	}
	return i.tell(d, nil)
}

// index finds texts of contents that are not there, and contents that are not in the index though it has come past them.
func (i *inspection) index() error {
	var orphans []int64
	var forgotten, first int64
	err := i.db.look(i.ctx, func(v view) error {
		orphans = nil
		return v.snapshot(func() error {
			if state, err := v.indexState(); err != nil || !state.there {
				return err
			}
			if _, err := v.one(selectForgotten, nil, &forgotten, &first); err != nil {
				return err
			}
			return v.all(selectOrphans, nil, func(rows *sql.Rows) error {
				var id int64
				err := rows.Scan(&id)
				orphans = append(orphans, id)
				return err
			})
		})
	})
	for _, id := range orphans {
		if err == nil {
			err = i.tell(store.Damage{What: fmt.Sprintf("the index has text of content %d, which is not there", id)},
				func(t *tx) error { _, err := t.exec("delete orphan", deleteOrphan, id); return err })
		}
	}
	if err != nil || forgotten == 0 {
		return err
	}
	err = i.tell(store.Damage{What: fmt.Sprintf("%d contents are missing in the index", forgotten)},
		func(t *tx) error { _, err := t.exec("go back", goBack, first); return err })
	if err == nil && i.repair == store.PutRight && i.db.store.extract != nil {
		err = i.db.indexAll(i.ctx)
	}
	return err
}
