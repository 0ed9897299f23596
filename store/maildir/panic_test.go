package maildir

import (
	"context"
	"errors"
	"testing"

	"lmtpd/store"
)

// A panic is one placement's trouble: the others are delivered and told so, and the store goes on.
func TestPanicIsOnePlacementsTrouble(t *testing.T) {
	s := open(t, t.TempDir())
	to := []store.Placement{{Mailbox: store.Mailbox{Name: "a@example.org"}}, {Mailbox: store.Mailbox{Name: "b@example.org"}}, {Mailbox: store.Mailbox{Name: "c@example.org"}}}
	real, calls := s.fs.syncFile, make(chan struct{}, 1)
	calls <- struct{}{}
	s.fs.syncFile = func(fd int) error {
		select {
		case <-calls:
			panic("broken")
		default:
			return real(fd)
		}
	}
	failed := 0
	for _, err := range s.Deliver(context.Background(), message(100), to) {
		if err != nil {
			failed++
		}
	}
	if failed != 1 {
		t.Errorf("%d placements failed, want 1", failed)
	}
	calls <- struct{}{}
	if errs := s.Deliver(context.Background(), message(100), to[:1]); errs[0] == nil {
		t.Error("a panic in a single placement is no error")
	}
	for i, err := range s.Deliver(context.Background(), message(100), to) {
		if err != nil {
			t.Errorf("%s: %v", to[i].Mailbox, err)
		}
	}
}

// What is asked about a mailbox in a home ends neither the daemon by a panic nor the session by hanging.
func TestAskingGoesWrong(t *testing.T) {
	s := open(t, t.TempDir())
	elsewhere := store.Mailbox{Name: "a@example.org", Path: t.TempDir(), Owner: self()}
	if err := s.look(t.Context(), elsewhere, func(context.Context) error { panic("broken") }); err == nil {
		t.Error("a panic is no error")
	}
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	err := s.look(ctx, elsewhere, func(context.Context) error {
		cancel()
		<-release
		return nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("what hangs is %v", err)
	}
}
