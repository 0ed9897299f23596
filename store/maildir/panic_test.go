package maildir

import (
	"context"
	"testing"

	"lmtpd/store"
)

// A panic while several copies are written reaches the caller's goroutine, where it ends one session and not the
// daemon; and the store goes on.
func TestPanicReachesTheCaller(t *testing.T) {
	s := open(t, t.TempDir())
	real := s.fs.syncFile
	s.fs.syncFile = func(int) error { panic("broken") }
	to := []store.Placement{{Mailbox: "a@example.org"}, {Mailbox: "b@example.org"}, {Mailbox: "c@example.org"}}
	if v := deliverPanic(s, to); v != "broken" {
		t.Fatalf("recovered %v", v)
	}
	s.fs.syncFile = real
	for i, err := range s.Deliver(context.Background(), message(100), to) {
		if err != nil {
			t.Errorf("%s: %v", to[i].Mailbox, err)
		}
	}
}

func deliverPanic(s *Store, to []store.Placement) (v any) {
	defer func() { v = recover() }()
	s.Deliver(context.Background(), message(100), to)
	return nil
}
