package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"lmtpd/store"
)

// patience is how long it may take to look at a home before it is taken for one that hangs.
const patience = 10 * time.Second

var errPatience = fmt.Errorf("%w: it takes longer than %v", errUnreachable, patience)

// Check says whether a mailbox would take so much more now. One that is not there yet is as good as one that is: the
// first delivery makes it.
func (s *Store) Check(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	return s.look(ctx, mailbox, func(ctx context.Context) error {
		return classify(s.as(mailbox, func() error { return s.check(ctx, mailbox, more) }))
	})
}

// look does what RCPT waits for. It does not wait for a home that hangs, nor look at it again while it does.
func (s *Store) look(ctx context.Context, mailbox store.Mailbox, do func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.atRoot(mailbox) && s.rights.Are(mailbox.Owner) {
		return do(ctx)
	}
	if err := s.stuck.check(mailbox.Name); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, patience, errPatience)
	defer cancel()
	done := make(chan error, 1)
	s.running.Go(func() { done <- s.guarded(mailbox, func() error { return do(ctx) }) })
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		s.stuck.watch(mailbox.Name, done)
		return context.Cause(ctx)
	}
}

func (s *Store) check(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	d, giveBack, err := s.lend(mailbox)
	if errors.Is(err, fs.ErrNotExist) {
		return s.checkUnmade(ctx, mailbox, more)
	}
	if err != nil {
		return err
	}
	defer giveBack()
	if err := s.space.Check(ctx, d.fd(), more.Octets); err != nil || !mailbox.Quota.Limited() {
		return err
	}
	used, err := s.counted(ctx, d, mailbox, more)
	if err != nil {
		return err
	}
	return mailbox.Quota.Check(used, more)
}

// checkUnmade is check for a mailbox that is not there yet.
func (s *Store) checkUnmade(ctx context.Context, mailbox store.Mailbox, more store.Usage) error {
	b, err := s.base(mailbox)
	if err != nil {
		return err
	}
	defer b.Close()
	return cmp.Or(s.space.Check(ctx, b.fd(), more.Octets), mailbox.Quota.Check(store.Usage{}, more))
}
