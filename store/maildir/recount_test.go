package maildir

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// However often a mailbox is counted anew while messages come and go, each of them is in the sum or has its line, once.
func TestRecountAmidDeliveries(t *testing.T) {
	c := openCounted(t)
	roomy := limited
	roomy.Quota.Usage = store.Usage{Octets: 1 << 30}
	var deliveries, recounts sync.WaitGroup
	var over atomic.Bool
	for _, folder := range []string{"", "", "Work", "Junk"} {
		deliveries.Go(func() {
			for range 40 {
				if err := deliver(t, c.Store, "abc\r\n", store.Placement{Mailbox: roomy, Folder: folder}); err != nil {
					t.Error(err)
				}
			}
			list, err := c.Messages(t.Context(), roomy, folder)
			if err != nil || len(list) < 10 {
				t.Errorf("%d messages, %v", len(list), err)
				return
			}
			for _, m := range list[:10] {
				if err := c.Remove(t.Context(), roomy, folder, m.ID); err != nil && !errors.Is(err, store.ErrNoMessage) {
					t.Error(err)
				}
			}
		})
	}
	for range 2 {
		recounts.Go(func() {
			for !over.Load() {
				if _, err := c.Recount(t.Context(), roomy); err != nil {
					t.Error(err)
				}
			}
		})
	}
	deliveries.Wait()
	over.Store(true)
	recounts.Wait()
	kept, err := c.Usage(t.Context(), roomy)
	must(t, err)
	if anew, err := c.Recount(t.Context(), roomy); err != nil || anew != kept {
		t.Errorf("kept count is %+v, anew it is %+v, %v", kept, anew, err)
	}
}

// busy waits until n callers have to do with the mailbox's counter.
func (c *counted) busy(n int) {
	for {
		c.counts.mu.Lock()
		users := 0
		for _, one := range c.counts.byDir {
			users += one.users
		}
		c.counts.mu.Unlock()
		if users == n {
			return
		}
		runtime.Gosched()
	}
}

// ask asks for the usage, and returns the error when it is there.
func (c *counted) ask(ctx context.Context) <-chan error {
	done := make(chan error, 1)
	go func() {
		u, err := c.Usage(ctx, limited)
		if err == nil && u != (store.Usage{Messages: 1, Octets: 2}) {
			c.Errorf("Usage: %+v", u)
		}
		done <- err
	}()
	return done
}

// Those who ask while somebody counts have the same answer, of one counting. Who does not want to wait leaves.
func TestRecountIsShared(t *testing.T) {
	c := openCounted(t)
	hold, err := c.posting(t.Context(), limited, "", nil) // keeps the first from counting
	must(t, err)
	var written atomic.Int32
	real := c.fs.rename
	c.fs.rename = func(from int, name string, dir int, to string) error {
		written.Add(1)
		return real(from, name, dir, to)
	}
	var asked []<-chan error
	for n := range 5 {
		asked = append(asked, c.ask(t.Context()))
		c.busy(n + 2)
	}
	ctx, leave := context.WithCancel(t.Context())
	tired := c.ask(ctx)
	c.busy(7)
	leave()
	if err := <-tired; !errors.Is(err, context.Canceled) {
		t.Errorf("who got tired of waiting: %v", err)
	}
	hold.end()
	for _, done := range asked {
		must(t, <-done)
	}
	if n := written.Load(); n != 1 {
		t.Errorf("counted %d times", n)
	}
	if len(c.counts.byDir) > 0 {
		t.Errorf("%d counters are left", len(c.counts.byDir))
	}
}

// If who counts has to leave, another goes on.
func TestRecountIsTakenOver(t *testing.T) {
	c := openCounted(t)
	hold, err := c.posting(t.Context(), limited, "", nil)
	must(t, err)
	ctx, leave := context.WithCancel(t.Context())
	first := c.ask(ctx)
	c.busy(2)
	second := c.ask(t.Context())
	c.busy(3)
	leave()
	if err := <-first; !errors.Is(err, context.Canceled) {
		t.Errorf("who was to count: %v", err)
	}
	hold.end()
	must(t, <-second)
}

// What another program does to the mailbox meanwhile is noticed.
func TestTallyIsOutdated(t *testing.T) {
	for name, change := range map[string]func(c *counted) error{
		"":              func(c *counted) error { return nil },
		"message comes": func(c *counted) error { return os.WriteFile(filepath.Join(c.dir, "new", "a"), nil, 0o600) },
		"message moves": func(c *counted) error {
			return os.Rename(filepath.Join(c.dir, "cur", "b"), filepath.Join(c.dir, "cur", "b:2,S"))
		},
		"folder comes": func(c *counted) error { return os.MkdirAll(filepath.Join(c.dir, ".Work", "cur"), 0o700) },
		"folder goes":  func(c *counted) error { return os.Rename(filepath.Join(c.dir, ".Old"), filepath.Join(c.dir, "gone")) },
		"cur goes": func(c *counted) error {
			return os.Rename(filepath.Join(c.dir, ".Old", "cur"), filepath.Join(c.dir, "gone"))
		},
		"ignored folder": func(c *counted) error { return os.WriteFile(filepath.Join(c.dir, ".Junk", "cur", "c"), nil, 0o600) },
	} {
		c := openCounted(t)
		must(t, os.WriteFile(filepath.Join(c.dir, "cur", "b"), nil, 0o600))
		c.deliver("a\r\n", "Old")
		c.deliver("a\r\n", "Junk")
		for _, sub := range []string{"new", "cur", ".Old/cur", ".Junk/cur"} {
			then := time.Now().Add(-time.Hour)
			must(t, os.Chtimes(filepath.Join(c.dir, sub), then, then))
		}
		d, giveBack, err := c.lend(limited)
		must(t, err)
		tally, err := d.tally(t.Context(), limited.Quota)
		must(t, err, change(c))
		if got, want := tally.current(d), name == "" || name == "ignored folder"; got != want {
			t.Errorf("%q: current: %v", name, got)
		}
		giveBack()
	}
}

