package sqlite

import (
	"context"
	"database/sql"
	"time"

	"lmtpd/store"
	"lmtpd/store/sqldb"
)

const (
	selectUnindexed = "SELECT id, content, EXISTS (SELECT 1 FROM search WHERE docid = copy.content) FROM copy WHERE id > ? " +
		"ORDER BY id LIMIT 100"
	selectCrowd   = "SELECT count(*) FROM search_segdir GROUP BY level ORDER BY 1 DESC LIMIT 1"
	selectChanges = "SELECT total_changes()"

	makeWay     = "UPDATE indexing SET copy = ? WHERE copy = ?"
	insertIndex = "INSERT INTO search (docid, subject, author, recipients, text) SELECT ?1, ?2, ?3, ?4, ?5 " +
		"WHERE EXISTS (SELECT 1 FROM content WHERE id = ?1) AND NOT EXISTS (SELECT 1 FROM search WHERE docid = ?1)"
	mergeSome = "INSERT INTO search (search) VALUES ('merge=64,8')"
)

// What one transaction takes into the index, and one visit, before other databases have their turn. A transaction with
// indexText in it takes some milliseconds, and whatever waits meanwhile shares its commit.
const (
	indexText     = 32 << 10
	indexContents = 32
	visitContents = 1000
)

// crowded is how many segments of a level are merged. With sixteen, SQLite would merge them in whatever transaction
// comes, and the whole of them: that may be the whole index.
const crowded = 8

// index puts some contents into the index of a database.
func (d *database) index(ctx context.Context) (v visit) {
	var p pace
	for v.contents < visitContents {
		state, err := d.indexState(ctx)
		if err == nil {
			err = pause(ctx, p.rest(time.Now(), state.newest))
		}
		if err != nil {
			v.err = err
			return v
		}
		if state.mark >= state.newest || ctx.Err() != nil { // the newest may have been removed
			v.err = d.merge(ctx)
			return v
		}
		began := time.Now()
		n, err := d.indexSome(ctx, state.mark)
		v.contents += n
		if err == nil {
			err = d.merge(ctx)
		}
		if err != nil {
			v.err = err
			return v
		}
		p.worked = time.Since(began)
	}
	v.left = true
	return v
}

// indexState reads how far the index is, after it was made if there is none.
func (d *database) indexState(ctx context.Context) (s indexState, err error) {
	look := func(v view) (err error) {
		s, err = v.indexState()
		return err
	}
	if err = d.look(ctx, look); err != nil || s.there {
		return s, err
	}
	if err = d.removeIndex(ctx); err != nil { // that one was begun to be removed
		return s, err
	}
	err = d.writer.change(ctx, func(t *tx) error {
		if there, err := t.id("find index", selectHasIndex); err != nil || there != 0 {
			return err
		}
		_, err := t.exec("make index", searchSchema)
		return err
	})
	if err == nil {
		err = d.look(ctx, look)
	}
	return s, err
}

// A batch is the texts that one transaction puts into the index.
type batch struct {
	from, to int64 // copies
	texts    []indexed
	octets   int64
}

// An indexed text is that of one content.
type indexed struct {
	content int64
	store.Text
}

// indexSome puts the next contents into the index and says how many. None are if somebody else was faster.
func (d *database) indexSome(ctx context.Context, from int64) (contents int, err error) {
	b, err := d.gatherTexts(ctx, from)
	if err == nil {
		err = d.hasRoom(ctx, 3*b.octets)
	}
	if err != nil {
		return 0, err
	}
	put := 0 // it is the writer's until the job has settled
	j := newJob(step{do: func(t *tx) (err error) {
		put, err = t.index(b)
		return err
	}})
	j.octets = 3 * b.octets
	d.writer.Enqueue(j)
	if err := j.wait(ctx); err != nil {
		return 0, err
	}
	if err := j.steps[0].err; err != nil {
		return 0, err
	}
	return put, nil
}

// gatherTexts reads the contents that come next, outside of any transaction.
func (d *database) gatherTexts(ctx context.Context, from int64) (b batch, err error) {
	type unindexed struct {
		copy, content int64
		done          bool
	}
	var next []unindexed
	err = d.look(ctx, func(v view) error {
		next = nil
		return v.all(selectUnindexed, []any{from}, func(rows *sql.Rows) error {
			var u unindexed
			err := rows.Scan(&u.copy, &u.content, &u.done)
			next = append(next, u)
			return err
		})
	})
	b.from, b.to = from, from
	had := map[int64]bool{}
	for _, u := range next {
		if err != nil || b.octets >= indexText || len(b.texts) >= indexContents {
			break
		}
		b.to = u.copy
		if u.done || had[u.content] {
			continue
		}
		had[u.content] = true
		var text store.Text
		if text, err = d.text(ctx, u.content); err == nil {
			b.texts = append(b.texts, indexed{u.content, text})
			b.octets += int64(len(text.Subject) + len(text.Author) + len(text.Recipients) + len(text.Body))
		}
	}
	return b, err
}

// text gets at the text of a content. What of it cannot be read is not in the index, and nothing else is kept out by that.
func (d *database) text(ctx context.Context, content int64) (store.Text, error) {
	r := &contentReader{ctx: ctx, db: d, id: content}
	text := d.store.extract(r)
	if r.err == nil {
		return text, nil
	}
	if sqldb.IsBusy(r.err) || ctx.Err() != nil {
		return text, r.err
	}
	d.store.log.Warn("a content cannot be read, and is in the index in part", "database", d.path, "content", content, "cause", r.err)
	return text, nil
}

// index puts texts into the index. Some contents may have been removed meanwhile.
func (t *tx) index(b batch) (n int, err error) {
	r, err := t.exec("index: make way", makeWay, b.to, b.from)
	if err != nil {
		return 0, err
	}
	if moved, err := r.RowsAffected(); err != nil || moved == 0 {
		return 0, err
	}
	for _, x := range b.texts {
		if _, err := t.exec("index", insertIndex, x.content, x.Subject, x.Author, x.Recipients, x.Body); err != nil {
			return 0, err
		}
	}
	return len(b.texts), nil
}

// merge merges what transactions have added to the index, some in each transaction, before there is too much of it.
func (d *database) merge(ctx context.Context) error {
	for {
		segments := 0
		err := d.look(ctx, func(v view) error {
			_, err := v.one(selectCrowd, nil, &segments)
			return err
		})
		if err != nil || segments < crowded {
			return err
		}
		var done int64
		if err := d.writer.change(ctx, func(t *tx) (err error) {
			done, err = t.merge()
			return err
		}); err != nil || done < 2 { // one is the statement itself
			return err
		}
	}
}

// merge merges some, and says how many rows that was.
func (t *tx) merge() (rows int64, err error) {
	before, err := t.id("merge", selectChanges)
	if err != nil {
		return 0, err
	}
	if _, err := t.exec("merge", mergeSome); err != nil {
		return 0, err
	}
	after, err := t.id("merge", selectChanges)
	return after - before, err
}
