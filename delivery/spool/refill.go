package spool

import (
	"context"
	"database/sql"
	"time"
)

const (
	maxSenders = 64 // that are given a turn in one refill
	perSender  = 8  // entries of each
)

// refill brings entries that are due into memory. Only the schedule calls it.
func (s *Spool) refill(d *destination) error {
	now := s.cfg.Now()
	s.mu.Lock()
	f := finder{d: d, now: now.UnixMicro(), limit: window + len(d.loaded), after: d.after, senders: maxSenders}
	if d.rest.is() { // one entry is tried
		f.limit, f.senders = 1+len(d.loaded), 0
	}
	d.due, d.reading = time.Time{}, true
	s.mu.Unlock()
	err := s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) error { return f.find(ctx, conn) })
	if err != nil {
		f.found, f.due = nil, now.Add(stallFor)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, e := range f.found {
		if !d.loaded[e.key] {
			d.loaded[e.key] = true
			d.push(e)
		}
	}
	d.after, d.reading = f.after, false
	if !f.due.IsZero() && (d.due.IsZero() || f.due.Before(d.due)) {
		d.due = f.due
	}
	s.start(d)
	s.forget(d)
	return err
}

// A finder finds what is due of one destination.
type finder struct {
	d       *destination
	now     int64
	limit   int
	senders int
	after   string // sender that was looked for last

	found []*entry
	due   time.Time // when there is more; zero: never
}

// find takes what has been due longest. If there is more than that, some senders have their turns besides, all of them after a while.
func (f *finder) find(ctx context.Context, conn *sql.Conn) error {
	f.found = nil
	if err := f.add(ctx, conn, selectDue, f.d.name, f.now, f.limit); err != nil {
		return err
	}
	if len(f.found) < f.limit {
		var next sql.NullInt64
		err := conn.QueryRowContext(ctx, selectNextDue, f.d.name, f.now).Scan(&next)
		if f.due = (time.Time{}); next.Valid {
			f.due = time.UnixMicro(next.Int64)
		}
		return err
	}
	f.due = time.UnixMicro(f.now)
	for n := 0; n < f.senders; n++ {
		err := conn.QueryRowContext(ctx, selectNextSender, f.d.name, f.after).Scan(&f.after)
		if err == sql.ErrNoRows {
			f.after = "" // and from the first again, another time
			return nil
		}
		if err == nil {
			err = f.add(ctx, conn, selectOfSender, f.d.name, f.after, f.now, perSender)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (f *finder) add(ctx context.Context, conn *sql.Conn, query string, args ...any) error {
	rows, err := conn.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		e := &entry{destination: f.d.name}
		if err := rows.Scan(&e.seq, &e.number, &e.sender); err != nil {
			return err
		}
		f.found = append(f.found, e)
	}
	return rows.Err()
}
