package maildir

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// When its deadline passes, a delivery that hangs is answered for at once, and what comes of it later is taken back.
// Another recipient's message stays.
func TestLateMessageIsTakenBack(t *testing.T) {
	for _, test := range []struct {
		name    string
		hang    func(s *Store, wait func())
		unlink  error
		log     string
		visible int
	}{
		{"message", func(s *Store, wait func()) { s.fs.syncFile = waitFirst(s.fs.syncFile, wait) }, nil, "", 0},
		{"directory", func(s *Store, wait func()) { s.fs.syncDir = waitFirst(s.fs.syncDir, wait) }, nil, "taken back", 0},
		{"cannot be taken back", func(s *Store, wait func()) { s.fs.syncDir = waitFirst(s.fs.syncDir, wait) }, unix.EROFS, "delivered late", 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t, t.TempDir())
			var log bytes.Buffer
			s.log = slog.New(slog.NewTextHandler(&log, nil))
			ann, bob := distant(t), store.Mailbox{Name: "bob@example.org"}
			for _, box := range []store.Mailbox{ann, bob} {
				must(t, deliver(t, s, "first\r\n", store.Placement{Mailbox: box}))
			}
			ctx, cancel := context.WithCancel(t.Context())
			hangs, release := make(chan struct{}), make(chan struct{})
			test.hang(s, func() { close(hangs); <-release })
			if test.unlink != nil {
				s.fs.unlink = func(int, string) error { return test.unlink }
			}
			go func() { <-hangs; cancel() }()
			errs := s.Deliver(ctx, strings.NewReader("late\r\n"), []store.Placement{{Mailbox: ann}})
			if !errors.Is(errs[0], context.Canceled) {
				t.Errorf("Deliver: %v, want %v", errs[0], context.Canceled)
			}
			must(t, deliver(t, s, "second\r\n", store.Placement{Mailbox: bob}))
			close(release)
			s.running.Wait()
			expectCount(t, s, ann, 1+test.visible)
			expectCount(t, s, bob, 2)
			if !strings.Contains(log.String(), test.log) {
				t.Errorf("the log says %q, want %q", log.String(), test.log)
			}
		})
	}
}

// distant is a mailbox that a goroutine of its own delivers to.
func distant(t *testing.T) store.Mailbox {
	return store.Mailbox{Name: "ann@example.org", Path: filepath.Join(t.TempDir(), "ann"), Owner: self()}
}

// self is the owner of what the process itself has made.
func self() *store.Owner { return &store.Owner{UID: os.Geteuid(), GID: os.Getegid()} }

func expectCount(t *testing.T, s *Store, box store.Mailbox, want int) {
	t.Helper()
	list, err := s.Messages(t.Context(), box, "")
	must(t, err)
	if len(list) != want {
		t.Errorf("%s has %d messages, want %d", box, len(list), want)
	}
}

// A message that the caller itself is late with is taken back too.
func TestLateInPlace(t *testing.T) {
	s := open(t, t.TempDir())
	ann := store.Mailbox{Name: "ann@example.org"}
	must(t, deliver(t, s, "first\r\n", store.Placement{Mailbox: ann}))
	ctx, cancel := context.WithCancel(t.Context())
	s.fs.syncDir = waitFirst(s.fs.syncDir, cancel)
	errs := s.Deliver(ctx, strings.NewReader("late\r\n"), []store.Placement{{Mailbox: ann}})
	if !errors.Is(errs[0], context.Canceled) {
		t.Errorf("Deliver: %v, want %v", errs[0], context.Canceled)
	}
	expectCount(t, s, ann, 1)
}

// What hangs beyond its deadline gives its slot to others.
func TestHangingKeepsNoSlot(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.Deliveries = 1 })
	ctx, cancel := context.WithCancel(t.Context())
	hangs, release := make(chan struct{}), make(chan struct{})
	s.fs.syncFile = waitFirst(s.fs.syncFile, func() { close(hangs); <-release })
	go func() { <-hangs; cancel() }()
	ann, bob := store.Placement{Mailbox: distant(t)}, store.Placement{Mailbox: store.Mailbox{Name: "bob@example.org"}}
	if err := s.Deliver(ctx, strings.NewReader("x\r\n"), []store.Placement{ann})[0]; !errors.Is(err, context.Canceled) {
		t.Errorf("Deliver: %v, want %v", err, context.Canceled)
	}
	must(t, deliver(t, s, "x\r\n", bob))
	close(release)
	must(t, s.Close())
	if len(s.slots) != 0 {
		t.Errorf("%d slots are taken at the end", len(s.slots))
	}
}

// waitFirst waits at the first call.
func waitFirst(real func(int) error, wait func()) func(int) error {
	first := make(chan struct{}, 1)
	first <- struct{}{}
	return func(fd int) error {
		select {
		case <-first:
			wait()
		default:
		}
		return real(fd)
	}
}
