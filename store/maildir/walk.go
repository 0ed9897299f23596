package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"slices"
	"strings"
	"syscall"

	"lmtpd/store"
)

// readDirBlock is how many names are read at once.
const readDirBlock = 1024

// entries yields what is in d, in no order. Names that are gone again when looked at are passed over.
func (d *dir) entries() iter.Seq2[fs.DirEntry, error] {
	return func(yield func(fs.DirEntry, error) bool) {
		f, err := d.root.Open(".") // d's own descriptor has one position for all
		if err != nil {
			yield(nil, err)
			return
		}
		defer f.Close()
		for {
			block, err := f.ReadDir(readDirBlock)
			for _, e := range block {
				if !yield(e, nil) {
					return
				}
			}
			if errors.Is(err, io.EOF) {
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("read %s: %w", d.name(), err))
				return
			}
		}
	}
}

// passable says that a directory we came upon is none of ours: gone, or no directory.
func passable(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

// A walk visits every directory that may be a mailbox by its path. A directory that cannot be opened is noted and passed
// over; an error of visit ends the walk.
type walk struct {
	*Store
	visit  func(d *dir, rel string) error
	failed error // the first
}

func (w *walk) run(ctx context.Context) error {
	return cmp.Or(w.descend(ctx, w.root, nil), w.failed)
}

func (w *walk) descend(ctx context.Context, d *dir, path []string) error {
	depth := len(path)
	if depth == w.template.Depth() {
		return w.visit(d, strings.Join(path, "/"))
	}
	if name, ok := w.template.Literal(depth); ok {
		return w.enter(ctx, d, append(path, name))
	}
	for e, err := range d.entries() {
		if err := cmp.Or(ctx.Err(), err); err != nil {
			return err
		}
		if !w.template.Matches(depth, e.Name()) {
			continue
		}
		if err := w.enter(ctx, d, append(path, e.Name())); err != nil {
			return err
		}
	}
	return nil
}

// enter goes into the last directory of path, which lies in d.
func (w *walk) enter(ctx context.Context, d *dir, path []string) error {
	sub, err := d.sub(path[len(path)-1])
	if err != nil {
		if !passable(err) {
			w.failed = cmp.Or(w.failed, err)
		}
		return nil
	}
	defer sub.Close()
	return w.descend(ctx, sub, path)
}

// errStop ends a walk early.
var errStop = errors.New("stop")

// Mailboxes yields the mailboxes that the template leads to. It is an error if their names cannot be read from their paths.
func (s *Store) Mailboxes(ctx context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		if !s.template.Reversible() {
			yield("", fmt.Errorf("list mailboxes: %w: their names cannot be read from paths like %s", errors.ErrUnsupported, s.template))
			return
		}
		w := walk{Store: s, visit: func(d *dir, rel string) error {
			name, ok := s.template.Mailbox(rel)
			if ok && d.isMaildir() && !yield(name, nil) {
				return errStop
			}
			return nil
		}}
		err := w.run(ctx)
		if err != nil && !errors.Is(err, errStop) {
			yield("", err)
		}
	}
}

func (d *dir) isMaildir() bool {
	for _, name := range []string{"cur", "new"} {
		if fi, err := d.root.Lstat(name); err != nil || !fi.IsDir() {
			return false
		}
	}
	return true
}

// Folders lists the folders of a mailbox, sorted.
func (s *Store) Folders(ctx context.Context, mailbox store.Mailbox) ([]string, error) {
	var found []string
	err := s.look(ctx, mailbox, func(ctx context.Context) error {
		return s.onMailbox(ctx, mailbox, func(d *dir) (err error) {
			found, err = d.folders()
			return err
		})
	})
	if err != nil {
		return nil, err // found may yet be written to
	}
	return found, nil
}

func (d *dir) folders() (folders []string, err error) {
	for e, err := range d.entries() {
		if err != nil {
			return nil, err
		}
		if folder, ok := folderOf(e.Name()); ok && e.IsDir() {
			folders = append(folders, folder)
		}
	}
	slices.Sort(folders)
	return folders, nil
}

// folder opens a folder of the maildir d; for INBOX it is d itself.
func (d *dir) folder(folder string) (*dir, error) {
	name, err := folderDir(folder)
	if err != nil || name == "" {
		return d, err
	}
	f, err := d.sub(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %q", store.ErrNoFolder, folder)
	}
	return f, err
}
