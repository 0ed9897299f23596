package sqlite

import (
	"context"
	"fmt"
	"strings"
	"time"

	"lmtpd/store"
)

// Deliver reads and hashes the content, and hands it to the writer of each database that its copies go to. The content is read
// outside of any transaction.
func (s *Store) Deliver(ctx context.Context, c store.Content, to []store.Placement) []error {
	errs := make([]error, len(to))
	if err := ctx.Err(); err != nil {
		for i := range errs {
			errs[i] = err
		}
		return errs
	}
	parcels := s.sort(to, errs)
	switch {
	case len(parcels) == 0:
	case len(to) == 1: // nobody else is held up if this hangs, and nobody has to be woken up
		parcels[0].waits = aloneWaits
		s.running.Add(1)
		s.dispatch(ctx, c, parcels)
		s.running.Done()
	default:
		s.running.Go(func() { s.dispatch(ctx, c, parcels) })
	}
	for _, p := range parcels {
		err := p.wait(ctx)
		for i := range p.copies {
			c := &p.copies[i]
			if errs[c.number] = err; err == nil {
				errs[c.number] = p.steps[i].err
			}
			if errs[c.number] == nil {
				to[c.number].Folder = c.folder
			}
		}
	}
	return errs
}

// A parcel is a message and its copies in one database.
type parcel struct {
	job
	path   string
	copies []copyTo
	letter *letter
	staged int64 // the content that was written ahead; 0: none
	waits  waits
}

// waits says who waits for a parcel.
type waits int

const (
	othersWait waits = iota // recipients that have nothing to do with it, too
	aloneWaits              // its one recipient
)

// A copyTo is one copy: where it goes, and what it has that others have not.
type copyTo struct {
	place
	number  int // of the placement
	missing store.Missing
	flags   string
	trace   []byte
	date    time.Time
	envelope
	id int64 // that it has got
}

// sort makes a parcel for each database, and says what is wrong with those placements that can go nowhere.
func (s *Store) sort(to []store.Placement, errs []error) (parcels []*parcel) {
	now := s.now()
	byPath := map[string]*parcel{}
	for i := range to {
		c, path, err := s.address(&to[i])
		if err != nil {
			errs[i] = err
			continue
		}
		p := byPath[path]
		if p == nil {
			p = &parcel{path: path, job: job{done: make(chan struct{})}}
			byPath[path] = p
			parcels = append(parcels, p)
		}
		if c.number, c.date = i, to[i].Date; c.date.IsZero() {
			c.date = now
		}
		p.copies = append(p.copies, c)
	}
	for _, p := range parcels {
		for i := range p.copies {
			c := &p.copies[i]
			p.steps = append(p.steps, step{
				do:  func(t *tx) error { return t.place(p, c) },
				rid: func(t *tx) error { _, err := t.exec("take back", takeBack, c.id); return err },
			})
		}
	}
	return parcels
}

func (s *Store) address(p *store.Placement) (c copyTo, path string, err error) {
	name, path, err := s.find(p.Mailbox)
	if err != nil {
		return c, "", err
	}
	levels, err := store.Levels(p.Folder)
	if err != nil && p.Missing == store.MakeFolder {
		return c, "", err
	}
	c = copyTo{
		place:    place{name, strings.Join(levels, "/")},
		missing:  p.Missing,
		flags:    flagWords(p.Flags),
		trace:    p.Trace,
		envelope: readEnvelope(p.Trace),
	}
	return c, path, nil
}

// dispatch gets the parcels on their way: each to its database, the message read once for all.
func (s *Store) dispatch(ctx context.Context, c store.Content, parcels []*parcel) {
	l, err := s.read(ctx, c)
	if err != nil {
		for _, p := range parcels {
			p.fail(err)
			p.settle()
		}
		return
	}
	l.users.Store(int32(len(parcels)))
	for _, p := range parcels[1:] {
		s.running.Go(func() { s.send(ctx, c, l, p) })
	}
	s.send(ctx, c, l, parcels[0])
}

// send brings a parcel into the queue of its database.
func (s *Store) send(ctx context.Context, c store.Content, l *letter, p *parcel) {
	p.letter = l
	db, err := s.pool.lend(ctx, p.path, mayMake)
	if err == nil {
		err = p.queue(ctx, db, c)
		if err != nil {
			s.pool.giveBack(db)
		}
	}
	if err != nil {
		p.fail(classify(err))
		p.settle()
		l.release()
	}
}

// queue writes a large content ahead, and then queues what makes the copies.
func (p *parcel) queue(ctx context.Context, db *database, c store.Content) error {
	if err := db.hasRoom(ctx, p.letter.size); err != nil {
		return err
	}
	p.octets = p.letter.size
	if p.letter.body == nil {
		id, err := db.stage(ctx, p.letter, c)
		if err != nil {
			return err
		}
		if p.staged, p.octets = id, 0; id != 0 {
			p.waste = func(t *tx) error { _, err := t.exec("discard content", discardContent, id); return err }
		}
	}
	p.after = func() {
		p.letter.release()
		db.store.pool.giveBack(db)
	}
	if p.waits == aloneWaits {
		db.writer.EnqueueAndLead(ctx, &p.job)
	} else {
		db.writer.Enqueue(&p.job)
	}
	return nil
}

// place makes one copy, the content first if it is not there yet.
func (t *tx) place(p *parcel, c *copyTo) error {
	into := c.place
	folder, err := t.folder(into)
	if err == nil && folder == 0 && c.missing == store.UseInbox {
		into.folder = ""
		folder, err = t.folder(into)
	}
	if err == nil && folder == 0 {
		folder, err = t.makeFolder(into)
	}
	if err != nil {
		return err
	}
	content, err := t.content(p)
	if err != nil {
		return err
	}
	e := c.envelope
	if len(c.trace) == 0 { // mail that was imported has its trace fields in its content
		e = p.letter.envelope
	}
	r, err := t.exec("insert copy", insertCopy, folder, content, p.letter.size+int64(len(c.trace)), c.date.UnixMicro(), c.flags,
		e.reversePath, e.original, notNil(c.trace))
	if err != nil {
		return err
	}
	if c.id, err = r.LastInsertId(); err != nil {
		return fmt.Errorf("insert copy: %w", err)
	}
	c.folder = into.folder
	return nil
}

// notNil keeps what is empty from being NULL.
func notNil(b []byte) []byte {
	if b == nil {
		return []byte{}
	}
	return b
}
