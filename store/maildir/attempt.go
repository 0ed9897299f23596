package maildir

import (
	"context"
	"errors"
	"sync"

	"lmtpd/store"
)

// An attempt is a placement on its way. The file system may keep it beyond its deadline, so either it settles or it is
// given up, whichever comes first.
type attempt struct {
	store.Placement

	mu      sync.Mutex
	settled bool
	givenUp bool
	err     error // once settled
}

// settle says how the attempt ended, and tells whether anybody still wants to know. The first word counts, and a message
// that is there after ctx has ended is none.
func (a *attempt) settle(ctx context.Context, err error) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.givenUp || !a.settled && err == nil && ctx.Err() != nil {
		a.givenUp = true
		return false
	}
	if !a.settled {
		a.settled, a.err = true, err
	}
	return true
}

// giveUp ends the waiting and says how the attempt ended: if it has not, as ctx did.
func (a *attempt) giveUp(ctx context.Context) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.settled {
		return a.err
	}
	a.givenUp = true
	return context.Cause(ctx)
}

// isLate says whether the attempt may as well end here.
func (a *attempt) isLate(ctx context.Context) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.givenUp || ctx.Err() != nil
}

// errLate says that the message was ready when nobody waited for it any more.
var errLate = errors.New("too late")

// takeBack removes a message that came after its deadline: the client has been told to send it again.
func (s *Store) takeBack(into *dir, name string, a *attempt) error {
	err := s.fs.unlink(into.fd(), name)
	if err == nil {
		err = s.fs.syncDir(into.fd())
	}
	if err != nil {
		s.log.Error("delivered late", "mailbox", a.Mailbox.Name, "folder", a.Folder, "file", name, "cause", err)
	} else {
		s.log.Warn("taken back: its deadline had passed", "mailbox", a.Mailbox.Name, "folder", a.Folder)
	}
	return errLate
}
