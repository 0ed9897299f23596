package maildir

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	gomaildir "github.com/emersion/go-maildir"
	"golang.org/x/sys/unix"

	"lmtpd/store"
)

func isAnswer(err error) bool {
	return errors.Is(err, store.ErrNoMailbox) || errors.Is(err, store.ErrNoFolder) || errors.Is(err, store.ErrOverQuota) ||
		errors.Is(err, store.ErrFull)
}

// readOne reads the only message of a folder.
func readOne(t testing.TB, s *Store, mailbox, folder string) string {
	t.Helper()
	list, err := s.Messages(t.Context(), store.Mailbox{Name: mailbox}, folder)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d messages, %v, want 1", len(list), err)
	}
	r, err := s.Open(t.Context(), store.Mailbox{Name: mailbox}, folder, list[0].ID)
	must(t, err)
	defer r.Close()
	b, err := io.ReadAll(r)
	must(t, err)
	return string(b)
}

// A mailbox that is removed, or moved away, or made anew while its directories are kept open is never written to under its
// old name.
func TestMailboxChangesUnderUs(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	ann := filepath.Join(dir, "example.org", "ann")
	p := store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}
	for what, change := range map[string]func(){
		"nothing":           func() {},
		"mailbox removed":   func() { must(t, os.RemoveAll(ann)) },
		"domain removed":    func() { must(t, os.RemoveAll(filepath.Dir(ann))) },
		"new removed":       func() { must(t, os.RemoveAll(filepath.Join(ann, "new"))) },
		"cur removed":       func() { must(t, os.RemoveAll(filepath.Join(ann, "cur"))) },
		"mailbox moved":     func() { must(t, os.Rename(ann, ann+".old")) },
		"mailbox made anew": func() { must(t, os.RemoveAll(ann), os.Mkdir(ann, 0o700), os.Mkdir(ann+"/new", 0o700)) },
	} {
		must(t, os.RemoveAll(ann), os.RemoveAll(ann+".old"))
		must(t, deliver(t, s, "before\r\n", p))
		change()
		must(t, deliver(t, s, "new\r\n", p))
		must(t, deliver(t, s, "cur\r\n", store.Placement{Mailbox: p.Mailbox, Flags: []store.Flag{store.FlagSeen}}))
		list, err := s.Messages(t.Context(), p.Mailbox, "")
		if err != nil || len(list) < 2 {
			t.Errorf("%s: %d messages, %v", what, len(list), err)
		}
		if old, err := os.ReadDir(ann + ".old/new"); err == nil && len(old) != 1 {
			t.Errorf("%s: %d messages in what was moved away, want 1", what, len(old))
		}
	}
}

// The few directories that may be kept open are those used last; the others are opened again.
func TestManyFolders(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.Handles, c.PerDelivery, c.Deliveries = 3, 4, 2 })
	defer s.Close()
	var to []store.Placement
	for i := range 30 {
		to = append(to, store.Placement{Mailbox: store.Mailbox{Name: fmt.Sprintf("m%d@example.org", i%7)}, Folder: fmt.Sprintf("f%d", i%5)})
	}
	for _, err := range s.Deliver(t.Context(), message(100), append(to, to...)) {
		must(t, err)
	}
	if n := s.cache.order.Len(); n > 3 {
		t.Errorf("%d folders kept open, want at most 3", n)
	}
	var total int64
	for i := range 7 {
		u, err := s.Usage(t.Context(), store.Mailbox{Name: fmt.Sprintf("m%d@example.org", i)})
		must(t, err)
		total += u.Messages
	}
	if total != 60 {
		t.Errorf("%d messages, want 60", total)
	}
}

// A name that is taken is left alone, and another one found.
func TestNameTaken(t *testing.T) {
	for _, open := range []func(testing.TB, string) *Store{openNamed, func(t testing.TB, dir string) *Store { return open(t, dir) }} {
		s := open(t, t.TempDir())
		now := time.Now()
		s.names.now = func() time.Time { return now }
		p := store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}
		must(t, deliver(t, s, "first\r\n", p))
		for range 3 {
			s.names.count.Store(0) // the same names once more
			must(t, deliver(t, s, "other\r\n", p))
		}
		list, err := s.Messages(t.Context(), p.Mailbox, "")
		if err != nil || len(list) != 4 {
			t.Errorf("%d messages, %v, want 4", len(list), err)
		}
		s.Close()
	}
}

