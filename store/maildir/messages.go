package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
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
func (s *Store) Messages(ctx context.Context, mailbox store.Mailbox, folder string) (list []store.Message, err error) {
	err = s.onFolder(ctx, mailbox, folder, func(d *dir) error {
		all, err := d.messages()
		if err != nil {
			return err
		}
		s.listed.note(s.placeOf(mailbox, folder), all)
		list, err = d.describe(ctx, folder, all)
		return err
	})
	return list, err
}

// describe describes messages, oldest first.
func (d *dir) describe(ctx context.Context, folder string, all []found) ([]store.Message, error) {
	k, err := d.knownKeywords()
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
		list = append(list, store.Message{ID: m.id, Folder: folder, Size: size, Date: fi.ModTime(), Flags: k.flags(m.flags)})
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
