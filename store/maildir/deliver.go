package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"sync"
	"sync/atomic"

	"lmtpd/store"
)

// Deliver writes each placement's copy, several at a time: concurrent syncs share what the disk does for them. When ctx
// ends it does not wait for a disk that hangs; what comes of an attempt after that is taken back.
//
// A single copy on the store's own disk is written by the caller itself, who thus does wait: to hand it to another goroutine
// and sleep took a quarter more CPU, and there is no other recipient to be held up.
func (s *Store) Deliver(ctx context.Context, c store.Content, to []store.Placement) []error {
	all := make([]attempt, len(to))
	for i := range to {
		all[i].Placement = to[i]
	}
	if len(to) == 1 && s.atRoot(to[0].Mailbox) && s.rights.Are(to[0].Mailbox.Owner) {
		s.running.Add(1)
		defer s.running.Done()
		all[0].settle(ctx, s.guarded(to[0].Mailbox, func() error { return s.place(ctx, c, &all[0]) }))
		return conclude(ctx, all, to)
	}
	done := make(chan struct{}, len(to)) // with room for all: nobody may be waiting any more
	var next atomic.Int64
	for range min(len(to), s.perMsg) {
		s.running.Go(func() {
			for n := next.Add(1); n <= int64(len(all)); n = next.Add(1) {
				a := &all[n-1]
				a.settle(ctx, s.guarded(a.Mailbox, func() error { return s.place(ctx, c, a) }))
				done <- struct{}{}
			}
		})
	}
	for range to {
		select {
		case <-done:
		case <-ctx.Done():
			return conclude(ctx, all, to)
		}
	}
	return conclude(ctx, all, to)
}

// conclude says what became of each attempt, and gives up those that have not ended.
func conclude(ctx context.Context, all []attempt, to []store.Placement) []error {
	errs := make([]error, len(to))
	for i := range all {
		if errs[i] = all[i].giveUp(ctx); errs[i] == nil {
			to[i].Folder = all[i].Folder
		}
	}
	return errs
}

// guarded makes a panic one placement's trouble alone: the others are there and must be told so, and in a goroutine of
// its own it would end the daemon.
func (s *Store) guarded(mailbox store.Mailbox, do func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("panic in a mailbox", "mailbox", mailbox.Name, "cause", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return do()
}

// place delivers one copy when there is a free slot.
func (s *Store) place(ctx context.Context, c store.Content, a *attempt) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	which, err := s.Identity(a.Mailbox)
	if err != nil {
		return err
	}
	if err := s.crowd.enter(which); err != nil {
		return err
	}
	defer s.crowd.leave(which)
	select {
	case s.slots <- struct{}{}:
		free := sync.OnceFunc(func() { <-s.slots })
		defer context.AfterFunc(ctx, free)() // what hangs beyond its deadline is its own mailbox's trouble
		defer free()
	case <-ctx.Done():
		return ctx.Err()
	}
	return classify(s.as(a.Mailbox, func() error {
		err := s.deliver(ctx, c, a)
		if errors.Is(err, errGone) {
			err = s.deliver(ctx, c, a) // with the directories as they are now
		}
		return err
	}))
}

// errGone says that a directory that was held open is not where it was.
var errGone = errors.New("mailbox removed or moved away")

// deliver finds the place and leaves the message there.
func (s *Store) deliver(ctx context.Context, c store.Content, a *attempt) error {
	t, err := s.target(&a.Placement)
	if err != nil {
		return err
	}
	defer s.cache.release(t)
	if err = s.leave(ctx, t, c, a); err != nil {
		s.cache.drop(t) // whatever is wrong with it, the next delivery looks anew
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// leave is the sequence that the promise of 250 rests on: written, synced, named, and the name synced. Only then it counts.
func (s *Store) leave(ctx context.Context, t *target, c store.Content, a *attempt) error {
	flags, err := s.lettersIn(t.dir, a.Flags)
	if err != nil {
		return err
	}
	into := t.new
	if flags != "" {
		cur, err := t.sub("cur")
		if err != nil {
			return err
		}
		defer cur.Close()
		into = cur
	}
	d, err := s.draft(t, into)
	if err != nil {
		return err
	}
	defer d.discard()
	size, err := s.writeMessage(d.fd, c, a.Trace)
	if err != nil {
		return fmt.Errorf("%s: %w", into.name(), err)
	}
	if err := d.sync(a.Date); err != nil {
		return fmt.Errorf("sync message for %s: %w", into.name(), err)
	}
	if a.isLate(ctx) {
		return errLate
	}
	count, err := s.posting(ctx, a.Mailbox, a.Folder, t.mailboxDir())
	if err != nil {
		return err
	}
	defer count.end()
	name, err := d.link(into, size, flags)
	if err != nil {
		return fmt.Errorf("link into %s: %w", into.name(), err)
	}
	if err := s.fs.syncDir(into.fd()); err != nil {
		_ = s.fs.unlink(into.fd(), name) // it may or may not be there: better not
		return fmt.Errorf("sync %s: %w", into.name(), err)
	}
	if !a.settle(ctx, nil) {
		return s.takeBack(into, name, a)
	}
	count.add(store.Usage{Messages: 1, Octets: size.disk})
	return nil
}
