package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// target lends the open directories of a place, all of them on the disk; what is missing is made.
func (s *Store) target(to *store.Placement) (*target, error) {
	p := s.placeOf(to.Mailbox, to.Folder)
	if t := s.cache.get(p); t != nil {
		if t.current(s.root) == nil {
			if t.away {
				s.away.note(p, to.Mailbox)
			}
			return t, nil
		}
		s.cache.drop(t)
		s.cache.release(t)
	}
	folder, err := folderDir(p.folder)
	if err != nil && to.Missing != store.MakeFolder {
		return s.inbox(to)
	}
	if err != nil {
		return nil, err
	}
	b, err := s.base(to.Mailbox)
	if err != nil {
		return nil, err
	}
	defer b.Close()
	d, err := s.makeMailbox(b)
	if err != nil {
		return nil, fmt.Errorf("mailbox %s: %w", p.mailbox, err)
	}
	if folder != "" && to.Missing == store.UseInbox && !d.has(folder) {
		d.Close()
		return s.inbox(to)
	}
	if folder != "" {
		if d, err = s.makeFolder(d, folder); err != nil {
			return nil, fmt.Errorf("mailbox %s: %w", p.mailbox, err)
		}
	}
	inbound, err := d.sub("new")
	if err != nil {
		d.Close()
		return nil, err
	}
	inbound.root.Close() // of new/ only the descriptor is used: three for each target
	t := &target{place: p, dir: d, new: inbound, path: b.path(folder), away: b.owned}
	t.named.Store(!s.unnamed)
	if err := unix.Fstat(inbound.fd(), &t.info); err != nil {
		t.Close()
		return nil, err
	}
	if t.away {
		s.away.note(p, to.Mailbox)
	}
	s.cache.put(t)
	return t, nil
}

// path gives the path to new/ of a folder's directory ("": INBOX), from the root or else from the top.
func (b base) path(folder string) string {
	if b.owned {
		return filepath.Join(b.at.Path(), folder, "new")
	}
	return filepath.Join(b.at.Rel, folder, "new")
}

// makeMailbox opens the maildir in b and makes what is missing of it and of the directories above it.
func (s *Store) makeMailbox(b base) (*dir, error) {
	d, err := b.follow(s.makeSub)
	if err != nil {
		return nil, err
	}
	if err := s.ensure(d, "cur", "new", "tmp"); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// inbox is the target in the stead of a folder.
func (s *Store) inbox(to *store.Placement) (*target, error) {
	to.Folder = ""
	return s.target(to)
}

func (d *dir) has(name string) bool {
	_, err := d.root.Lstat(name)
	return !errors.Is(err, fs.ErrNotExist)
}

// makeFolder opens a folder of the maildir d, which it closes; one that is not there yet is made and subscribed to.
func (s *Store) makeFolder(d *dir, name string) (*dir, error) {
	defer d.Close()
	if !d.has(name) {
		// First the subscription: if this ends halfway, the next delivery finds the folder missing and does it all.
		if err := s.subscribe(d, name); err != nil {
			return nil, err
		}
	}
	f, err := s.makeSub(d, name)
	if err != nil {
		return nil, err
	}
	if err := s.ensure(f, folderMark, "cur", "new", "tmp"); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

func (s *Store) makeSub(d *dir, name string) (*dir, error) {
	if err := s.ensure(d, name); err != nil {
		return nil, err
	}
	return d.sub(name)
}
