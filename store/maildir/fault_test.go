package maildir

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// faults make the file operations of a store fail at one step.
type faults struct {
	at    int // which step, from 1; 0: none
	err   error
	crash bool // nothing works any more from that step on
	step  int
}

func (f *faults) hit() error {
	f.step++
	if f.step == f.at || f.crash && f.at > 0 && f.step > f.at {
		return f.err
	}
	return nil
}

// into wraps the operations of s.
func (f *faults) into(s *Store) {
	real := s.fs
	s.fs.createUnnamed = func(dir int) (int, error) {
		if err := f.hit(); err != nil {
			return -1, err
		}
		return real.createUnnamed(dir)
	}
	s.fs.createNamed = func(dir int, name string) (int, error) {
		if err := f.hit(); err != nil {
			return -1, err
		}
		return real.createNamed(dir, name)
	}
	s.fs.openAppend = func(dir int, name string) (int, error) {
		if err := f.hit(); err != nil {
			return -1, err
		}
		return real.openAppend(dir, name)
	}
	s.fs.write = func(fd int, b []byte) (int, error) {
		if err := f.hit(); err != nil {
			_, _ = real.write(fd, b[:len(b)/2]) // as a disk that fills up does
			return 0, err
		}
		return real.write(fd, b)
	}
	s.fs.linkUnnamed = func(fd, dir int, name string) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real.linkUnnamed(fd, dir, name)
	}
	s.fs.linkNamed = func(tmp int, tmpName string, dir int, name string) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real.linkNamed(tmp, tmpName, dir, name)
	}
	s.fs.dateUnnamed = func(fd int, date time.Time) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real.dateUnnamed(fd, date)
	}
	s.fs.dateNamed = func(dir int, name string, date time.Time) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real.dateNamed(dir, name, date)
	}
	s.fs.syncFile = f.sync(real.syncFile)
	s.fs.syncDir = f.sync(real.syncDir)
	s.fs.unlink = f.name(real.unlink)
	s.fs.mkdir = f.name(real.mkdir)
	s.fs.rename = func(from int, name string, dir int, to string) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real.rename(from, name, dir, to)
	}
}

func (f *faults) sync(real func(int) error) func(int) error {
	return func(fd int) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real(fd)
	}
}

func (f *faults) name(real func(int, string) error) func(int, string) error {
	return func(dir int, name string) error {
		if err := f.hit(); err != nil {
			return err
		}
		return real(dir, name)
	}
}

var errPower = errors.New("power is gone")

// A delivery fails at each of its steps in turn: the error is told, nothing of the message can be seen, or all of it, and the
// next attempt succeeds.
func TestFaultAtEveryStep(t *testing.T) {
	for how, open := range map[string]func(testing.TB, string) *Store{
		"unnamed": func(t testing.TB, dir string) *Store { return open(t, dir) },
		"named":   openNamed,
	} {
		for what, p := range map[string]store.Placement{
			"inbox":          {Mailbox: store.Mailbox{Name: "ann@example.org"}, Trace: []byte("X: y\r\n")},
			"flags":          {Mailbox: store.Mailbox{Name: "ann@example.org"}, Trace: []byte("X: y\r\n"), Flags: []store.Flag{store.FlagSeen}},
			"folder":         {Mailbox: store.Mailbox{Name: "ann@example.org"}, Trace: []byte("X: y\r\n"), Folder: "Work/Süb"},
			"dated":          {Mailbox: store.Mailbox{Name: "ann@example.org"}, Trace: []byte("X: y\r\n"), Date: time.Unix(1e9, 0)},
			"keywords":       {Mailbox: store.Mailbox{Name: "ann@example.org"}, Trace: []byte("X: y\r\n"), Flags: []store.Flag{"work"}},
			"counted":        {Mailbox: limited, Trace: []byte("X: y\r\n")},
			"counted folder": {Mailbox: limited, Trace: []byte("X: y\r\n"), Folder: "Work/Süb"},
		} {
			for _, there := range []string{"new", "existing"} {
				for _, cause := range []error{unix.ENOSPC, unix.EIO, errPower} {
					t.Run(fmt.Sprintf("%s/%s/%s/%v", how, what, there, cause), func(t *testing.T) {
						test := faultTest{T: t, open: open, p: p, mailbox: there, cause: cause}
						for at := 1; test.run(at); at++ {
							if at > 100 {
								t.Fatal("no end of steps")
							}
						}
					})
				}
			}
		}
	}
}

type faultTest struct {
	*testing.T
	open    func(testing.TB, string) *Store
	p       store.Placement
	mailbox string
	cause   error
}

