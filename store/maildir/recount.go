package maildir

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// recounts is how often a mailbox that others change meanwhile is counted before it is left at that.
const recounts = 3

// countAnew counts the mailbox d and puts a new maildirsize in place. Deliveries of this store to it wait meanwhile: a
// message that comes after has its line in the new file. Where another program changes the mailbox all the time, the sum is
// as good as any, but is not kept.
func (s *Store) countAnew(ctx context.Context, d *dir, c *counter, mailbox store.Mailbox) (used store.Usage, err error) {
	if err := c.gate.Acquire(ctx, all); err != nil {
		return used, err
	}
	defer c.gate.Release(all)
	err = errors.New("it changes all the time")
	for range recounts {
		t, e := d.tally(ctx, mailbox.Quota)
		if e != nil {
			return used, e
		}
		if used = t.used; t.current(d) {
			err = s.writeCount(d, mailbox.Quota, used)
			break
		}
	}
	if err != nil {
		s.log.Warn("count of a mailbox not kept", "mailbox", mailbox.Name, "cause", err)
		s.forgetCount(d)
	}
	return used, nil
}

// writeCount puts a maildirsize in place. It needs no sync: what a crash leaves of it reads as a file to be counted anew.
func (s *Store) writeCount(d *dir, q store.Quota, used store.Usage) error {
	tmp, err := d.sub("tmp")
	if err != nil {
		return err
	}
	defer tmp.Close()
	name := string(s.names.next(nil))
	fd, err := s.fs.createNamed(tmp.fd(), name)
	if err != nil {
		return fmt.Errorf("create in %s: %w", tmp.name(), err)
	}
	err = errors.Join(s.fs.writeAll(fd, []byte(limitsLine(q)+sumLine(used))), unix.Close(fd))
	if err == nil {
		err = s.fs.rename(tmp.fd(), name, d.fd(), countFile)
	}
	if err != nil {
		_ = s.fs.unlink(tmp.fd(), name)
		return fmt.Errorf("write %s: %w", countFile, err)
	}
	return nil
}

// forgetCount removes the maildirsize of the mailbox d, so that the next who asks counts anew.
func (s *Store) forgetCount(d *dir) {
	if err := s.fs.unlink(d.fd(), countFile); err != nil && !passable(err) {
		s.log.Error("a wrong count cannot be removed", "maildir", d.name(), "file", countFile, "cause", err)
	}
}

// A tally is what a mailbox holds, file by file, and the state of the directories that it was read from.
type tally struct {
	used    store.Usage
	folders []string
	stamps  []stamp
}

// A stamp says when a directory was changed.
type stamp struct {
	path  string
	mtime time.Time
}

// tally adds up the sizes of all messages on the disk that count: what their names say (S=), or else the files. Nothing is
// kept of them, so it takes no memory to speak of.
func (d *dir) tally(ctx context.Context, q store.Quota) (t tally, err error) {
	if t.folders, err = d.folders(); err != nil {
		return t, err
	}
	for _, folder := range append([]string{""}, t.folders...) {
		if folder != "" && q.Ignores(folder) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return t, err
		}
		err := t.addFolder(ctx, d, folder)
		if err != nil && !passable(err) && !errors.Is(err, store.ErrNoFolder) {
			return t, err
		}
	}
	return t, nil
}

func (t *tally) addFolder(ctx context.Context, d *dir, folder string) error {
	name, err := folderDir(folder)
	if err != nil {
		return err
	}
	f, err := d.folder(folder)
	if err != nil {
		return err
	}
	if f != d {
		defer f.Close()
	}
	for _, where := range []string{"new", "cur"} {
		if err := t.addDir(ctx, f, where, stamp{path: cmp.Or(name, ".") + "/" + where}); err != nil && !passable(err) {
			return err
		}
	}
	return nil
}

func (t *tally) addDir(ctx context.Context, f *dir, where string, at stamp) error {
	sub, err := f.sub(where)
	if err != nil {
		return err
	}
	defer sub.Close()
	fi, err := sub.file.Stat()
	if err != nil {
		return err
	}
	at.mtime = fi.ModTime()
	t.stamps = append(t.stamps, at)
	for e, err := range sub.entries() {
		if err := cmp.Or(err, ctx.Err()); err != nil {
			return err
		}
		b, ok := parseName(e.Name())
		if !ok || e.Type()&^os.ModeIrregular != 0 {
			continue
		}
		size, err := sub.diskSize(b, e.Name())
		if passable(err) {
			continue
		}
		if err != nil {
			return err
		}
		t.used = plus(t.used, store.Usage{Messages: 1, Octets: size})
	}
	return nil
}

// diskSize gives the octets of a message as it lies on the disk. A name tells them as ",S=123" with nothing behind it but
// the end, another comma, or the flags; Dovecot looks at the file otherwise, too.
func (d *dir) diskSize(b baseName, name string) (int64, error) {
	if size, ok := b.exactSize(",S="); ok {
		return size, nil
	}
	fi, err := d.root.Lstat(name)
	if err != nil {
		return 0, err
	}
	return fi.Size(), nil
}

// current says whether the mailbox d is still as it was counted.
func (t *tally) current(d *dir) bool {
	for _, at := range t.stamps {
		fi, err := d.root.Lstat(at.path)
		if err != nil || !fi.ModTime().Equal(at.mtime) {
			return false
		}
	}
	folders, err := d.folders()
	return err == nil && slices.Equal(folders, t.folders)
}
