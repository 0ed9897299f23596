package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// A found message is a file in new/ or cur/ of a folder.
type found struct {
	baseName
	file string // "cur/ID:2,S", from the folder's directory
}

// messages lists the files of a folder that are messages by their names, in no order. new/ is read first: a message that
// somebody moves from there to cur/ meanwhile is then met twice rather than never, and counted once.
func (d *dir) messages() ([]found, error) {
	var all []found
	seen := map[string]int{}
	for _, where := range []string{"new", "cur"} {
		sub, err := d.sub(where)
		if passable(err) {
			continue
		}
		if err != nil {
			return nil, err
		}
		err = sub.collect(where, func(m found) {
			if i, twice := seen[m.id]; twice {
				all[i] = m
				return
			}
			seen[m.id] = len(all)
			all = append(all, m)
		})
		sub.Close()
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

func (d *dir) collect(where string, f func(found)) error {
	for e, err := range d.entries() {
		if err != nil {
			return err
		}
		if e.Type()&^os.ModeIrregular != 0 { // a file system that does not tell says irregular
			continue
		}
		if b, ok := parseName(e.Name()); ok {
			f(found{baseName: b, file: where + "/" + e.Name()})
		}
	}
	return nil
}

// find looks a message up by its id.
func (d *dir) find(id string) (found, error) {
	all, err := d.messages()
	if err != nil {
		return found{}, err
	}
	for _, m := range all {
		if m.id == id {
			return m, nil
		}
	}
	return found{}, fmt.Errorf("%w: %s", store.ErrNoMessage, id)
}

// Messages lists a folder, oldest first. The date is the file's, as it is for Dovecot, which keeps the internal date of
// messages there that a client or an import put in.
func (s *Store) Messages(ctx context.Context, mailbox, folder string) ([]store.Message, error) {
	d, err := s.existingFolder(ctx, mailbox, folder)
	if err != nil {
		return nil, err
	}
	defer d.Close()
	all, err := d.messages()
	if err != nil {
		return nil, err
	}
	list := make([]store.Message, 0, len(all))
	for _, m := range all {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		fi, err := d.root.Lstat(m.file)
		if passable(err) || err == nil && !fi.Mode().IsRegular() {
			continue
		}
		if err != nil {
			return nil, err
		}
		size, err := d.size(m)
		if err != nil {
			return nil, err
		}
		list = append(list, store.Message{ID: m.id, Folder: folder, Size: size, Date: fi.ModTime(), Flags: flagsOf(m.flags)})
	}
	slices.SortFunc(list, func(a, b store.Message) int {
		return cmp.Or(a.Date.Compare(b.Date), before(a.ID, b.ID))
	})
	return list, nil
}

// size gives the octets of a message with CRLF line ends: from its name, or by reading it.
func (d *dir) size(m found) (int64, error) {
	if n, ok := m.size(",W="); ok {
		return n, nil
	}
	r, err := d.open(m)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	return io.Copy(io.Discard, r)
}

// open opens a message for reading with CRLF line ends. What is no regular file is no message.
func (d *dir) open(m found) (io.ReadCloser, error) {
	f, err := d.root.OpenFile(m.file, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	if fi, err := f.Stat(); err != nil || !fi.Mode().IsRegular() {
		f.Close()
		return nil, errors.Join(err, fmt.Errorf("%s/%s is no file", d.name(), m.file))
	}
	return newWireReader(f), nil
}

// Open opens a message. It is read as it is written, with CRLF for each LF that has no CR before it.
func (s *Store) Open(ctx context.Context, mailbox, folder, id string) (io.ReadCloser, error) {
	var r io.ReadCloser
	err := s.onMessage(ctx, place{mailbox, folder}, id, func(d *dir, m found) (err error) {
		r, err = d.open(m)
		return err
	})
	return r, err
}

// SetFlags replaces the flags of a message, and moves it to cur/ if it was new. Letters of keywords stay.
func (s *Store) SetFlags(ctx context.Context, mailbox, folder, id string, flags []store.Flag) error {
	return s.onMessage(ctx, place{mailbox, folder}, id, func(d *dir, m found) error {
		to := "cur/" + m.id + ":2," + replaceLetters(m.flags, flags)
		if to == m.file {
			return nil
		}
		if err := d.root.Rename(m.file, to); err != nil {
			return err
		}
		return s.syncBoth(d)
	})
}

// Remove deletes a message.
func (s *Store) Remove(ctx context.Context, mailbox, folder, id string) error {
	return s.onMessage(ctx, place{mailbox, folder}, id, func(d *dir, m found) error {
		if err := d.root.Remove(m.file); err != nil {
			return err
		}
		return s.syncBoth(d)
	})
}

// onMessage does something to a message. Another program may rename the file at any moment, so it is looked for once more
// when it was not where it had been found.
func (s *Store) onMessage(ctx context.Context, p place, id string, do func(*dir, found) error) error {
	d, err := s.existingFolder(ctx, p.mailbox, p.folder)
	if err != nil {
		return err
	}
	defer d.Close()
	for range 3 {
		var m found
		if m, err = d.find(id); err != nil {
			return err
		}
		if err = do(d, m); !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return fmt.Errorf("%w: %s: %w", store.ErrNoMessage, id, err)
}

// syncBoth brings a change of names in new/ and cur/ to the disk.
func (s *Store) syncBoth(d *dir) error {
	for _, where := range []string{"cur", "new"} {
		sub, err := d.sub(where)
		if err != nil {
			return err
		}
		err = s.fs.syncDir(sub.fd())
		sub.Close()
		if err != nil {
			return fmt.Errorf("sync %s/%s: %w", d.name(), where, err)
		}
	}
	return nil
}

// Usage adds up what a mailbox holds, from the names where they tell.
func (s *Store) Usage(ctx context.Context, mailbox string) (u store.Usage, err error) {
	d, err := s.existing(ctx, mailbox)
	if err != nil {
		return u, err
	}
	defer d.Close()
	folders, err := d.folders()
	if err != nil {
		return u, err
	}
	for _, folder := range append([]string{""}, folders...) {
		if err := errors.Join(ctx.Err(), d.addUsage(&u, folder)); err != nil {
			return u, err
		}
	}
	return u, nil
}

func (d *dir) addUsage(u *store.Usage, folder string) error {
	f, err := d.folder(folder)
	if err != nil {
		return err
	}
	if f != d {
		defer f.Close()
	}
	all, err := f.messages()
	if err != nil {
		return err
	}
	for _, m := range all {
		size, err := f.size(m)
		if passable(err) {
			continue
		}
		if err != nil {
			return err
		}
		u.Messages++
		u.Octets += size
	}
	return nil
}
