package account

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"lmtpd/auth/account/textfile"
)

// ErrLocked says that somebody else is changing the file.
var ErrLocked = errors.New("somebody else is changing the accounts")

// maxReopen is how often a file may be replaced between being opened and being locked.
const maxReopen = 10

// Create makes a passwd-file without accounts that only its owner may read. A file that is there is an error that
// wraps fs.ErrExist.
func Create(path string) error {
	out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("make accounts: %w", err)
	}
	_, err = out.WriteString("# name:password:uid:gid:gecos:home:shell:extra fields\n")
	if err = errors.Join(err, out.Sync(), out.Close()); err != nil {
		return errors.Join(fmt.Errorf("write accounts: %w", err), os.Remove(path))
	}
	return syncDir(filepath.Dir(path))
}

// List returns the accounts of a passwd-file in its order.
func List(path string) ([]Account, error) {
	text, err := new(textfile.Reading).Read(path)
	if err != nil {
		return nil, fmt.Errorf("read accounts: %w", err)
	}
	t, err := parseTable(path, text)
	if err != nil {
		return nil, err
	}
	return t.accounts, nil
}

// Edit has change work on a draft of a passwd-file and then puts the draft in the file's place. Whoever reads the
// file sees it as it was or as it is, after a power cut too. It keeps its mode and owner, but not what some systems
// have besides, such as access lists. If change returns an error, nothing is changed and that is returned.
//
// One at a time may edit, which an advisory lock on the file sees to: ErrLocked. A file that has mistakes must be
// mended first: Mistakes. One of which that is not known can be changed later: ErrUntold.
func Edit(path string, change func(*Draft) error) error {
	path, err := filepath.EvalSymlinks(path) // a link to the file is to go on leading to it
	if err != nil {
		return fmt.Errorf("find accounts: %w", err)
	}
	in, err := openLocked(path)
	if err != nil {
		return err
	}
	defer in.Close() // and so unlock
	text, err := io.ReadAll(in)
	if err != nil {
		return fmt.Errorf("read accounts: %w", err)
	}
	d, err := newDraft(path, string(text))
	if err != nil {
		return err
	}
	if err := change(d); err != nil {
		return err
	}
	if d.text() == string(text) {
		return nil
	}
	if err := replace(path, in, d.text()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// openLocked opens a file and locks it. The lock is on the file and not on its name, so it is tried again if the
// file has lost its name to another one meanwhile.
func openLocked(path string) (*os.File, error) {
	for range maxReopen {
		in, err := textfile.OpenRegular(path)
		if err != nil {
			return nil, fmt.Errorf("open accounts: %w", err)
		}
		err = unix.Flock(int(in.Fd()), unix.LOCK_EX|unix.LOCK_NB)
		if err == nil && hasName(in, path) {
			return in, nil
		}
		in.Close()
		switch {
		case errors.Is(err, unix.EWOULDBLOCK):
			return nil, fmt.Errorf("%s: %w", path, ErrLocked)
		case err != nil:
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
	}
	return nil, fmt.Errorf("%s: %w", path, ErrLocked)
}

func hasName(f *os.File, path string) bool {
	opened, err := f.Stat()
	if err != nil {
		return false
	}
	named, err := os.Stat(path)
	return err == nil && os.SameFile(opened, named)
}

// replace puts a new file in the place of old, in an order that a power cut cannot harm: written, synced, renamed.
// Then the directory is to be synced.
func replace(path string, old *os.File, text string) (err error) {
	dir, base := filepath.Split(path)
	out, err := os.CreateTemp(filepath.Clean(dir), "."+base+".*.tmp")
	if err != nil {
		return fmt.Errorf("make new accounts: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	_, err = out.WriteString(text)
	if err == nil {
		err = copyOwner(out, old)
	}
	if err == nil {
		err = out.Sync()
	}
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write new accounts: %w", err)
	}
	if err = os.Rename(out.Name(), path); err != nil {
		return fmt.Errorf("put new accounts in place: %w", err)
	}
	return nil
}

// copyOwner gives out the owner and mode of old, in this order: a change of owner may take mode bits away.
func copyOwner(out, old *os.File) error {
	var was, is unix.Stat_t
	if err := unix.Fstat(int(old.Fd()), &was); err != nil {
		return fmt.Errorf("stat accounts: %w", err)
	}
	if err := unix.Fstat(int(out.Fd()), &is); err != nil {
		return fmt.Errorf("stat new accounts: %w", err)
	}
	if was.Uid != is.Uid || was.Gid != is.Gid {
		if err := out.Chown(int(was.Uid), int(was.Gid)); err != nil {
			return fmt.Errorf("keep the owner: %w", err)
		}
	}
	if err := unix.Fchmod(int(out.Fd()), uint32(was.Mode)&0o7777); err != nil {
		return fmt.Errorf("keep the mode: %w", err)
	}
	return nil
}

// syncDir brings a directory's names to the disk.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Clean(path))
	if err != nil {
		return fmt.Errorf("open the directory of accounts: %w", err)
	}
	if err = errors.Join(dir.Sync(), dir.Close()); err != nil {
		return fmt.Errorf("sync the directory of accounts: %w", err)
	}
	return nil
}
