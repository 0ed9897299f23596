package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// tick is how often it is looked what other processes have changed, and whose time is over.
const tick = time.Second

// Run attempts what is in the spool until ctx ends, and then lets attempts under way finish, for as long as Config.Grace. It returns an
// error at once if another process is at it.
func (s *Spool) Run(ctx context.Context) error {
	lock, err := lockFile(s.db.Path() + ".lock")
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	defer lock.Close()
	if err := s.recover(); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	attempts, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	s.mu.Lock()
	s.attempts, s.running = attempts, true
	s.workers.Go(func() { s.watchAge(ctx) })
	s.workers.Go(func() { s.rerouteAll(ctx) })
	s.mu.Unlock()
	s.schedule(ctx)
	s.end(cancel)
	return nil
}

// lockFile makes sure that one process alone attempts.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("another lmtpd is at work on it (lock %s: %w)", path, err), f.Close())
	}
	return f, nil
}

// end waits for attempts under way, and leaves the rest for the next start.
func (s *Spool) end(cancel context.CancelFunc) {
	s.mu.Lock()
	s.running = false
	s.mu.Unlock()
	grace := time.AfterFunc(s.cfg.Grace, cancel)
	s.workers.Wait()
	grace.Stop()
	s.mu.Lock()
	var left []*entry
	for _, d := range s.destinations {
		for e := d.pop(); e != nil; e = d.pop() {
			if e.message != nil {
				left = append(left, e)
			}
		}
		clear(d.loaded)
	}
	s.mu.Unlock()
	for _, e := range left {
		s.giveUp(e)
	}
	s.tryAgain()
	s.writer.change(0, func(*tx) error { return nil }) // comes after all that was owed
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.unsettled); n > 0 {
		s.cfg.Log.Error("what attempts have come to could not be kept: it is attempted again", "attempts", n)
	}
}

// schedule has attempts begin when it is time.
func (s *Spool) schedule(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	var looked time.Time
	for {
		select {
		case <-ctx.Done():
			return
		case <-s.wake:
		case <-timer.C:
		}
		if now := s.cfg.Now(); now.Sub(looked) >= tick || now.Before(looked) {
			looked = now
			s.look()
		}
		for _, d := range s.hungry() {
			if err := s.refill(d); err != nil {
				s.cfg.Log.Error("the spool cannot be read", "destination", d.name, "cause", err)
			}
		}
		timer.Reset(s.rests())
	}
}

// look looks what others have changed, and pays debts.
func (s *Spool) look() {
	s.tryAgain()
	now, err := s.db.Changes(context.Background())
	if err == nil && now != s.changes.Load() {
		if err = s.rediscover(); err == nil {
			s.changes.Store(now)
		}
	}
	if err != nil {
		s.cfg.Log.Error("the spool cannot be read", "cause", err)
	}
}

// rediscover finds all destinations of what waits, and forgets the rests that somebody has ended.
func (s *Spool) rediscover() error {
	due, resting := map[string]time.Time{}, map[string]bool{}
	err := s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) error {
		clear(due)
		clear(resting)
		if err := eachDestination(ctx, conn, func(name string, next time.Time) { due[name] = next }); err != nil {
			return err
		}
		return eachName(ctx, conn, selectRests, func(name string) { resting[name] = true })
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for name, next := range due {
		if d := s.at(name); d.due.IsZero() || next.Before(d.due) {
			d.due = next
		}
	}
	for name, d := range s.destinations {
		if d.rest.kept && !resting[name] {
			d.rest = rest{epoch: d.rest.epoch + 1}
			s.start(d)
		}
	}
	return nil
}

func eachDestination(ctx context.Context, conn *sql.Conn, do func(name string, next time.Time)) error {
	for name := ""; ; {
		var next int64
		err := conn.QueryRowContext(ctx, selectNextDestination, name).Scan(&name, &next)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err != nil {
			return err
		}
		do(name, time.UnixMicro(next))
	}
}

func eachName(ctx context.Context, conn *sql.Conn, query string, do func(string)) error {
	rows, err := conn.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		do(name)
	}
	return rows.Err()
}

// hungry lists the destinations for which something is to be read.
func (s *Spool) hungry() (list []*destination) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.cfg.Now()
	if s.isStalled(now) {
		return nil
	}
	for _, d := range s.destinations {
		s.start(d)
		if s.readsAt(d, now) == now {
			list = append(list, d)
		}
	}
	return list
}

// readsAt says when something is to be read for a destination; zero: not as things are. The caller has s.mu.
func (s *Spool) readsAt(d *destination, now time.Time) time.Time {
	most := s.cfg.Concurrency
	if d.rest.is() {
		most = 1 // and not while that is under way
		if d.active > 0 {
			return time.Time{}
		}
	}
	if d.ready >= most || d.due.IsZero() {
		return time.Time{}
	}
	at := d.due
	for _, other := range []time.Time{d.rest.until, now} {
		if at.Before(other) {
			at = other
		}
	}
	return at
}

// rests is how long there is nothing to do.
func (s *Spool) rests() time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	now, pause := s.cfg.Now(), tick
	if s.isStalled(now) {
		return pause
	}
	for _, d := range s.destinations {
		if at := s.readsAt(d, now); !at.IsZero() {
			pause = min(pause, at.Sub(now))
		}
		if d.ready > 0 && d.rest.is() && d.active == 0 {
			pause = min(pause, max(d.rest.until.Sub(now), 0))
		}
	}
	return pause
}
