package maildir

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"

	"lmtpd/store"
)

// record writes down the names of the operations in the order they are done.
func record(s *Store) *[]string {
	steps := &[]string{}
	note := func(step string) { *steps = append(*steps, step) }
	real := s.fs
	s.fs.createUnnamed = func(dir int) (int, error) { note("create"); return real.createUnnamed(dir) }
	s.fs.createNamed = func(dir int, name string) (int, error) { note("create named"); return real.createNamed(dir, name) }
	s.fs.write = func(fd int, b []byte) (int, error) { note("write"); return real.write(fd, b) }
	s.fs.linkUnnamed = func(fd, dir int, name string) error { note("link"); return real.linkUnnamed(fd, dir, name) }
	s.fs.linkNamed = func(tmp int, tmpName string, dir int, name string) error {
		note("link")
		return real.linkNamed(tmp, tmpName, dir, name)
	}
	s.fs.dateUnnamed = func(fd int, date time.Time) error { note("date"); return real.dateUnnamed(fd, date) }
	s.fs.dateNamed = func(dir int, name string, date time.Time) error {
		note("date")
		return real.dateNamed(dir, name, date)
	}
	s.fs.syncFile = func(fd int) error { note("sync file"); return real.syncFile(fd) }
	s.fs.syncDir = func(fd int) error { note("sync dir"); return real.syncDir(fd) }
	s.fs.unlink = func(dir int, name string) error { note("unlink"); return real.unlink(dir, name) }
	s.fs.rename = func(from int, name string, dir int, to string) error {
		note("rename")
		return real.rename(from, name, dir, to)
	}
	s.fs.openAppend = func(dir int, name string) (int, error) { note("open " + name); return real.openAppend(dir, name) }
	s.fs.mkdir = func(dir int, name string) error {
		err := real.mkdir(dir, name)
		if err == nil {
			note("mkdir " + name)
		}
		return err
	}
	return steps
}

// The order is the promise: a message is synced before it has a name in new/, and every directory on the way to it before
// Deliver returns.
func TestOrderOfSteps(t *testing.T) {
	message := []string{"create", "write", "sync file", "link", "sync dir"}
	named := []string{"create named", "write", "sync file", "link", "sync dir", "unlink"}
	mailbox := []string{
		"mkdir example.org", "sync dir", "mkdir ann", "sync dir", "mkdir cur", "mkdir new", "mkdir tmp", "sync dir",
	}
	// The directories above were made a moment ago, and so are synced again.
	folder := []string{
		"sync dir", "sync dir", "sync dir", "create named", "write", "sync file", "rename", "mkdir .Work", "sync dir",
		"create named", "mkdir cur", "mkdir new", "mkdir tmp", "sync dir",
	}
	for _, test := range []struct {
		name  string
		open  func(testing.TB, string) *Store
		first []string
	}{
		{"unnamed", func(t testing.TB, dir string) *Store { return open(t, dir) }, message},
		{"named", openNamed, named},
	} {
		s := test.open(t, t.TempDir())
		if test.name == "unnamed" && !s.unnamed {
			continue
		}
		steps := record(s)
		if test.name == "named" {
			s.fs.createUnnamed = func(int) (int, error) { return -1, errUnnamed }
		}
		for _, d := range []struct {
			p    store.Placement
			want []string
		}{
			{store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}, slices.Concat(mailbox, test.first)},
			{store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}, test.first},
			{store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Flags: []store.Flag{store.FlagSeen}}, test.first},
			{store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"}, slices.Concat(folder, test.first)},
			{store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"}, test.first},
			// fdatasync would leave the date out.
			{store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Date: time.Unix(1e9, 0)},
				slices.Concat(test.first[:2], []string{"date", "sync dir"}, test.first[3:])},
		} {
			*steps = nil
			if err := deliver(t, s, "x\r\n", d.p); err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(*steps, d.want) {
				t.Errorf("%s, %+v:\n got %q\nwant %q", test.name, d.p, *steps, d.want)
			}
		}
		s.Close()
	}
}

// A mailbox that somebody else made a moment ago is on the disk before the message counts; one that has been there for long
// costs no sync.
func TestMailboxOfOthers(t *testing.T) {
	for age, want := range map[time.Duration]int{0: 4, time.Minute: 4, -time.Hour: 4, time.Hour: 1} {
		dir := t.TempDir()
		s := open(t, dir)
		ann := filepath.Join(dir, "example.org", "ann")
		for _, sub := range []string{"cur", "new", "tmp"} {
			must(t, os.MkdirAll(filepath.Join(ann, sub), 0o700))
		}
		then := time.Now().Add(-age)
		for _, d := range []string{ann, filepath.Dir(ann), dir} {
			must(t, os.Chtimes(d, then, then))
		}
		steps := record(s)
		must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}))
		syncs := len(slices.DeleteFunc(*steps, func(step string) bool { return step != "sync dir" }))
		if syncs != want {
			t.Errorf("mailbox made %v ago: %d directories synced, want %d", age, syncs, want)
		}
		s.Close()
	}
}

// Who waits for a free slot can give up.
func TestCancelledWhileWaiting(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.Deliveries = 1 })
	defer s.Close()
	s.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	result := make(chan []error)
	to := slices.Repeat([]store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}}}, 3)
	go func() { result <- s.Deliver(ctx, message(10), to) }()
	which, err := s.Identity(to[0].Mailbox)
	must(t, err)
	inside := func() int {
		s.crowd.mu.Lock()
		defer s.crowd.mu.Unlock()
		return s.crowd.inside[which]
	}
	for inside() < len(to) {
		runtime.Gosched()
	}
	cancel()
	for _, err := range <-result {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want context.Canceled", err)
		}
	}
	<-s.slots
}

// A large message goes out in blocks, never whole from memory.
func TestLargeMessageInBlocks(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	real := s.fs.write
	longest, writes := 0, 0
	s.fs.write = func(fd int, b []byte) (int, error) {
		longest, writes = max(longest, len(b)), writes+1
		return real(fd, b)
	}
	if err := s.Deliver(t.Context(), message(5<<20), []store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}}})[0]; err != nil {
		t.Fatal(err)
	}
	if longest > largeBlock || writes > 5<<20/largeBlock+2 {
		t.Errorf("%d writes of up to %d octets", writes, longest)
	}
}

// A write that takes less than it was given is gone on with.
func TestShortWrite(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	real := s.fs.write
	s.fs.write = func(fd int, b []byte) (int, error) { return real(fd, b[:min(len(b), 7)]) }
	want := "Subject: x\r\n\r\nhello, hello, hello\r\n"
	if err := deliver(t, s, want, store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}); err != nil {
		t.Fatal(err)
	}
	if got := readOne(t, s, "ann@example.org", ""); got != want {
		t.Errorf("reads %q", got)
	}
}
