package maildir

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// All that is made in a home is its owner's, and nobody else's to read, with files in tmp/ and without.
func TestOwnerOfFiles(t *testing.T) {
	for _, unnamed := range []bool{true, false} {
		dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
		s := openHomes(t)
		if !unnamed {
			s.fs.createUnnamed = func(int) (int, error) { return -1, errUnnamed }
		}
		for range 2 {
			errs := s.Deliver(t.Context(), message(100), []store.Placement{
				{Mailbox: ann(dir)}, {Mailbox: bob(dir)}, {Mailbox: ann(dir), Flags: []store.Flag{store.FlagSeen}}, {Mailbox: bob(dir), Folder: "Lists/Go"},
			})
			must(t, errs...)
		}
		for name, id := range map[string]uint32{"ann": annID, "bob": bobID} {
			all := everything(t, filepath.Join(dir, name))
			for path, st := range all {
				want := uint32(unix.S_IFREG | 0o600)
				if st.Mode&unix.S_IFMT == unix.S_IFDIR {
					want = unix.S_IFDIR | 0o700
				}
				if st.Uid != id || st.Gid != id || st.Mode != want {
					t.Errorf("%s%s: uid %d, gid %d, mode %o, want %d and %o", name, path, st.Uid, st.Gid, st.Mode, id, want)
				}
			}
			if len(all) < 7 {
				t.Errorf("%s has only %v", name, all)
			}
		}
	}
}

// The other operations work in a home as in a root, and what they make is the owner's too.
func TestOwnerReads(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID})
	s, ann := openHomes(t), ann(dir)
	ctx := t.Context()
	if _, err := s.Messages(ctx, ann, ""); !errors.Is(err, store.ErrNoMailbox) {
		t.Errorf("Messages of a home without a maildir: %v, want ErrNoMailbox", err)
	}
	must(t, s.Check(ctx, ann, store.Usage{Messages: 1, Octets: 100}),
		deliver(t, s, "x\r\n", store.Placement{Mailbox: ann, Folder: "Work"}),
		s.Check(ctx, ann, store.Usage{Messages: 1, Octets: 100}))
	list, err := s.Messages(ctx, ann, "Work")
	must(t, err)
	must(t, s.SetFlags(ctx, ann, "Work", list[0].ID, []store.Flag{store.FlagSeen}))
	r, err := s.Open(ctx, ann, "Work", list[0].ID)
	must(t, err, r.Close())
	folders, err := s.Folders(ctx, ann)
	must(t, err)
	usage, err := s.Usage(ctx, ann)
	must(t, err)
	counted, err := s.Recount(ctx, ann)
	must(t, err)
	if want := (store.Usage{Messages: 1, Octets: 3}); len(folders) != 1 || usage != want || counted != want {
		t.Errorf("folders %q, usage %v, counted %v", folders, usage, counted)
	}
	must(t, s.Remove(ctx, ann, "Work", list[0].ID))
	for path, st := range everything(t, ann.Home) {
		if st.Uid != annID {
			t.Errorf("%s is uid %d's", path, st.Uid)
		}
	}
	for _, err := range s.Mailboxes(ctx) {
		if !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("Mailboxes: %v, want ErrUnsupported", err)
		}
	}
}