func TestModes(t *testing.T) {
	for _, umask := range []int{0, 0o022, 0o077} {
		dir := t.TempDir()
		old := unix.Umask(umask)
		s := open(t, filepath.Join(dir, "a/b"))
		must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"}))
		s.Close()
		unix.Umask(old)
		must(t, filepath.WalkDir(filepath.Join(dir, "a"), func(path string, e fs.DirEntry, err error) error {
			must(t, err)
			fi, err := e.Info()
			want := fs.FileMode(0o600)
			if fi.IsDir() {
				want = 0o700
			}
			if fi.Mode().Perm() != want {
				t.Errorf("umask %o: %s has mode %o", umask, path, fi.Mode().Perm())
			}
			return err
		}))
	}
}

func TestCheckFree(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.Space = store.NewSpace(store.Floor{Octets: 1 << 20, Inodes: 10}, time.Now) })
	defer s.Close()
	must(t, s.Check(t.Context(), store.Mailbox{Name: "ann@example.org"}, store.Usage{Octets: 1 << 10}))
	if err := s.Check(t.Context(), store.Mailbox{Name: "ann@example.org"}, store.Usage{Octets: 1 << 60}); !errors.Is(err, store.ErrFull) {
		t.Errorf("Check of 1 EiB: %v, want ErrFull", err)
	}
}

func TestSweep(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"}))
	ann := filepath.Join(dir, "example.org", "ann")
	old := time.Now().Add(-sweepAge - time.Minute)
	for _, name := range []string{"tmp/old", "tmp/young", "tmp/.old", ".Work/tmp/old", "new/old", "cur/old:2,"} {
		must(t, os.WriteFile(filepath.Join(ann, name), nil, 0o600))
		if !strings.Contains(name, "young") {
			must(t, os.Chtimes(filepath.Join(ann, name), old, old))
		}
	}
	must(t, os.Mkdir(filepath.Join(ann, "tmp/dir"), 0o700), os.Chtimes(filepath.Join(ann, "tmp/dir"), old, old))
	must(t, os.Symlink("../new/old", filepath.Join(ann, "tmp/symlink")))
	must(t, os.WriteFile(filepath.Join(dir, "stray"), nil, 0o600), os.MkdirAll(filepath.Join(dir, "example.net", "no-maildir"), 0o700))
	if n, err := s.Sweep(t.Context()); n != 3 || err != nil {
		t.Errorf("Sweep: %d, %v, want 3", n, err)
	}
	for _, name := range []string{"tmp/young", "tmp/dir", "tmp/symlink", "new/old", "cur/old:2,"} {
		if _, err := os.Lstat(filepath.Join(ann, name)); err != nil {
			t.Errorf("%v", err)
		}
	}
}

// Another program's eyes: what we write is what emersion/go-maildir reads, and the other way round.
func TestInterop(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	for i := range 3 {
		must(t, deliver(t, s, fmt.Sprintf("%d\r\n", i), store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Flags: []store.Flag{store.FlagSeen, store.FlagFlagged}}))
	}
	must(t, deliver(t, s, "new\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}))
	other := gomaildir.Dir(filepath.Join(dir, "example.org", "ann"))
	list, err := other.Messages()
	if err != nil || len(list) != 3 {
		t.Fatalf("go-maildir sees %d messages, %v, want 3", len(list), err)
	}
	for _, m := range list {
		if got := string(m.Flags()); got != "FS" {
			t.Errorf("go-maildir sees flags %q", got)
		}
		fi, err := os.Stat(m.Filename())
		must(t, err)
		if !strings.Contains(m.Key(), fmt.Sprintf(",S=%d,W=%d", fi.Size(), fi.Size()+1)) {
			t.Errorf("%s has %d octets", m.Key(), fi.Size())
		}
		must(t, m.SetFlags([]gomaildir.Flag{gomaildir.FlagReplied}))
	}
	_, w, err := other.Create([]gomaildir.Flag{gomaildir.FlagTrashed})
	must(t, err)
	_, err = io.WriteString(w, "theirs\n")
	must(t, err, w.Close())
	ours, err := s.Messages(t.Context(), store.Mailbox{Name: "ann@example.org"}, "")
	must(t, err)
	count := map[store.Flag]int{}
	for _, m := range ours {
		for _, f := range m.Flags {
			count[f]++
		}
	}
	if len(ours) != 5 || count[store.FlagAnswered] != 3 || count[store.FlagDeleted] != 1 || len(count) != 2 {
		t.Errorf("we see %d messages, %v", len(ours), count)
	}
}
