package maildir

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"lmtpd/store"
)

// More deliveries into one mailbox at once than are allowed are told so at once; other mailboxes are not concerned, and
// once one is done there is room for another.
func TestBusyMailbox(t *testing.T) {
	s := open(t, t.TempDir(), func(c *Config) { c.PerMailbox = 2 })
	inside, release := make(chan struct{}, 2), make(chan struct{})
	real := s.fs.syncFile
	s.fs.syncFile = func(fd int) error {
		inside <- struct{}{}
		<-release
		return real(fd)
	}
	ann, bob := store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}, store.Placement{Mailbox: store.Mailbox{Name: "bob@example.org"}}
	var first sync.WaitGroup
	for range 2 {
		first.Go(func() {
			if err := s.Deliver(t.Context(), strings.NewReader("x\r\n"), []store.Placement{ann})[0]; err != nil {
				t.Error(err)
			}
		})
		<-inside
	}
	if err := deliver(t, s, "x\r\n", ann); !errors.Is(err, store.ErrBusy) {
		t.Errorf("a third delivery: %v, want ErrBusy", err)
	}
	close(release)
	if err := deliver(t, s, "x\r\n", bob); err != nil {
		t.Errorf("another mailbox: %v", err)
	}
	<-inside
	first.Wait()
	if err := deliver(t, s, "x\r\n", ann); err != nil {
		t.Errorf("when the others are done: %v", err)
	}
	if len(s.crowd.inside) > 0 {
		t.Errorf("somebody is still inside: %v", s.crowd.inside)
	}
}