// What ann plants in her home leads a delivery, a reader or the sweep neither to bob's mail nor to root's, and what stands in
// the way is no answer. Beyond the symlinks that are not followed at all, a home that bob lent her is one that she could
// not enter either.
func TestOwnerPlants(t *testing.T) {
	maildir := []string{"Maildir", "Maildir/cur", "Maildir/new", "Maildir/tmp", "Maildir/.Work", "Maildir/.Work/new", "Maildir/.Work/tmp",
		"Maildir/subscriptions", "Maildir/subscriptions.lock", "Maildir/maildirsize"}
	for what, plant := range map[string]func(path, prey string) error{
		"symlink to bob":  func(path, prey string) error { return os.Symlink(prey, path) },
		"symlink to root": func(path, prey string) error { return os.Symlink(filepath.Join(prey, "../../root/Maildir"), path) },
		"pipe":            func(path, _ string) error { return errors.Join(unix.Mkfifo(path, 0o666), os.Chown(path, annID, annID)) },
		"hard link":       func(path, prey string) error { return os.Link(filepath.Join(prey, "theirs"), path) },
		"closed":          func(path, _ string) error { return errors.Join(os.Mkdir(path, 0), os.Chown(path, annID, annID)) },
		"root's":          func(path, _ string) error { return os.Mkdir(path, 0o700) },
	} {
		for _, at := range maildir {
			t.Run(what+" at "+at, func(t *testing.T) {
				dir := homes(t, map[string]int{"ann": annID, "bob": bobID, "root": 0})
				s, ann, bob := openHomes(t), ann(dir), bob(dir)
				must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: bob}), deliver(t, s, "x\r\n", store.Placement{Mailbox: user(dir, "root", 0)}))
				prey := filepath.Join(bob.Home, "Maildir")
				must(t, os.WriteFile(filepath.Join(prey, "theirs"), []byte("secret\n"), 0o600), os.Chown(filepath.Join(prey, "theirs"), bobID, bobID))
				planted := filepath.Join(ann.Home, at)
				for d := filepath.Dir(planted); d != ann.Home; d = filepath.Dir(d) {
					must(t, os.MkdirAll(d, 0o700))
				}
				for path := range everything(t, ann.Home) {
					must(t, os.Chown(filepath.Join(ann.Home, path), annID, annID))
				}
				must(t, plant(planted, prey))
				before := preyOf(t, dir)

				s.now = func() time.Time { return time.Now().Add(2 * sweepAge) }
				for _, p := range []store.Placement{{Mailbox: ann}, {Mailbox: ann, Flags: []store.Flag{store.FlagSeen}}, {Mailbox: ann, Folder: "Work"}} {
					if err := deliver(t, s, "x\r\n", p); err != nil && isAnswer(err) {
						t.Errorf("Deliver says %v", err)
					}
				}
				if list, err := s.Messages(t.Context(), ann, ""); err == nil && len(list) > 2 {
					t.Errorf("ann reads %v", list)
				}
				_, _ = s.Usage(t.Context(), ann)
				_, _ = s.Folders(t.Context(), ann)
				_, _ = s.Sweep(t.Context())
				after := preyOf(t, dir)
				for path, was := range before {
					now := after[path]
					if was.Ino != now.Ino || was.Mtim != now.Mtim || was.Uid != now.Uid || was.Size != now.Size {
						t.Errorf("%s changed", path)
					}
				}
				if len(after) != len(before) {
					t.Errorf("there is %v, and was %v", after, before)
				}
			})
		}
	}
}

// preyOf gives what is in the homes that are not ann's.
func preyOf(t testing.TB, dir string) map[string]unix.Stat_t {
	t.Helper()
	all := everything(t, dir)
	maps.DeleteFunc(all, func(path string, _ unix.Stat_t) bool { return strings.HasPrefix(path, "/ann") || path == "" })
	return all
}

// A home that cannot be entered, or is not there, is no answer, neither to Check nor to Deliver, and is never made.
func TestHomeNotThere(t *testing.T) {
	for what, spoil := range map[string]func(home string) error{
		"vanished":     os.Remove,
		"unreadable":   func(home string) error { return os.Chmod(home, 0) },
		"bob's":        func(home string) error { return os.Chown(home, bobID, bobID) },
		"root's":       func(home string) error { return os.Chown(home, 0, 0) },
		"a file":       func(home string) error { return errors.Join(os.Remove(home), os.WriteFile(home, nil, 0o666)) },
		"a pipe":       func(home string) error { return errors.Join(os.Remove(home), unix.Mkfifo(home, 0o666)) },
		"a dead link":  func(home string) error { return errors.Join(os.Remove(home), os.Symlink("nowhere", home)) },
		"not to write": func(home string) error { return os.Chmod(home, 0o500) },
	} {
		t.Run(what, func(t *testing.T) {
			dir := homes(t, map[string]int{"ann": annID})
			s, ann := openHomes(t), ann(dir)
			must(t, spoil(ann.Home))
			before := everything(t, dir)
			deliverErr := deliver(t, s, "x\r\n", store.Placement{Mailbox: ann})
			if deliverErr == nil || isAnswer(deliverErr) || errors.Is(deliverErr, fs.ErrNotExist) {
				t.Errorf("Deliver: %v, want what is no answer", deliverErr)
			}
			err := s.Check(t.Context(), ann, store.Usage{})
			if what != "not to write" && (err == nil || isAnswer(err) || errors.Is(err, fs.ErrNotExist)) {
				t.Errorf("Check: %v, want what is no answer", err)
			}
			if _, err := s.Messages(t.Context(), ann, ""); what != "not to write" && (err == nil || isAnswer(err)) {
				t.Errorf("Messages: %v, want what is no answer", err)
			}
			if after := everything(t, dir); len(after) != len(before) {
				t.Errorf("there is %v, and was %v", after, before)
			}
		})
	}
}

