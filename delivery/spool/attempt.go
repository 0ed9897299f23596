package spool

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"
)

// attempt attempts one entry, and sees to it that what it has come to is kept.
func (s *Spool) attempt(d *destination, e *entry) {
	s.mu.Lock()
	epoch := d.rest.epoch
	s.mu.Unlock()
	switch err := s.claim(d, e); {
	case errors.Is(err, errGone):
		return
	case err != nil:
		s.cfg.Log.Error("an entry of the spool cannot be attempted", "destination", d.name, "cause", err)
		s.stall()
		s.expect(d.name, s.cfg.Now()) // it is not in memory any more
		return
	}
	r := result{entry: e, begun: s.cfg.Now()}
	r.outcomes, r.unusable = s.carry(d.name, e.message)
	if s.attempts.Err() == nil || r.unusable == nil {
		s.learn(d, epoch, r.unusable)
	}
	r.ended = s.cfg.Now()
	s.logResult(r)
	s.settle(r)
}

// claim makes an entry trying, and reads it, as far as that is not done. errGone says that there is nothing to attempt.
func (s *Spool) claim(d *destination, e *entry) error {
	if e.message != nil { // it was put in as trying
		return s.confirm(e)
	}
	claimed := false
	err := s.writer.change(0, func(t *tx) (err error) {
		claimed, err = t.changed("claim entry", claimEntry, e.seq, e.number, s.cfg.Now().UnixMicro())
		return err
	})
	s.mu.Lock()
	delete(d.loaded, e.key)
	s.mu.Unlock()
	switch {
	case err != nil:
		return err
	case !claimed:
		return errGone
	}
	if err = s.read(e); err == nil {
		return s.reroute(e)
	}
	if !errors.Is(err, errGone) {
		s.giveUp(e)
	}
	return err
}

// confirm makes sure that what has been in memory for a while is still to be attempted, and that its content is there.
func (s *Spool) confirm(e *entry) error {
	if e.content != nil && e.seen == s.changes.Load() {
		return nil
	}
	m, err := s.markOf(e.seq)
	if err == nil && m != unmarked {
		s.giveUp(e)
		return errGone
	}
	if err == nil && e.content == nil {
		err = s.read(e)
	}
	if err != nil && !errors.Is(err, errGone) {
		s.giveUp(e)
	}
	return err
}

// carry has the transport attempt a message. A panic is a doubt.
func (s *Spool) carry(name string, m *Message) (outcomes []Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			s.cfg.Log.Error("panic in an attempt", "id", m.ID, "destination", name, "cause", v, "stack", string(debug.Stack()))
			outcomes, err = doubts(m, fmt.Errorf("panic: %v", v)), nil
		}
	}()
	outcomes, err = s.cfg.Transport.Attempt(s.attempts, name, m)
	if err == nil && len(outcomes) != len(m.Recipients) {
		outcomes = doubts(m, fmt.Errorf("%d outcomes for %d recipients", len(outcomes), len(m.Recipients)))
	}
	return outcomes, err
}

// doubts are outcomes of which nothing is known.
func doubts(m *Message, cause error) []Outcome {
	outcomes := make([]Outcome, len(m.Recipients))
	for i := range outcomes {
		outcomes[i] = Outcome{Fate: Unknown, Cause: cause}
	}
	return outcomes
}

// pause is how long an entry waits after so many attempts.
func (s *Spool) pause(attempts int) time.Duration {
	first := s.cfg.Retries
	pause := first[min(attempts, len(first))-1]
	for n := len(first); n < attempts && pause < s.cfg.LongestRest; n++ {
		pause *= 2
	}
	return jitter(min(pause, s.cfg.LongestRest))
}
