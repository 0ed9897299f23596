package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"lmtpd/store"
)

// A view is a reader's connection for a moment.
type view struct {
	ctx  context.Context
	conn *sql.Conn
}

// look has do read from the database. It may be called again.
func (d *database) look(ctx context.Context, do func(view) error) error {
	return d.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error { return do(view{ctx, conn}) })
}

// one reads a row, if there is one.
func (v view) one(query string, args []any, into ...any) (there bool, err error) {
	err = v.conn.QueryRowContext(v.ctx, query, args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// all calls each for every row.
func (v view) all(query string, args []any, each func(*sql.Rows) error) error {
	rows, err := v.conn.QueryContext(v.ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := each(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (v view) mailbox(name string) (id int64, err error) {
	there, err := v.one(selectMailbox, []any{name}, &id)
	if err == nil && !there {
		err = noMailbox(name)
	}
	return id, err
}

// folder asks for the mailbox and the folder at once: between two questions both may be made.
func (v view) folder(p place) (int64, error) {
	var id sql.Null[int64]
	there, err := v.one(lookFolder, []any{p.folder, p.mailbox}, &id)
	switch {
	case err != nil:
		return 0, err
	case !there:
		return 0, noMailbox(p.mailbox)
	case !id.Valid:
		return 0, noFolder(p.folder)
	}
	return id.V, nil
}

// folderName gives a folder's name as it is kept.
func folderName(folder string) (string, error) {
	levels, err := store.Levels(folder)
	return strings.Join(levels, "/"), err
}

// onFolder does something with a folder.
func (s *Store) onFolder(ctx context.Context, mailbox store.Mailbox, folder string, do func(*database, place) error) error {
	return s.on(ctx, mailbox, func(db *database, name string) error {
		folder, err := folderName(folder)
		if err != nil {
			return err
		}
		return do(db, place{name, folder})
	})
}

// Folders lists the folders of a mailbox, sorted.
func (s *Store) Folders(ctx context.Context, mailbox store.Mailbox) (names []string, err error) {
	err = s.on(ctx, mailbox, func(db *database, name string) error {
		names, err = db.list(ctx, selectFolders, name)
		return err
	})
	return names, err
}

// Messages lists a folder, oldest first.
func (s *Store) Messages(ctx context.Context, mailbox store.Mailbox, folder string) (list []store.Message, err error) {
	err = s.onFolder(ctx, mailbox, folder, func(db *database, p place) error {
		return db.look(ctx, func(v view) error {
			list = []store.Message{}
			id, err := v.folder(p)
			if err != nil {
				return err
			}
			return v.all(selectMessages, []any{id}, func(rows *sql.Rows) error {
				m, err := scanMessage(rows)
				m.Folder = p.folder
				list = append(list, m)
				return err
			})
		})
	})
	return list, err
}

func scanMessage(rows *sql.Rows, more ...any) (m store.Message, err error) {
	var id, date int64
	var flags string
	err = rows.Scan(append([]any{&id, &m.Size, &date, &flags}, more...)...)
	m.ID, m.Date, m.Flags = fmt.Sprint(id), time.UnixMicro(date), flagsOf(flags)
	return m, err
}

// Open opens a message. It is read chunk by chunk, so nothing is locked meanwhile; if it is removed, reading ends with an error.
func (s *Store) Open(ctx context.Context, mailbox store.Mailbox, folder, id string) (r io.ReadCloser, err error) {
	name, path, err := s.find(mailbox)
	if err != nil {
		return nil, err
	}
	if folder, err = folderName(folder); err != nil {
		return nil, err
	}
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if err != nil {
		return nil, err
	}
	m := &messageReader{ctx: ctx, db: db}
	if err := m.find(place{name, folder}, id); err != nil {
		s.pool.giveBack(db)
		return nil, classify(err)
	}
	return m, nil
}

// Mailboxes yields the mailboxes of all databases that the template leads to.
func (s *Store) Mailboxes(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for path, err := range s.paths(ctx) {
			if err != nil {
				if !yield("", err) {
					return
				}
				continue
			}
			if !s.names(ctx, path, yield) {
				return
			}
		}
	}
}

// names yields the mailboxes of one database, some at a time, and says whether to go on.
func (s *Store) names(ctx context.Context, path string, yield func(string, error) bool) bool {
	db, err := s.pool.lend(ctx, path, mustBeThere)
	if errors.Is(err, store.ErrNoMailbox) {
		return true
	}
	if err != nil {
		return yield("", err)
	}
	defer s.pool.giveBack(db)
	for last := ""; ; {
		var names []string
		err := db.look(ctx, func(v view) error {
			names = nil
			return v.all(selectNames, []any{last}, func(rows *sql.Rows) error {
				var name string
				err := rows.Scan(&name)
				names = append(names, name)
				return err
			})
		})
		if err != nil {
			return yield("", classify(err))
		}
		if len(names) == 0 {
			return true
		}
		for _, name := range names {
			if !yield(name, nil) {
				return false
			}
		}
		last = names[len(names)-1]
	}
}
