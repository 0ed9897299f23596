package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"runtime/debug"
	"sync"

	"lmtpd/store"
)

// Deliver writes each placement's copy, several at a time: concurrent syncs share what the disk does for them.
func (s *Store) Deliver(ctx context.Context, c store.Content, to []store.Placement) []error {
	s.running.Add(1)
	defer s.running.Done()
	errs := make([]error, len(to))
	if len(to) == 1 {
		errs[0] = s.guarded(ctx, c, &to[0])
		return errs
	}
	var wg sync.WaitGroup
	next := make(chan int)
	for range min(len(to), s.perMsg) {
		wg.Go(func() {
			for i := range next {
				errs[i] = s.guarded(ctx, c, &to[i])
			}
		})
	}
	for i := range to {
		next <- i
	}
	close(next)
	wg.Wait()
	return errs
}

// guarded makes a panic one placement's trouble alone: the others are there and must be told so, and in a goroutine of
// its own it would end the daemon.
func (s *Store) guarded(ctx context.Context, c store.Content, p *store.Placement) (err error) {
	defer func() {
		if v := recover(); v != nil {
			s.log.Error("panic in a delivery", "mailbox", p.Mailbox, "cause", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
	}()
	return s.place(ctx, c, p)
}

// place delivers one copy when there is a free slot.
func (s *Store) place(ctx context.Context, c store.Content, p *store.Placement) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	err := s.deliver(c, p)
	if errors.Is(err, errGone) {
		err = s.deliver(c, p) // with the directories as they are now
	}
	return classify(err)
}

// errGone says that a directory that was held open is not where it was.
var errGone = errors.New("mailbox removed or moved away")

// deliver finds the place and leaves the message there.
func (s *Store) deliver(c store.Content, p *store.Placement) error {
	t, err := s.target(place{p.Mailbox, p.Folder})
	if err != nil {
		return err
	}
	defer s.cache.release(t)
	if err = s.leave(t, c, p); err != nil {
		s.cache.drop(t) // whatever is wrong with it, the next delivery looks anew
	}
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w: %w", errGone, err)
	}
	return err
}

// leave is the sequence that the promise of 250 rests on: written, synced, named, and the name synced.
func (s *Store) leave(t *target, c store.Content, p *store.Placement) error {
	flags := letters(p.Flags)
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
	size, err := s.writeMessage(d.fd, c, p.Trace)
	if err != nil {
		return fmt.Errorf("%s: %w", into.name(), err)
	}
	if err := s.fs.syncFile(d.fd); err != nil {
		return fmt.Errorf("sync message for %s: %w", into.name(), err)
	}
	name, err := d.link(into, size, flags)
	if err != nil {
		return fmt.Errorf("link into %s: %w", into.name(), err)
	}
	if err := s.fs.syncDir(into.fd()); err != nil {
		_ = s.fs.unlink(into.fd(), name) // it may or may not be there: better not
		return fmt.Errorf("sync %s: %w", into.name(), err)
	}
	return nil
}