// A count that cannot be written is told all the same, nothing wrong is left behind, and the next one who asks counts.
func TestFaultInRecount(t *testing.T) {
	for at := 1; ; at++ {
		c := openCounted(t)
		c.write("2000S\n700 7\n")
		real := c.fs
		f := &faults{at: at, err: unix.ENOSPC}
		f.into(c.Store)
		c.usage(1, 2)
		if f.step < at {
			break
		}
		c.fs = real
		c.usage(1, 2)
		must(t, filepath.WalkDir(filepath.Join(c.dir, "tmp"), func(path string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				t.Errorf("step %d: %s is left", at, path)
			}
			return err
		}))
	}
}

// A line that cannot be written, or only half, has the mailbox counted anew. The message is there, and the delivery a success.
func TestFaultInPosting(t *testing.T) {
	for name, fail := range map[string]func(s *Store){
		"open": func(s *Store) { s.fs.openAppend = func(int, string) (int, error) { return -1, unix.EIO } },
		"write": func(s *Store) {
			real := s.fs.write
			s.fs.write = func(fd int, b []byte) (int, error) {
				if len(b) < 10 { // no message is that short
					return 0, unix.EDQUOT
				}
				return real(fd, b)
			}
		},
		"short write": func(s *Store) {
			real := s.fs.write
			s.fs.write = func(fd int, b []byte) (int, error) {
				if len(b) < 10 {
					b = b[:1]
				}
				return real(fd, b)
			}
		},
		"replaced meanwhile": func(s *Store) {
			real := s.fs.write
			s.fs.write = func(fd int, b []byte) (int, error) {
				if len(b) < 10 {
					at := filepath.Join(s.root.name(), "example.org", "ann", countFile)
					must(t, os.WriteFile(at+"new", []byte("1000S,10C\n2 1\n"), 0o600), os.Rename(at+"new", at))
				}
				return real(fd, b)
			}
		},
	} {
		c := openCounted(t)
		c.usage(1, 2)
		var log bytes.Buffer
		c.log = slog.New(slog.NewTextHandler(&log, nil))
		real := c.fs
		fail(c.Store)
		c.deliver("Subject: test\r\n", "")
		if got := c.file(); got != "" || !strings.Contains(log.String(), "to be counted anew") {
			t.Errorf("%s: maildirsize is %q, the log says %q", name, got, log.String())
		}
		c.fs = real
		c.usage(2, 16)
	}
}

// A message that is taken back because it came too late was never counted.
func TestLateMessageIsNotCounted(t *testing.T) {
	c := openCounted(t)
	c.usage(1, 2)
	ctx, cancel := context.WithCancel(t.Context())
	c.fs.syncDir = waitFirst(c.fs.syncDir, cancel)
	errs := c.Deliver(ctx, strings.NewReader("late\r\n"), []store.Placement{{Mailbox: limited}})
	if !errors.Is(errs[0], context.Canceled) {
		t.Errorf("Deliver: %v", errs[0])
	}
	if got, want := c.file(), "1000S,10C\n2 1\n"; got != want {
		t.Errorf("maildirsize is %q, want %q", got, want)
	}
	c.usage(1, 2)
}

// Another process may count the mailbox, message and all, before the message has its line: then it must not be in the sum
// twice.
func TestCountedElsewhereMeanwhile(t *testing.T) {
	for name, prepare := range map[string]func(c *counted){
		"there before": func(c *counted) { c.usage(1, 2) },
		"made first":   func(*counted) {},
	} {
		c := openCounted(t)
		other := open(t, c.root.name())
		prepare(c)
		real := c.fs.syncDir
		c.fs.syncDir = func(fd int) error {
			if _, err := other.Recount(t.Context(), limited); err != nil {
				t.Error(err)
			}
			return real(fd)
		}
		c.deliver("x\r\n", "")
		c.fs.syncDir = real
		c.usage(2, 4)
		other.Close()
		if t.Failed() {
			t.Error(name)
		}
	}
}

// The line comes last: after the name of the message is on the disk. Its file is open before there is that name.
func TestOrderOfCounting(t *testing.T) {
	c := openCounted(t)
	c.usage(1, 2)
	steps := record(c.Store)
	c.deliver("x\r\n", "")
	at := slices.Index(*steps, "sync file")
	if at < 0 || !slices.Equal((*steps)[at+1:], []string{"open " + countFile, "link", "sync dir", "write"}) {
		t.Errorf("steps %q", *steps)
	}
}
