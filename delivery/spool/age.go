package spool

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"time"
)

const (
	agedAtOnce = 200 // entries that are looked up together
	agedBeside = 8   // of them, that are dealt with at once
)

// watchAge returns what has been here too long, and tells senders what takes long, until ctx ends. It does so wherever the entries go: a
// destination that is left alone is no excuse. But what is due and will be attempted is not returned before: the host may have been down
// for longer than a life, or somebody held it.
func (s *Spool) watchAge(ctx context.Context) {
	for ctx.Err() == nil {
		more, err := s.age(ctx)
		if err != nil {
			s.cfg.Log.Error("what has become old in the spool cannot be dealt with", "cause", err)
		}
		if more && err == nil {
			continue
		}
		select {
		case <-ctx.Done():
		case <-time.After(tick):
		}
	}
}

// age deals with some that have become old, and says whether there may be more.
func (s *Spool) age(ctx context.Context) (more bool, err error) {
	now := s.cfg.Now()
	for _, warned := range []int{1, 0} {
		n, err := s.each(ctx, s.expire, selectExpired, warned, now.Add(-s.cfg.Life).UnixMicro(), now.UnixMicro(), agedAtOnce)
		if err != nil || n > 0 {
			return n == agedAtOnce, err
		}
	}
	if s.cfg.DelayAfter < 0 {
		return false, nil
	}
	n, err := s.each(ctx, s.warn, selectLate, now.Add(-s.cfg.DelayAfter).UnixMicro(), agedAtOnce)
	return n == agedAtOnce, err
}

// each has something done with entries that a query finds, and says how many those are.
func (s *Spool) each(ctx context.Context, do func(*entry) error, query string, args ...any) (n int, err error) {
	s.mu.Lock()
	stalled := s.isStalled(s.cfg.Now())
	s.mu.Unlock()
	if stalled {
		return 0, nil
	}
	var list []*entry
	err = s.db.Read(context.Background(), func(ctx context.Context, conn *sql.Conn) (err error) {
		list, err = readKeys(ctx, conn, query, args...)
		return err
	})
	errs := make([]error, agedBeside)
	var all sync.WaitGroup
	for k := range min(agedBeside, len(list)) {
		all.Go(func() {
			for i := k; i < len(list) && ctx.Err() == nil && errs[k] == nil; i += agedBeside {
				if err := do(list[i]); !errors.Is(err, errGone) {
					errs[k] = err
				}
			}
		})
	}
	all.Wait()
	return len(list), errors.Join(err, errors.Join(errs...))
}

// errExpired says why a recipient is returned.
var errExpired = errors.New("delivery time expired")

// expire returns an entry to its sender.
func (s *Spool) expire(e *entry) error {
	claimed := false
	err := s.writer.change(0, func(t *tx) (err error) {
		claimed, err = t.changed("claim entry", claimOld, e.seq, e.number)
		return err
	})
	if err != nil || !claimed {
		return errors.Join(err, errGone)
	}
	if err := s.read(e); err != nil {
		if !errors.Is(err, errGone) {
			s.giveUp(e)
		}
		return err
	}
	r := result{entry: e, begun: s.cfg.Now(), outcomes: make([]Outcome, len(e.recipients))}
	r.ended = r.begun
	for i := range r.outcomes {
		r.outcomes[i] = expired(&e.recipients[i])
	}
	s.logResult(r)
	s.settle(r)
	return nil
}

// expired is the end of a recipient that was never done. What was heard last is told, word for word.
func expired(r *recipient) Outcome {
	o := Outcome{Fate: Bounced, Reply: r.reply, Server: r.server, Cause: errExpired}
	if r.cause != "" {
		o.Cause = errors.Join(errExpired, errors.New(r.cause))
	}
	return o
}

// warn tells the sender of an entry that it takes long, once.
func (s *Spool) warn(e *entry) error {
	if err := s.read(e); err != nil {
		return err
	}
	n := s.delayNotice(e, e.message.Arrived.Add(s.cfg.Life))
	told := false
	err := s.writer.change(0, func(t *tx) (err error) {
		if told, err = t.changed("warn", warnEntry, e.seq, e.number); err == nil && told && n != nil {
			err = t.insert(n, make([]bool, len(n.entries)))
		}
		return err
	})
	if err == nil && told && n != nil {
		s.expect(n.entries[0].destination, s.cfg.Now())
	}
	return err
}
