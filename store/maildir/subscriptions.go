package maildir

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

const (
	subscriptionsFile = "subscriptions"
	// subscriptionsLock is where Dovecot writes the new file before it renames it, and what keeps others from doing so.
	subscriptionsLock = "subscriptions.lock"
	// subscriptionsHead begins a file of version 2, whose lines are the levels of a folder divided by tabs. Older files have
	// no head and dots between the levels.
	subscriptionsHead = "V\t2\n\n"
	// lockStale is when Dovecot takes a lock for left behind.
	lockStale = 2 * time.Minute
	// maxSubscriptions is what is read of a stranger's file.
	maxSubscriptions = 1 << 20
)

// errLocked says that another program is changing the file.
var errLocked = errors.New("another program has it locked")

// subscribe puts a folder's directory name on the list of subscriptions, as Dovecot writes it. Another program that changes
// the list at this moment is no reason to hold up mail.
func (s *Store) subscribe(d *dir, folder string) error {
	err := s.changeSubscriptions(d, func(old []byte) ([]byte, bool) { return addSubscription(old, folder) })
	if errors.Is(err, errLocked) {
		s.log.Warn("folder made but not subscribed to", "maildir", d.name(), "folder", folder, "cause", err)
		return nil
	}
	return err // the folder's directory is made next, and d synced then
}

// changeSubscriptions replaces the list with what change makes of it.
func (s *Store) changeSubscriptions(d *dir, change func(old []byte) (text []byte, changed bool)) error {
	defer s.making.lock(d.name())()
	old, err := d.readFile(subscriptionsFile, maxSubscriptions)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("subscriptions: %w", err)
	}
	text, changed := change(old)
	if !changed {
		return nil
	}
	fd, err := s.lockFile(d, subscriptionsLock)
	if err != nil {
		return fmt.Errorf("subscriptions: %w", err)
	}
	err = errors.Join(s.fs.writeAll(fd, text), s.fs.syncFile(fd), unix.Close(fd))
	if err == nil {
		err = s.fs.rename(d.fd(), subscriptionsLock, d.fd(), subscriptionsFile)
	}
	if err != nil {
		_ = s.fs.unlink(d.fd(), subscriptionsLock)
		return fmt.Errorf("subscriptions: %w", err)
	}
	return nil
}

// lockFile makes the file that is both the lock of another and its next version.
func (s *Store) lockFile(d *dir, name string) (fd int, err error) {
	fd, err = s.fs.createNamed(d.fd(), name)
	if !errors.Is(err, fs.ErrExist) {
		return fd, err
	}
	fi, err := d.root.Lstat(name)
	if err == nil && s.now().Sub(fi.ModTime()) < lockStale {
		return -1, errLocked
	}
	if err := s.fs.unlink(d.fd(), name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return -1, err
	}
	fd, err = s.fs.createNamed(d.fd(), name)
	if errors.Is(err, fs.ErrExist) {
		return -1, errLocked
	}
	return fd, err
}

// addSubscription adds a folder's directory name (".Work.Sub") to the text of a subscriptions file and keeps all that is
// there.
func addSubscription(old []byte, folder string) (text []byte, changed bool) {
	line := strings.TrimPrefix(folder, ".")
	switch {
	case len(old) == 0:
		old = []byte(subscriptionsHead)
		fallthrough
	case bytes.HasPrefix(old, []byte("V\t2\n")):
		line = strings.ReplaceAll(line, ".", "\t")
	}
	text = slices.Clone(old)
	if text[len(text)-1] != '\n' {
		text = append(text, '\n')
	}
	if bytes.Contains(append([]byte{'\n'}, text...), []byte("\n"+line+"\n")) {
		return old, false
	}
	return append(append(text, line...), '\n'), true
}
