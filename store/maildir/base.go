package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strings"

	"lmtpd/store"
)

// errUnreachable says that the directory a mailbox lies in is not there or cannot be entered. Its cause is text alone: a
// home that vanished is no mailbox that does not exist.
var errUnreachable = errors.New("no way to the mailbox")

// A base is the open directory that a mailbox lies in: the store's root, its owner's home, or another that is the
// operator's. It is never made; what is below it may be, and no symlink below it is followed.
type base struct {
	*dir
	at    store.Location
	owned bool // to be closed: it is not the root
}

func (b base) Close() error {
	if !b.owned {
		return nil
	}
	return b.dir.Close()
}

// base opens where the mailbox lies.
func (s *Store) base(mailbox store.Mailbox) (base, error) {
	at, err := s.template.Locate(mailbox)
	if err != nil {
		return base{}, err
	}
	if s.root != nil && at.Base == s.template.Root() {
		return base{dir: s.root, at: at}, nil
	}
	d, err := openBase(at.Base)
	if err != nil {
		return base{}, fmt.Errorf("%w: %v", errUnreachable, err)
	}
	return base{d, at, true}, nil
}

// Where says which directory a mailbox is.
func (s *Store) Where(mailbox store.Mailbox) (string, error) {
	at, err := s.template.Locate(mailbox)
	return filepath.Join(at.Base, at.Rel), err
}

// Identity is where the mailbox is: a directory is one mailbox, whatever names lead to it.
func (s *Store) Identity(mailbox store.Mailbox) (string, error) { return s.Where(mailbox) }

// atRoot says whether the mailbox lies in the store's root, which is open.
func (s *Store) atRoot(mailbox store.Mailbox) bool { return s.root != nil && mailbox.Path == "" }

// walk opens the mailbox, which is not made.
func (b base) walk() (*dir, error) {
	return b.follow((*dir).sub)
}

// follow goes down to the mailbox, with enter from each directory to the next.
func (b base) follow(enter func(d *dir, name string) (*dir, error)) (*dir, error) {
	d := b.dir
	for name := range strings.SplitSeq(b.at.Rel, "/") {
		sub, err := enter(d, name)
		if d != b.dir {
			d.Close()
		}
		if err != nil {
			return nil, err
		}
		d = sub
	}
	return d, nil
}

// onMailbox opens a mailbox that is there and does something with it, with the rights of its owner. One that is not there
// is store.ErrNoMailbox.
func (s *Store) onMailbox(ctx context.Context, mailbox store.Mailbox, do func(*dir) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.as(mailbox, func() error {
		d, giveBack, err := s.lend(mailbox)
		if errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s", store.ErrNoMailbox, mailbox.Name)
		}
		if err != nil {
			return err
		}
		defer giveBack()
		return do(d)
	})
}

// onFolder is onMailbox for one of its folders.
func (s *Store) onFolder(ctx context.Context, mailbox store.Mailbox, folder string, do func(*dir) error) error {
	return s.onMailbox(ctx, mailbox, func(d *dir) error {
		f, err := d.folder(folder)
		if err != nil {
			return err
		}
		if f != d {
			defer f.Close()
		}
		return do(f)
	})
}
