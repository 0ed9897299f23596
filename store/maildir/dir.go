package maildir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// settled is how old a directory's last change must be to be taken for being on the disk without a sync of ours: file
// systems write their journals out within half a minute.
const settled = 2 * time.Minute

// A dir is an open directory that is no symlink, in a mailbox or above it. Its owner may be a stranger.
type dir struct {
	root *os.Root
	file *os.File // the same, for its descriptor
}

// openBase opens a directory that mailboxes lie in, which the operator named: symlinks in its path are theirs. The slash
// keeps a pipe from being waited for.
func openBase(path string) (*dir, error) {
	root, err := os.OpenRoot(path + "/")
	if err != nil {
		return nil, err
	}
	return newDir(root)
}

func newDir(root *os.Root) (*dir, error) {
	file, err := root.Open(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	return &dir{root: root, file: file}, nil
}

func (d *dir) fd() int { return int(d.file.Fd()) }

func (d *dir) name() string { return d.root.Name() }

func (d *dir) Close() error {
	return errors.Join(d.file.Close(), d.root.Close())
}

// sub opens a directory in d. A symlink is an error, even one that stays inside: what was opened must be what lstat saw.
func (d *dir) sub(name string) (*dir, error) {
	seen, err := d.root.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !seen.IsDir() {
		return nil, &fs.PathError{Op: "open", Path: d.name() + "/" + name, Err: syscall.ENOTDIR}
	}
	root, err := d.root.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	sub, err := newDir(root)
	if err != nil {
		return nil, err
	}
	if opened, err := sub.file.Stat(); err != nil || !os.SameFile(seen, opened) {
		sub.Close()
		return nil, errors.Join(err, fmt.Errorf("%s/%s changed while it was opened", d.name(), name))
	}
	return sub, nil
}

// ensure makes what is missing of names in d and sees to it that they are on the disk. A directory that was changed lately
// by anybody is synced too: a mailbox that somebody made a second ago must not be lost in a power cut together with the
// message that was put into it.
func (s *Store) ensure(d *dir, names ...string) error {
	made := false
	for _, name := range names {
		err := s.makeEntry(d, name)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make %s/%s: %w", d.name(), name, err)
		}
		made = made || err == nil
	}
	fi, err := d.file.Stat()
	if err != nil {
		return err
	}
	if !made && s.now().Sub(fi.ModTime()) > settled {
		return nil
	}
	if err := s.fs.syncDir(d.fd()); err != nil {
		return fmt.Errorf("sync %s: %w", d.name(), err)
	}
	return nil
}

// folderMark is the empty file by which Maildir++ knows a folder.
const folderMark = "maildirfolder"

func (s *Store) makeEntry(d *dir, name string) error {
	if name != folderMark {
		return s.fs.mkdir(d.fd(), name)
	}
	fd, err := s.fs.createNamed(d.fd(), name)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}

// errNoFile says that something else is where a file should be.
var errNoFile = errors.New("no file, or too long")

// readFile reads a file of at most limit octets in d.
func (d *dir) readFile(name string, limit int64) ([]byte, error) {
	f, err := d.root.OpenFile(name, os.O_RDONLY|unix.O_NONBLOCK, 0) // a planted pipe must not block us
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !fi.Mode().IsRegular() || fi.Size() > limit {
		return nil, fmt.Errorf("%s/%s: %w", d.name(), name, errNoFile)
	}
	b := make([]byte, fi.Size())
	_, err = io.ReadFull(f, b)
	return b, err
}
