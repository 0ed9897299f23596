package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"hash"
	"iter"

	"github.com/zeebo/blake3"

	"lmtpd/store"
)

const (
	selectSome    = "SELECT id, hash, hashed, octets FROM content WHERE id > ? AND hash IS NOT NULL ORDER BY id LIMIT 100"
	selectSomeOf  = "SELECT DISTINCT t.id, t.hash, t.hashed, t.octets FROM content AS t JOIN copy AS c ON c.content = t.id JOIN folder AS f ON f.id = c.folder WHERE t.id > ? AND f.mailbox = ? ORDER BY t.id LIMIT 100"
	selectHolder  = "SELECT m.name, f.name, c.id FROM copy AS c JOIN folder AS f ON f.id = c.folder JOIN mailbox AS m ON m.id = f.mailbox WHERE c.content = ? ORDER BY c.id LIMIT 1"
	selectBare    = "SELECT data FROM chunk WHERE id = ?"
	selectMissize = "SELECT f.name, c.id FROM copy AS c JOIN folder AS f ON f.id = c.folder JOIN content AS t ON t.id = c.content WHERE f.mailbox = ? AND c.octets <> length(c.trace) + t.octets"
	selectUnheld  = "SELECT id FROM content WHERE hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM copy WHERE content = content.id)"
	selectStray   = "SELECT count(*) FROM chunk WHERE NOT EXISTS (SELECT 1 FROM content WHERE id = chunk.id >> 16)"

	fixOctets    = "UPDATE copy SET octets = length(trace) + (SELECT octets FROM content WHERE id = copy.content) WHERE id = ?"
	deleteUnheld = "DELETE FROM content WHERE id = ? AND hash IS NOT NULL AND NOT EXISTS (SELECT 1 FROM copy WHERE content = content.id)"
	deleteStray  = "DELETE FROM chunk WHERE id IN (SELECT id FROM chunk WHERE NOT EXISTS (SELECT 1 FROM content WHERE id = chunk.id >> 16) LIMIT 100)"
)

// Inspect looks for damage: counts and sizes that are wrong, contents that are not what their hash says, octets that belong to
// nothing, and what SQLite finds in the file itself.
func (s *Store) Inspect(ctx context.Context, mailbox *store.Mailbox, repair store.Repair) iter.Seq2[store.Damage, error] {
	return func(yield func(store.Damage, error) bool) {
		if mailbox != nil {
			i := inspection{ctx: ctx, repair: repair, yield: yield}
			err := s.on(ctx, *mailbox, func(db *database, name string) error {
				i.db = db
				return i.mailboxAlone(name)
			})
			i.note(err)
			return
		}
		for path, err := range s.paths(ctx) {
			i := inspection{ctx: ctx, repair: repair, yield: yield}
			if err == nil {
				err = i.file(s, path)
			}
			i.note(err)
			if i.stopped {
				return
			}
		}
	}
}

// errStopped says that nobody wants to hear more.
var errStopped = errors.New("stopped")

// An inspection is one of one database.
type inspection struct {
	ctx     context.Context
	db      *database
	repair  store.Repair
	yield   func(store.Damage, error) bool
	stopped bool
}

// note tells of what could not be looked at.
func (i *inspection) note(err error) {
	if err != nil && !i.stopped {
		i.stopped = !i.yield(store.Damage{}, classify(err))
	}
}

// tell tells of damage, after fix has put it right if that is wanted. Without a fix it cannot be.
func (i *inspection) tell(d store.Damage, fix func(*tx) error) error {
	if fix != nil && i.repair == store.PutRight {
		if err := i.db.writer.change(i.ctx, fix); err != nil {
			return err
		}
		d.PutRight = true
	}
	if i.stopped = !i.yield(d, nil); i.stopped {
		return errStopped
	}
	return nil
}

// file inspects a whole database.
func (i *inspection) file(s *Store, path string) (err error) {
	if i.db, err = s.pool.lend(i.ctx, path, mustBeThere); err != nil {
		return err
	}
	defer s.pool.giveBack(i.db)
	for _, step := range []func() error{
		i.structure,
		i.unheld,
		i.stray,
		i.index,
		func() error { return i.contents(selectSome) },
		func() error { return i.mailboxes(s, path) },
	} {
		if err := step(); err != nil {
			i.note(err)
		}
		if i.stopped {
			return nil
		}
	}
	return nil
}

func (i *inspection) mailboxes(s *Store, path string) (err error) {
	s.names(i.ctx, path, func(name string, e error) bool {
		if err = e; err == nil {
			err = i.counts(name)
		}
		return err == nil
	})
	return err
}

func (i *inspection) mailboxAlone(name string) error {
	var id int64
	err := i.db.look(i.ctx, func(v view) (err error) {
		id, err = v.mailbox(name)
		return err
	})
	if err == nil {
		err = i.counts(name)
	}
	if err == nil {
		err = i.contents(selectSomeOf, id)
	}
	return err
}

