package certificate

import (
	"context"
	"fmt"
	"time"
)

// patience is how long a handshake waits for a look at the files. A file system that hangs may take any time.
const patience = 2 * time.Second

// Look looks at the files and takes those that have changed. Clients that come see to it at most once a second; whoever wants to
// hear of what is wrong with files where no clients come calls it now and then.
//
// A certificate that cannot be taken, or is not valid while the old one is, leaves the old one where it was, and the log says so
// once. The log is told, too, of certificates that expire within 14 days, once a day.
func (s *Store) Look() {
	s.looking.Lock()
	defer s.looking.Unlock()
	s.look(s.cfg.Now())
}

// refresh has the files looked at if that is due, and waits until it is done, but not for a look that somebody else has begun.
func (s *Store) refresh(ctx context.Context) {
	now := s.cfg.Now()
	if s.age(now) < lookEvery || !s.looking.TryLock() {
		return
	}
	if s.age(now) < lookEvery { // somebody else has just looked
		s.looking.Unlock()
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer s.looking.Unlock()
		s.look(now)
	}()
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-done:
	case <-ctx.Done():
	case <-late.C:
		s.cfg.Log.Error("certificates cannot be looked at in time; the old ones are kept")
	}
}

// age is how long ago the files were last looked at. A clock that was set back makes it old, too.
func (s *Store) age(now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - s.looked.Load()).Abs()
}

// look looks at the files. What a panic was about cannot be taken.
func (s *Store) look(now time.Time) {
	defer func() {
		if v := recover(); v != nil {
			s.cfg.Log.Error("certificates cannot be looked at; the old ones are kept", "cause", fmt.Sprintf("panic: %v", v))
		}
		s.looked.Store(now.UnixNano())
	}()
	changed := false
	for _, w := range s.pairs {
		changed = w.look(now, s.cfg.Log) || changed
	}
	if s.ca != nil {
		changed = s.ca.look(now, s.cfg.Log) || changed
	}
	if changed {
		s.current.Store(s.version())
	}
	s.warn(now)
}