// A home that vanishes, changes hands or is made anew is seen at the next delivery, whatever is kept open.
func TestHomeChanges(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
	s, ann := openHomes(t), ann(dir)
	to := store.Placement{Mailbox: ann}
	must(t, deliver(t, s, "x\r\n", to))
	changes := []struct {
		name   string
		change func() error
		works  bool
	}{
		{"closed", func() error { return os.Chmod(ann.Home, 0) }, false},
		{"open", func() error { return os.Chmod(ann.Home, 0o700) }, true},
		{"moved away", func() error { return os.Rename(ann.Home, ann.Home+".old") }, false},
		{"moved back", func() error { return os.Rename(ann.Home+".old", ann.Home) }, true},
		{"replaced", func() error {
			return errors.Join(os.Rename(ann.Home, ann.Home+".old"), os.Mkdir(ann.Home, 0o700), os.Chown(ann.Home, annID, annID))
		}, true},
		{"given to bob", func() error { to.Mailbox.Owner = &store.Owner{UID: bobID, GID: bobID}; return nil }, false},
	}
	for _, c := range changes {
		must(t, c.change())
		if err := deliver(t, s, "x\r\n", to); (err == nil) != c.works || isAnswer(err) {
			t.Errorf("%s: %v, want it to work: %v", c.name, err, c.works)
		}
	}
	if n := len(everything(t, filepath.Join(ann.Home, "Maildir/new"))); n != 2 {
		t.Errorf("the new home has %d messages, want 1", n-1)
	}
}

// Where an account says where its mail is and not whose, root puts nothing and looks at nothing, and that is no answer.
func TestOwnerUnknown(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID})
	home, rooted := openHomes(t), open(t, t.TempDir())
	defer rooted.Close()
	inHome := store.Mailbox{Name: "ann@example.org", Home: filepath.Join(dir, "ann")}
	path := store.Mailbox{Name: "ann@example.org", Path: filepath.Join(dir, "ann", "mail")}
	for _, test := range []struct {
		s   *Store
		box store.Mailbox
	}{{home, inHome}, {home, path}, {rooted, path}} {
		_, listed := test.s.Messages(t.Context(), test.box, "")
		for what, err := range map[string]error{
			"Check":      test.s.Check(t.Context(), test.box, store.Usage{Messages: 1}),
			"Deliver":    deliver(t, test.s, "x\r\n", store.Placement{Mailbox: test.box}),
			"MakeFolder": test.s.MakeFolder(t.Context(), test.box, "Work"),
			"Messages":   listed,
		} {
			if err == nil || isAnswer(err) || !errors.Is(err, errNobodys) {
				t.Errorf("%s in %+v: %v, want %v", what, test.box, err, errNobodys)
			}
		}
	}
	if got := everything(t, dir); len(got) != 2 { // the directory of homes and a home
		t.Errorf("something was made: %v", got)
	}
}

// A mailbox with a path of its own lies there, also where the template has a root.
func TestPathOfItsOwn(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
	root := t.TempDir()
	s := open(t, root)
	defer s.Close()
	ann, bob, eve := ann(dir), bob(dir), store.Mailbox{Name: "eve@example.org", Path: filepath.Join(root, "x/y")}
	ann.Path = filepath.Join(ann.Home, "mail/in")
	bob.Path = filepath.Join(dir, "none/mail")
	errs := s.Deliver(t.Context(), message(10), []store.Placement{{Mailbox: ann}, {Mailbox: bob}, {Mailbox: eve}})
	if errs[0] != nil || errs[1] == nil || isAnswer(errs[1]) || errs[2] != nil {
		t.Errorf("Deliver: %v", errs)
	}
	for path, want := range map[string]uint32{filepath.Join(ann.Path, "new"): annID, filepath.Join(eve.Path, "new"): 0} {
		var st unix.Stat_t
		must(t, unix.Stat(path, &st))
		if st.Uid != want {
			t.Errorf("%s is uid %d's, want %d", path, st.Uid, want)
		}
	}
}

