package maildir

import (
	"cmp"
	"context"
	"errors"
	"time"

	"lmtpd/store"
)

// sweepAge is how old a file in tmp/ must be to be taken for left behind; the maildir convention says 36 hours.
const sweepAge = 36 * time.Hour

// Sweep removes what deliveries that were cut off have left in the tmp/ of all mailboxes, ours or any other program's, and
// says how many files that were. Of those that do not lie in the root, it is those that mail has come for since the start
// (maxAway), each with the rights of its owner. It goes on after an error and returns the first.
func (s *Store) Sweep(ctx context.Context) (removed int, err error) {
	s.running.Add(1)
	defer s.running.Done()
	b := broom{Store: s}
	w := walk{Store: s, visit: func(d *dir, _ string) error {
		b.mailbox(d)
		return nil
	}}
	if s.root != nil {
		err = w.run(ctx)
	}
	b.elsewhere(ctx)
	return b.removed, cmp.Or(err, b.failed)
}

func (b *broom) elsewhere(ctx context.Context) {
	for _, mailbox := range b.away.all() {
		err := b.onMailbox(ctx, mailbox, func(d *dir) error {
			b.mailbox(d)
			return nil
		})
		if !errors.Is(err, store.ErrNoMailbox) {
			b.note(err)
		}
	}
}

// A broom sweeps and counts.
type broom struct {
	*Store
	removed int
	failed  error // the first
}

func (b *broom) note(err error) {
	if !passable(err) {
		b.failed = cmp.Or(b.failed, err)
	}
}

func (b *broom) mailbox(d *dir) {
	b.tmp(d)
	b.file(d, subscriptionsLock)
	b.file(d, keywordsLock)
	folders, err := d.folders()
	if err != nil {
		b.note(err)
	}
	for _, folder := range folders {
		f, err := d.folder(folder)
		if err != nil {
			b.note(err)
			continue
		}
		b.tmp(f)
		b.file(f, keywordsLock)
		f.Close()
	}
}

// tmp sweeps one tmp/. Only regular files are removed, and symlinks never followed.
func (b *broom) tmp(d *dir) {
	tmp, err := d.sub("tmp")
	if err != nil {
		b.note(err)
		return
	}
	defer tmp.Close()
	for e, err := range tmp.entries() {
		if err != nil {
			b.note(err)
			return
		}
		b.file(tmp, e.Name())
	}
}

// file removes a regular file that is old enough.
func (b *broom) file(d *dir, name string) {
	fi, err := d.root.Lstat(name)
	if err != nil || !fi.Mode().IsRegular() || b.now().Sub(fi.ModTime()) <= sweepAge {
		return
	}
	if err := d.root.Remove(name); err != nil {
		b.note(err)
		return
	}
	b.removed++
}
