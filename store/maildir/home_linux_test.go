package maildir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// Users who need no entry anywhere: the store knows numbers alone.
const (
	annID = 54321
	bobID = 54322
)

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can act for other users")
	}
}

// homes makes a directory that everybody may search, and homes in it.
func homes(t testing.TB, owners map[string]int) string {
	t.Helper()
	needRoot(t)
	dir := t.TempDir()
	makeSearchable(t, dir)
	for name, id := range owners {
		home := filepath.Join(dir, name)
		must(t, os.Mkdir(home, 0o700), os.Chown(home, id, id))
	}
	return dir
}

func user(dir, name string, id int) store.Mailbox {
	return store.Mailbox{Name: name + "@example.org", Home: filepath.Join(dir, name), Owner: &store.Owner{UID: id, GID: id}}
}

func ann(dir string) store.Mailbox { return user(dir, "ann", annID) }

func bob(dir string) store.Mailbox { return user(dir, "bob", bobID) }

// openHomes opens a store of maildirs in homes.
func openHomes(t testing.TB) *Store {
	t.Helper()
	template, err := store.ParseTemplate("%h/Maildir")
	must(t, err)
	s, err := Open(Config{Template: template, Hostname: "mx.example.org", PerMailbox: 100})
	must(t, err)
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

// everything gives what is below dir with its owner and mode.
func everything(t testing.TB, dir string) map[string]unix.Stat_t {
	t.Helper()
	all := map[string]unix.Stat_t{}
	must(t, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		var st unix.Stat_t
		must(t, unix.Lstat(path, &st))
		all[strings.TrimPrefix(path, dir)] = st
		return nil
	}))
	return all
}

// makeSearchable lets everybody through to dir, as far as a test made the way.
func makeSearchable(t testing.TB, dir string) {
	t.Helper()
	must(t, os.Chmod(dir, 0o711))
	for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = filepath.Dir(d) {
		must(t, os.Chmod(d, 0o711))
	}
}
