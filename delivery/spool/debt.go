package spool

import "time"

// A debt is a change that must be made, sooner or later: what it tells of has happened.
type debt struct {
	do     func(*tx) error
	octets int64
	after  func() // called once it is made

	failures int
	again    time.Time // when it is tried again
}

const (
	// maxUnsettled is how much may be owed that could not be paid before attempts wait: after a crash it is all in doubt.
	maxUnsettled = 100
	// longestDebt is the longest pause between two tries.
	longestDebt = time.Minute
)

// owe has a change made, again and again until it succeeds. Nobody waits for it; what is owed is not attempted meanwhile.
func (s *Spool) owe(x *debt) {
	s.mu.Lock()
	s.settling++
	s.mu.Unlock()
	s.writer.Enqueue(&job{do: x.do, octets: x.octets, done: func(err error) { s.paid(x, err) }})
}

// paid ends a debt, or keeps it for another try.
func (s *Spool) paid(x *debt, err error) {
	if err == nil {
		x.after()
	}
	s.mu.Lock()
	s.settling--
	full := s.settling == maxSettling-1
	if err != nil {
		now := s.cfg.Now()
		x.again = now.Add(min(time.Second<<min(x.failures, 10), longestDebt))
		x.failures++
		s.unsettled = append(s.unsettled, x)
		s.stalled = now.Add(stallFor)
	}
	n := len(s.unsettled)
	s.mu.Unlock()
	if err != nil {
		s.cfg.Log.Error("what an attempt has come to cannot be kept yet: it is tried again", "such", n, "cause", err)
	} else if full {
		s.poke()
	}
}

// tryAgain has debts paid that could not be, and whose time has come by then.
func (s *Spool) tryAgain(by time.Time) {
	s.mu.Lock()
	var list, rest []*debt
	for _, x := range s.unsettled {
		if x.again.After(by) {
			rest = append(rest, x)
		} else {
			list = append(list, x)
		}
	}
	s.unsettled = rest
	s.mu.Unlock()
	for _, x := range list {
		s.owe(x)
	}
}

// giveUp has an entry that is trying wait again, until it is due: nobody attempts it.
func (s *Spool) giveUp(e *entry) {
	s.owe(&debt{
		do: func(t *tx) error {
			m, err := t.mark(e.seq)
			if err != nil {
				return err
			}
			return t.putBack(e.key, m, e.next, 0)
		},
		after: func() {
			e.content.release()
			s.expect(e.destination, e.next)
		},
	})
}