const (
	faultContent = "Subject: x\r\n\r\nhello\r\n"
	faultOnDisk  = "X: y\nSubject: x\n\nhello\n"
)

// run lets step at fail, and says whether there was one.
func (t *faultTest) run(at int) bool {
	dir := t.TempDir()
	s := t.open(t, dir)
	before := 0
	if t.mailbox == "existing" {
		before = 1
		if err := deliver(t, s, faultContent, t.p); err != nil {
			t.Fatal(err)
		}
		t.counted(s)
	}
	f := &faults{at: at, err: t.cause, crash: t.cause == errPower}
	f.into(s)
	err := deliver(t, s, faultContent, t.p)
	s.Close()
	visible := t.visible(dir)
	switch {
	case err == nil && visible != before+1:
		t.Errorf("step %d: no error, but %d messages, want %d", at, visible, before+1)
	case err != nil && visible != before && !(f.crash && visible == before+1):
		t.Errorf("step %d: %v, and %d messages, want %d", at, err, visible, before)
	case err != nil && !errors.Is(err, t.cause):
		t.Errorf("step %d: %v, which hides %v", at, err, t.cause)
	case err != nil && errors.Is(err, store.ErrFull) != (t.cause == unix.ENOSPC):
		t.Errorf("step %d: %v: full or not full?", at, err)
	}
	t.again(at, dir, visible+1)
	return f.step >= at
}

// counted expects that the count that is kept is right. Only a crash between the name of a message and its line in
// maildirsize takes a message out of it, until the mailbox is counted anew: that is Maildir++'s way.
func (t *faultTest) counted(s *Store) {
	if !t.p.Mailbox.Quota.Limited() {
		return
	}
	kept, err := s.Usage(t.Context(), t.p.Mailbox)
	if errors.Is(err, store.ErrNoMailbox) {
		return
	}
	anew, again := s.Recount(t.Context(), t.p.Mailbox)
	if err != nil || again != nil || kept != anew {
		t.Errorf("kept count is %+v, %v, anew it is %+v, %v", kept, err, anew, again)
	}
}

// again is what follows: the client sends the message again, and the sweep takes the rest away.
func (t *faultTest) again(at int, dir string, want int) {
	s := t.open(t, dir)
	defer s.Close()
	if t.cause != errPower {
		t.counted(s)
	} else { // a lock that was left behind is stale by now
		s.now = func() time.Time { return time.Now().Add(lockStale) }
	}
	if err := deliver(t, s, faultContent, t.p); err != nil {
		t.Errorf("after step %d: second attempt: %v", at, err)
	}
	if got := t.visible(dir); got != want {
		t.Errorf("after step %d: %d messages after the second attempt, want %d", at, got, want)
	}
	s.now = func() time.Time { return time.Now().Add(sweepAge + time.Hour) }
	if _, err := s.Sweep(t.Context()); err != nil {
		t.Errorf("after step %d: Sweep: %v", at, err)
	}
	for name := range t.files(dir) {
		if strings.Contains(name, "/tmp/") || strings.HasSuffix(name, ".lock") {
			t.Errorf("after step %d: %s is left", at, name)
		}
	}
}

// visible counts the messages that a reader sees, which must be whole.
func (t *faultTest) visible(dir string) (n int) {
	for name, text := range t.files(dir) {
		if strings.Contains(name, "/new/") || strings.Contains(name, "/cur/") {
			n++
			if text != faultOnDisk {
				t.Errorf("%s holds %q", name, text)
			}
		}
	}
	return n
}

func (t *faultTest) files(dir string) map[string]string {
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		all[strings.TrimPrefix(path, dir)] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// What is opened is closed, whatever happens.
func TestNoDescriptorLeft(t *testing.T) {
	count := func() int {
		fds, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("no /proc here to count descriptors")
		}
		return len(fds)
	}
	for at := range 40 {
		dir := t.TempDir()
		before := count()
		s := open(t, dir, func(c *Config) { c.Handles = 2 })
		f := &faults{at: at, err: unix.EIO}
		f.into(s)
		for _, folder := range []string{"", "a", "b", "c", "a"} {
			_ = deliver(t, s, faultContent, store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: folder, Flags: []store.Flag{store.FlagSeen}})
		}
		for range s.Mailboxes(t.Context()) {
		}
		_, _ = s.Usage(t.Context(), store.Mailbox{Name: "ann@example.org"})
		_, _ = s.Sweep(t.Context())
		s.Close()
		if after := count(); after > before { // fewer are those that the garbage collector has closed of other tests
			t.Errorf("fault at step %d: %d descriptors open, %d before", at, after, before)
		}
	}
}
