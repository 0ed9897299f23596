package spool

// A debt is a change that must be made, sooner or later: what it tells of has happened.
type debt struct {
	do     func(*tx) error
	octets int64
	after  func() // called once it is made
}

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
		s.unsettled = append(s.unsettled, x)
		s.stalled = s.cfg.Now().Add(stallFor)
	}
	n := len(s.unsettled)
	s.mu.Unlock()
	if err != nil {
		s.cfg.Log.Error("what an attempt has come to cannot be kept yet: it is tried again, and nothing is attempted before", "kept", n, "cause", err)
	} else if full {
		s.poke()
	}
}

// tryAgain has all debts paid that could not be.
func (s *Spool) tryAgain() {
	s.mu.Lock()
	list := s.unsettled
	s.unsettled = nil
	s.mu.Unlock()
	for _, x := range list {
		s.owe(x)
	}
}

// giveUp has an entry that is trying wait again: nobody attempts it.
func (s *Spool) giveUp(e *entry) {
	now := s.cfg.Now()
	s.owe(&debt{
		do: func(t *tx) error {
			m, err := t.mark(e.seq)
			if err != nil {
				return err
			}
			return t.putBack(e.key, m, now, 0)
		},
		after: func() {
			e.content.release()
			s.expect(e.destination, now)
		},
	})
}
