package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"

	"lmtpd/store"
)

// MakeFolder makes a folder as a delivery does.
func (s *Store) MakeFolder(ctx context.Context, mailbox store.Mailbox, folder string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return classify(s.as(mailbox, func() error {
		t, err := s.target(&store.Placement{Mailbox: mailbox, Folder: folder})
		if err != nil {
			return err
		}
		s.cache.release(t)
		return nil
	}))
}

// Move links a message into the other folder, and only then takes it out of this one.
func (s *Store) Move(ctx context.Context, mailbox store.Mailbox, folder, id, to string) error {
	from, err := folderDir(folder)
	if err != nil {
		return err
	}
	into, err := folderDir(to)
	if err != nil {
		return err
	}
	return classify(s.onMessage(ctx, &store.Placement{Mailbox: mailbox, Folder: folder}, id, func(d *dir, m found) error {
		if from == into {
			return nil
		}
		t, err := s.target(&store.Placement{Mailbox: mailbox, Folder: to})
		if err != nil {
			return err
		}
		defer s.cache.release(t)
		return s.moving(ctx, mailbox, folder, to).move(d, t.dir, m)
	}))
}

// A moving is a message on its way from one folder to another.
type moving struct {
	*Store
	ctx      context.Context
	mailbox  store.Mailbox
	from, to string
}

func (s *Store) moving(ctx context.Context, mailbox store.Mailbox, from, to string) moving {
	return moving{s, ctx, mailbox, from, to}
}

// move is the sequence: the new name, on the disk, before the old one goes. Other programs may rename the file meanwhile;
// then the new name is taken back.
func (v moving) move(from, into *dir, m found) error {
	where, name := path.Split(m.file)
	to, err := v.nameIn(from, into, m)
	if err != nil {
		return err
	}
	src, err := from.sub(path.Clean(where))
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := into.sub(path.Clean(where))
	if err != nil {
		return err
	}
	defer dst.Close()
	count, usage, err := v.posting(src, m)
	if err != nil {
		return err
	}
	defer count.end()
	if err := v.link(src, dst, name, to); err != nil {
		return err
	}
	if err := v.fs.syncDir(dst.fd()); err != nil {
		return fmt.Errorf("sync %s: %w", dst.name(), err)
	}
	if err := v.fs.unlink(src.fd(), name); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			_ = v.fs.unlink(dst.fd(), to)
		}
		return fmt.Errorf("unlink in %s: %w", src.name(), err)
	}
	if usage != (store.Usage{}) {
		count.add(usage)
	}
	if err := v.fs.syncDir(src.fd()); err != nil {
		return fmt.Errorf("sync %s: %w", src.name(), err)
	}
	return nil
}

// nameIn gives the name of a message in another folder, where keywords may have other letters.
func (v moving) nameIn(from, into *dir, m found) (string, error) {
	name := path.Base(m.file)
	old, err := from.knownKeywords()
	if err != nil {
		return "", err
	}
	flags := old.flags(m.flags)
	if old.letters(flags) == "" {
		return name, nil
	}
	k, err := v.keywordsFor(into, flags)
	return m.id + ":2," + replaceLetters("", flags, k), err
}

// link gives the message its name in dst. One that it has there already is what a move that was cut off has left.
func (v moving) link(src, dst *dir, name, to string) error {
	err := v.fs.linkNamed(src.fd(), name, dst.fd(), to)
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	a, err := src.root.Lstat(name)
	if err != nil {
		return err
	}
	b, err := dst.root.Lstat(to)
	if err != nil {
		return err
	}
	if !os.SameFile(a, b) {
		return fmt.Errorf("%s is another message in %s", to, dst.name())
	}
	return nil
}

// posting begins a posting for the folder that counts, if one does: two would wait for each other when the mailbox is
// counted anew between them. It says what to enter.
func (v moving) posting(src *dir, m found) (p posting, u store.Usage, err error) {
	counts := func(folder string) bool { return folder == "" || !v.mailbox.Quota.Ignores(folder) }
	size, err := src.diskSize(m.baseName, path.Base(m.file))
	if err != nil {
		return p, u, err
	}
	counted := v.from
	switch out, in := counts(v.from), counts(v.to); {
	case out && !in:
		u = store.Usage{Messages: -1, Octets: -size}
	case in && !out:
		counted, u = v.to, store.Usage{Messages: 1, Octets: size}
	}
	p, err = v.Store.posting(v.ctx, v.mailbox, counted, nil)
	return p, u, err
}
