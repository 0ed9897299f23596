// Package rights does file operations with the rights of a user of the host, so that nothing in that user's home, be it a
// symlink, a mode bit or a pipe, leads to where the user could not go.
//
// On Linux a thread has rights of its own for files: As runs a function on a thread whose fsuid, fsgid and supplementary
// groups are the user's and which has no capabilities left, for CAP_DAC_OVERRIDE would open every door and
// CAP_SYS_RESOURCE lift every quota. fsuid, not euid: the user can send the daemon no signal through it. Each of them is
// read back, since setfsuid(2) does not say that it failed. Afterwards the thread takes its own rights again, and one that
// cannot is let die. Go starts no thread from one that a goroutine is locked to, so nothing inherits them.
//
// It takes root, or CAP_SETUID and CAP_SETGID; without them, and on other systems, only the process's own user is served.
//
// A function that is run so must do its work in its own goroutine, and must start no process.
package rights

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime"
	"runtime/debug"

	"lmtpd/store"
)

// errRefused says that a user's rights are not to be had.
var errRefused = errors.New("cannot act for the owner of the mailbox")

// Rights are those of the process, which can lend itself those of others.
type Rights struct {
	own  process
	log  *slog.Logger
	able error // why nobody else's can be had

	giveBack func(process) error // makes a thread what it was
}

// Own reads the rights of the process.
func Own(log *slog.Logger) (*Rights, error) {
	own, err := readProcess()
	if err != nil {
		return nil, fmt.Errorf("rights of the process: %w", err)
	}
	return &Rights{own: own, log: log, able: own.able(), giveBack: process.restore}, nil
}

// Are says whether they are those of o; those of nil are. Groups do not matter: they are what the process has.
func (r *Rights) Are(o *store.Owner) bool {
	return o == nil || o.UID == r.own.uid && o.GID == r.own.gid
}

// AreRoots says whether they are those of root.
func (r *Rights) AreRoots() bool { return r.own.uid == 0 }

// Check says whether files can be touched with o's rights: if not, why.
func (r *Rights) Check(o *store.Owner) error {
	switch {
	case r.Are(o):
		return nil
	case !possible(o):
		return fmt.Errorf("%w: uid %d, gid %d or a group is none that a user can have", errRefused, o.UID, o.GID)
	case r.able != nil:
		return fmt.Errorf("%w: uid %d, gid %d: %w", errRefused, o.UID, o.GID, r.able)
	case o.UID == 0 && r.own.uid != 0:
		return fmt.Errorf("%w: uid 0 is served by a process of root alone", errRefused)
	}
	return nil
}

// possible says whether the kernel can have meant these: the highest number stands for none.
func possible(o *store.Owner) bool {
	for _, id := range append([]int{o.UID, o.GID}, o.Groups...) {
		if id < 0 || int64(id) >= math.MaxUint32 {
			return false
		}
	}
	return true
}

// As runs f with the rights of o and returns its error, or says why it did not run. A panic of f is the caller's.
func (r *Rights) As(o *store.Owner, f func() error) error {
	if r.Are(o) {
		return f()
	}
	if err := r.Check(o); err != nil {
		return err
	}
	done := make(chan result, 1)
	go func() { // a thread that keeps strange rights dies with its goroutine, so it cannot be the caller's
		end := result{err: errors.New("ended in the middle")}
		defer func() { done <- end }()
		r.onThread(o, func() { end = run(f) }, &end.err)
	}()
	end := <-done
	if end.panic != nil {
		panic(end.panic)
	}
	return end.err
}

// onThread runs f, or sets err.
func (r *Rights) onThread(o *store.Owner, f func(), err *error) {
	runtime.LockOSThread()
	defer func() {
		if err := r.giveBack(r.own); err != nil {
			r.log.Error("a thread did not get its rights back and ends", "uid", o.UID, "cause", err)
			return
		}
		runtime.UnlockOSThread()
	}()
	if cause := take(o); cause != nil {
		*err = fmt.Errorf("%w: uid %d, gid %d: %w", errRefused, o.UID, o.GID, cause)
		return
	}
	f()
}

// A result is how a function ended.
type result struct {
	err   error
	panic any
}

// run catches a panic, with the stack that only this goroutine knows.
func run(f func() error) (end result) {
	defer func() {
		if v := recover(); v != nil {
			end.panic = fmt.Sprintf("%v\n\n%s", v, debug.Stack())
		}
	}()
	return result{err: f()}
}