// Who asks about a home that hangs can give up, nobody else waits for it, and others are served meanwhile. When it has
// come back it is looked at again.
func TestCheckHangs(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
	s := openHomes(t)
	hangs, release := make(chan struct{}), make(chan struct{})
	var first sync.Once
	s.space = store.NewSpace(store.Floor{}, func() time.Time {
		first.Do(func() { close(hangs); <-release })
		return time.Now()
	})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-hangs; cancel() }()
	if err := s.Check(ctx, ann(dir), store.Usage{}); !errors.Is(err, context.Canceled) {
		t.Errorf("Check: %v, want %v", err, context.Canceled)
	}
	if err := s.Check(t.Context(), ann(dir), store.Usage{}); !errors.Is(err, errUnreachable) {
		t.Errorf("Check while another hangs: %v, want %v", err, errUnreachable)
	}
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: bob(dir), Folder: "Work"}))
	close(release)
	for s.stuck.check("ann@example.org") != nil {
		runtime.Gosched()
	}
	must(t, s.Check(t.Context(), ann(dir), store.Usage{}))
}

// Sweep finds the homes that mail has come for.
func TestSweepHomes(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
	s := openHomes(t)
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: ann(dir)}), deliver(t, s, "x\r\n", store.Placement{Mailbox: bob(dir)}))
	for _, name := range []string{"ann", "bob"} {
		must(t, os.WriteFile(filepath.Join(dir, name, "Maildir/tmp/left"), nil, 0o600))
	}
	must(t, os.Rename(filepath.Join(dir, "bob"), filepath.Join(dir, "bobby")))
	s.now = func() time.Time { return time.Now().Add(sweepAge + time.Hour) }
	n, err := s.Sweep(t.Context())
	if n != 1 || !errors.Is(err, errUnreachable) {
		t.Errorf("Sweep: %d, %v, want 1 and the home that is gone", n, err)
	}
}

// Sweep finds a home whose directories are kept open, however many others mail has come for since.
func TestSweepBusyHome(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
	s := openHomes(t)
	s.away.max = 1
	for _, m := range []store.Mailbox{ann(dir), bob(dir), ann(dir)} {
		must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: m}))
	}
	s.away.note(place{mailbox: "cyd"}, store.Mailbox{Name: "cyd@example.org", Home: filepath.Join(dir, "cyd")})
	must(t, os.WriteFile(filepath.Join(dir, "ann/Maildir/tmp/left"), nil, 0o600))
	s.now = func() time.Time { return time.Now().Add(sweepAge + time.Hour) }
	if n, err := s.Sweep(t.Context()); n != 1 {
		t.Errorf("Sweep: %d, %v, want 1", n, err)
	}
}

// After deliveries from many goroutines every thread has its own rights, and files that are made then are root's.
func TestRightsComeBack(t *testing.T) {
	dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
	s := openHomes(t)
	s.fs.syncFile = func(int) error { return nil }
	s.fs.syncDir = func(int) error { return nil }
	var all sync.WaitGroup
	for n := range 50 {
		all.Go(func() {
			for i := range 20 {
				to := ann(dir)
				if (n+i)%2 == 0 {
					to = bob(dir)
				}
				to.Owner.Groups = []int{n + 1, 60000}
				if err := deliver(t, s, "x\r\n", store.Placement{Mailbox: to}); err != nil {
					t.Error(err)
				}
				if err := s.Check(context.Background(), to, store.Usage{}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	threads, err := filepath.Glob("/proc/self/task/*/status")
	must(t, err)
	for _, path := range threads {
		status, err := os.ReadFile(path)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH) {
			continue
		}
		must(t, err)
		own, err := os.ReadFile("/proc/self/status")
		must(t, err)
		for _, key := range []string{"Uid:", "Gid:", "Groups:", "CapEff:", "CapPrm:"} {
			if got, want := lineOf(status, key), lineOf(own, key); got != want {
				t.Errorf("%s: %q, want %q", path, got, want)
			}
		}
	}
	for name, id := range map[string]uint32{"ann": annID, "bob": bobID} {
		messages := 0
		for path, st := range everything(t, filepath.Join(dir, name)) {
			if st.Uid != id {
				t.Errorf("%s%s is uid %d's", name, path, st.Uid)
			}
			if strings.HasPrefix(path, "/Maildir/new/") {
				messages++
			}
		}
		if messages != 500 {
			t.Errorf("%s has %d messages, want 500", name, messages)
		}
	}
}

func lineOf(text []byte, key string) string {
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, key) {
			return line
		}
	}
	return fmt.Sprintf("no %s", key)
}
