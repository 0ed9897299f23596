package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"golang.org/x/sys/unix"
)

// A draft is a message being written, which no reader of the maildir can see: a file without a name where the file system
// has those, else one in tmp/.
type draft struct {
	s   *Store
	fd  int
	tmp *dir // with name; nil: unnamed
	// name in tmp/
	name string
}

// draft begins a message that will be linked into the directory into.
func (s *Store) draft(t *target, into *dir) (*draft, error) {
	if !t.named.Load() {
		fd, err := s.fs.createUnnamed(into.fd())
		if err == nil {
			return &draft{s: s, fd: fd}, nil
		}
		if !errors.Is(err, errUnnamed) {
			return nil, fmt.Errorf("create in %s: %w", into.name(), err)
		}
		t.named.Store(true)
	}
	tmp, err := t.sub("tmp")
	if err != nil {
		return nil, err
	}
	for {
		name := string(s.names.next(nil))
		fd, err := s.fs.createNamed(tmp.fd(), name)
		if err == nil {
			return &draft{s: s, fd: fd, tmp: tmp, name: name}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			err = fmt.Errorf("create in %s: %w", tmp.name(), err)
			tmp.Close()
			return nil, err
		}
	}
}

// sync brings the message to the disk. Its internal date, unless that is now, is the file's time, which fdatasync leaves out.
func (d *draft) sync(date time.Time) error {
	if date.IsZero() {
		return d.s.fs.syncFile(d.fd)
	}
	if err := d.setDate(date); err != nil {
		return fmt.Errorf("set the date: %w", err)
	}
	return d.s.fs.syncDir(d.fd)
}

func (d *draft) setDate(date time.Time) error {
	if d.tmp == nil {
		return d.s.fs.dateUnnamed(d.fd, date)
	}
	return d.s.fs.dateNamed(d.tmp.fd(), d.name, date)
}

// link gives the message its name in the directory into. A name that is taken is never replaced: link(2) fails, and
// another one is tried.
func (d *draft) link(into *dir, size sizes, flags string) (name string, err error) {
	for {
		name = d.s.names.final(size, flags)
		if d.tmp == nil {
			err = d.s.fs.linkUnnamed(d.fd, into.fd(), name)
		} else {
			err = d.s.fs.linkNamed(d.tmp.fd(), d.name, into.fd(), name)
		}
		if !errors.Is(err, fs.ErrExist) {
			return name, err
		}
	}
}

// discard closes the draft and takes its name in tmp/ away, whatever became of it.
func (d *draft) discard() {
	// What close would report of the data, the sync has.
	_ = unix.Close(d.fd)
	if d.tmp != nil {
		_ = d.s.fs.unlink(d.tmp.fd(), d.name)
		d.tmp.Close()
	}
}