// structure has SQLite look at the file.
func (i *inspection) structure() error {
	var all []string
	err := i.db.look(i.ctx, func(v view) error {
		all = nil
		return v.all("PRAGMA integrity_check", nil, func(rows *sql.Rows) error {
			var what string
			err := rows.Scan(&what)
			all = append(all, what)
			return err
		})
	})
	for _, what := range all {
		if err == nil && what != "ok" {
			err = i.damaged(what)
		}
	}
	return err
}

// counts compares what a mailbox's columns say with what is there.
func (i *inspection) counts(mailbox string) error {
	var sizes, wrong []count
	err := i.db.look(i.ctx, func(v view) error {
		sizes = nil
		id, err := v.mailbox(mailbox)
		if err != nil {
			return err
		}
		return v.all(selectMissize, []any{id}, func(rows *sql.Rows) error {
			var c count
			err := rows.Scan(&c.folder, &c.id)
			sizes = append(sizes, c)
			return err
		})
	})
	for _, c := range sizes {
		if err == nil {
			err = i.tell(store.Damage{Mailbox: mailbox, Folder: c.folder, ID: fmt.Sprint(c.id), What: "its size is not that of its octets"},
				func(t *tx) error { _, err := t.exec("fix octets", fixOctets, c.id); return err })
		}
	}
	if err == nil {
		err = i.db.look(i.ctx, func(v view) error {
			wrong, err = v.miscounts(mailbox)
			return err
		})
	}
	for _, c := range wrong {
		if err == nil {
			what := fmt.Sprintf("%+d messages and %+d octets have not been counted", c.held.Messages, c.held.Octets)
			err = i.tell(store.Damage{Mailbox: mailbox, Folder: c.folder, What: what}, func(t *tx) error { return t.correct([]count{c}) })
		}
	}
	return err
}

// unheld finds contents without a copy.
func (i *inspection) unheld() error {
	var ids []int64
	err := i.db.look(i.ctx, func(v view) error {
		ids = nil
		return v.all(selectUnheld, nil, func(rows *sql.Rows) error {
			var id int64
			err := rows.Scan(&id)
			ids = append(ids, id)
			return err
		})
	})
	for _, id := range ids {
		if err == nil {
			err = i.tell(store.Damage{What: fmt.Sprintf("content %d is in no mailbox", id)},
				func(t *tx) error { _, err := t.exec("delete content", deleteUnheld, id); return err })
		}
	}
	return err
}

// stray finds octets without a content.
func (i *inspection) stray() error {
	var n int64
	err := i.db.look(i.ctx, func(v view) error {
		_, err := v.one(selectStray, nil, &n)
		return err
	})
	if err != nil || n == 0 {
		return err
	}
	for left := n; left > 0 && i.repair == store.PutRight; left -= 100 {
		err := i.db.writer.change(i.ctx, func(t *tx) error { _, err := t.exec("delete chunks", deleteStray); return err })
		if err != nil {
			return err
		}
	}
	return i.tell(store.Damage{What: fmt.Sprintf("%d chunks belong to no content", n)}, func(*tx) error { return nil })
}

// A stored content is one as its row says it is.
type storedContent struct {
	id     int64
	hash   []byte
	hashed int // how
	octets int64
}

// How contents are hashed (schema2.sql).
const (
	bySHA256 = 1
	byBLAKE3 = 2
)

func (c storedContent) newHash() (hash.Hash, error) {
	switch c.hashed {
	case bySHA256:
		return sha256.New(), nil
	case byBLAKE3:
		return blake3.New(), nil
	}
	return nil, fmt.Errorf("content %d is hashed in a way that is unknown: %d", c.id, c.hashed)
}

// contents reads contents and compares them with their hashes, some at a time.
func (i *inspection) contents(query string, args ...any) error {
	for last := int64(0); ; {
		var some []storedContent
		err := i.db.look(i.ctx, func(v view) error {
			some = nil
			return v.all(query, append([]any{last}, args...), func(rows *sql.Rows) error {
				var c storedContent
				err := rows.Scan(&c.id, &c.hash, &c.hashed, &c.octets)
				some = append(some, c)
				return err
			})
		})
		if err != nil || len(some) == 0 {
			return err
		}
		for _, c := range some {
			if err := i.content(c); err != nil {
				return err
			}
		}
		last = some[len(some)-1].id
	}
}

func (i *inspection) content(c storedContent) error {
	h, err := c.newHash()
	if err != nil {
		return err
	}
	octets := int64(0)
	for n := int64(0); ; n++ {
		var data []byte
		var there bool
		err := i.db.look(i.ctx, func(v view) (err error) {
			there, err = v.one(selectBare, []any{chunkID(c.id, n)}, &data)
			return err
		})
		if err != nil {
			return err
		}
		if !there {
			break
		}
		h.Write(data)
		octets += int64(len(data))
	}
	if octets == c.octets && string(h.Sum(nil)) == string(c.hash) {
		return nil
	}
	var d store.Damage
	var held bool
	err = i.db.look(i.ctx, func(v view) (err error) {
		held, err = v.one(selectHolder, []any{c.id}, &d.Mailbox, &d.Folder, &d.ID)
		return err
	})
	if err != nil || !held { // it was removed meanwhile
		return err
	}
	d.What = "its content is not what was received: octets are missing or others"
	return i.tell(d, nil)
}
