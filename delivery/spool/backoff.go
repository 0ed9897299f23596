package spool

import (
	"math/rand/v2"
	"time"
)

// How long a destination is left alone that cannot be used: twice as long each time.
const (
	firstRest   = 15 * time.Second
	longestRest = 30 * time.Minute
)

// A rest is how long a destination is left alone. Once it is over, one entry is attempted.
type rest struct {
	failures int
	since    time.Time
	until    time.Time
	epoch    int  // of failures that count as one: those of attempts that had begun already
	kept     bool // in the database, so that it is over once somebody removes it there
}

// is says whether the destination was last found unusable.
func (r *rest) is() bool { return r.failures > 0 }

// isOver says whether one entry may be attempted.
func (r *rest) isOver(now time.Time) bool { return !now.Before(r.until) }

// begin begins a rest, or a longer one.
func (r *rest) begin(now time.Time) {
	if r.failures == 0 {
		r.since = now
	}
	r.failures++
	r.epoch++
	r.kept = false
	pause := longestRest
	if n := r.failures - 1; n < 16 {
		pause = min(firstRest<<n, longestRest)
	}
	r.until = now.Add(jitter(pause))
}

// jitter makes a pause up to a tenth longer or shorter.
func jitter(d time.Duration) time.Duration {
	return d + time.Duration((rand.Float64()-0.5)*float64(d)/5)
}

// learn keeps what an attempt that began in an epoch tells of its destination.
func (s *Spool) learn(d *destination, epoch int, unusable error) {
	s.mu.Lock()
	was := d.rest.is()
	switch {
	case unusable == nil && was:
		d.rest = rest{epoch: d.rest.epoch + 1}
	case unusable != nil && epoch == d.rest.epoch:
		d.rest.begin(s.cfg.Now())
	default:
		s.mu.Unlock()
		return
	}
	r := d.rest
	if !r.is() {
		s.start(d)
		s.poke()
	}
	s.mu.Unlock()
	if r.is() {
		s.cfg.Log.Warn("destination cannot be used", "destination", d.name, "failures", r.failures, "pause", r.until.Sub(s.cfg.Now()).Round(time.Second), "cause", unusable)
	} else {
		s.cfg.Log.Info("destination can be used again", "destination", d.name)
	}
	s.keepRest(d.name, r, unusable)
}

const (
	replaceRest = "INSERT INTO destination (name, failures, since, until, cause) VALUES (?, ?, ?, ?, ?) " +
		"ON CONFLICT (name) DO UPDATE SET failures = excluded.failures, since = excluded.since, until = excluded.until, cause = excluded.cause"
	deleteRest = "DELETE FROM destination WHERE name = ?"
)

// keepRest tells other processes of a destination that cannot be used.
func (s *Spool) keepRest(name string, r rest, cause error) {
	s.writer.Enqueue(&job{
		do: func(t *tx) (err error) {
			if r.is() {
				_, err = t.exec("keep rest", replaceRest, name, r.failures, r.since.UnixMicro(), r.until.UnixMicro(), cause.Error())
			} else {
				_, err = t.exec("end rest", deleteRest, name)
			}
			return err
		},
		done: func(err error) {
			if err != nil {
				s.cfg.Log.Warn("what is known of a destination could not be kept", "destination", name, "cause", err)
				return
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			if d := s.destinations[name]; d != nil && d.rest.epoch == r.epoch {
				d.rest.kept = r.is()
			}
		},
	})
}
