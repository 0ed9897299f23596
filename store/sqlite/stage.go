package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"lmtpd/store"
)

// stage writes a large content ahead, as one that nobody sees, unless it is there already, which is 0. What a crash leaves of
// it is swept.
func (d *database) stage(ctx context.Context, l *letter, c store.Content) (id int64, err error) {
	if there, err := d.hasContent(ctx, l); err != nil || there {
		return 0, err
	}
	for from := int64(0); from < l.size; from += maxWhole {
		b, err := d.store.buffers.get(ctx, min(maxWhole, l.size-from))
		if err == nil {
			id, err = d.stagePart(ctx, part{l, id, from, b}, c)
		}
		if err != nil && id != 0 {
			d.unstage(ctx, id)
		}
		if err != nil {
			return 0, err
		}
	}
	return id, nil
}

func (d *database) hasContent(ctx context.Context, l *letter) (there bool, err error) {
	err = d.db.Read(ctx, func(ctx context.Context, conn *sql.Conn) error {
		var id int64
		err := conn.QueryRowContext(ctx, selectContent, l.hash[:]).Scan(&id)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		there = err == nil
		return err
	})
	return there, err
}

// A part is some of a large content.
type part struct {
	letter  *letter
	content int64 // its id; 0 if this is the first part
	from    int64
	octets  *buffer
}

// stagePart writes one part and returns the content's id, also after an error if there is such. The buffer is then the writer's.
func (d *database) stagePart(ctx context.Context, p part, c store.Content) (int64, error) {
	if err := readFull(c, p.octets.b, p.from); err != nil {
		p.octets.release()
		return p.content, err
	}
	id := p.content
	s := step{do: func(t *tx) (err error) {
		if id = p.content; id == 0 {
			if id, err = t.insertContent(p.letter, nil, t.store.now().Unix()); err != nil {
				return err
			}
		}
		return t.insertChunks(id, p.from/chunkSize, p.octets.b)
	}}
	if p.content == 0 {
		s.rid = func(t *tx) error { _, err := t.exec("discard content", discardContent, id); return err }
	}
	j := newJob(s)
	j.octets, j.after = int64(len(p.octets.b)), p.octets.release
	d.writer.Enqueue(j)
	if err := j.wait(ctx); err != nil {
		return p.content, err
	}
	if err := j.steps[0].err; err != nil {
		return p.content, err
	}
	return id, nil
}

// unstage removes what was written ahead for nothing, if that can be done soon.
func (d *database) unstage(ctx context.Context, id int64) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	err := d.writer.change(ctx, func(t *tx) error {
		_, err := t.exec("discard content", discardContent, id)
		return err
	})
	if err != nil {
		d.store.log.Warn("a content that nobody has stays until it is swept", "database", d.path, "cause", err)
	}
}

// change has the writer make a change, together with others'.
func (w *writer) change(ctx context.Context, do func(*tx) error) error {
	j := newJob(step{do: do})
	w.Enqueue(j)
	if err := j.wait(ctx); err != nil {
		return fmt.Errorf("it may happen yet: %w", err)
	}
	return j.steps[0].err
}
