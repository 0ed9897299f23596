package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// Usage says what a mailbox holds. With a quota that is what its maildirsize has kept count of, octets as they lie on the
// disk; without one it is added up from the names where they tell.
func (s *Store) Usage(ctx context.Context, mailbox store.Mailbox) (u store.Usage, err error) {
	if !mailbox.Quota.Limited() {
		return s.addUp(ctx, mailbox)
	}
	err = s.onMailbox(ctx, mailbox, func(d *dir) error {
		u, err = s.counted(ctx, d, mailbox, store.Usage{})
		return err
	})
	return u, err
}

// Recount counts anew and writes the maildirsize, if there is a quota to keep it for.
func (s *Store) Recount(ctx context.Context, mailbox store.Mailbox) (u store.Usage, err error) {
	if !mailbox.Quota.Limited() {
		return s.addUp(ctx, mailbox)
	}
	err = s.onMailbox(ctx, mailbox, func(d *dir) error {
		u, err = s.recount(ctx, d, mailbox)
		return err
	})
	return u, err
}

// counted gives the count that the mailbox d keeps. One that leaves no room for so much more is believed only if it is
// young and no sum of changes: a mailbox that was emptied by somebody who does not keep count must take mail again.
func (s *Store) counted(ctx context.Context, d *dir, mailbox store.Mailbox, more store.Usage) (store.Usage, error) {
	c, young, err := s.readCount(d, mailbox.Quota)
	if err == nil && (young || mailbox.Quota.Check(c.used, more) == nil) {
		return c.used, nil
	}
	if err == nil {
		err = fmt.Errorf("%w: it says that the mailbox is full", errUncounted)
	}
	used, again := s.recount(ctx, d, mailbox)
	if again == nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Info("mailbox counted anew", "mailbox", mailbox.Name, "messages", used.Messages, "octets", used.Octets, "cause", err)
	}
	return used, again
}

// readCount reads the maildirsize of the mailbox d, and says whether the mailbox was counted a moment ago and has not
// changed since.
func (s *Store) readCount(d *dir, q store.Quota) (c count, young bool, err error) {
	fd, st, err := s.openCount(d)
	if err != nil {
		return c, false, err
	}
	defer unix.Close(fd)
	if st.Size > maxCountFile {
		return c, false, fmt.Errorf("%w: %d octets", errUncounted, st.Size)
	}
	b := make([]byte, st.Size)
	n, err := unix.Read(fd, b)
	if err != nil {
		return c, false, err
	}
	if c, err = parseCount(b[:n]); err != nil {
		return c, false, err
	}
	if c.limits != q.Usage {
		return c, false, fmt.Errorf("%w: its limits were others", errUncounted)
	}
	return c, c.changes == 0 && s.now().Unix()-int64(st.Mtim.Sec) < int64(countStale.Seconds()), nil
}

// openCount opens the maildirsize of the mailbox d. What its owner may have put there instead is not touched, nor a file
// that has another name besides.
func (s *Store) openCount(d *dir) (fd int, st unix.Stat_t, err error) {
	if fd, err = s.fs.openAppend(d.fd(), countFile); err != nil {
		return -1, st, fmt.Errorf("open %s: %w", countFile, err)
	}
	err = unix.Fstat(fd, &st)
	if err == nil && (st.Mode&unix.S_IFMT != unix.S_IFREG || st.Nlink != 1) {
		err = fmt.Errorf("%w: no file of its own", errUncounted)
	}
	if err != nil {
		_ = unix.Close(fd)
		return -1, st, err
	}
	return fd, st, nil
}

// lend gives the directory of a mailbox: the one that deliveries keep open, if its path still leads there. It makes
// nothing. The caller has the rights of the mailbox's owner.
func (s *Store) lend(mailbox store.Mailbox) (d *dir, giveBack func(), err error) {
	if t := s.cache.get(s.placeOf(mailbox, "")); t != nil {
		if t.current(s.root) == nil {
			return t.dir, func() { s.cache.release(t) }, nil
		}
		s.cache.release(t)
	}
	b, err := s.base(mailbox)
	if err != nil {
		return nil, nil, err
	}
	defer b.Close()
	if d, err = b.walk(); err != nil {
		return nil, nil, err
	}
	return d, func() { d.Close() }, nil
}
