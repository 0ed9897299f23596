package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lmtpd/store"
)

// Two stores on one database, as a daemon and a command are, see and wait for each other.
func TestTwoStores(t *testing.T) {
	s := openTemp(t)
	other := open(t, s.template.Root())
	defer other.Close()
	var all sync.WaitGroup
	for _, one := range []*Store{s, other} {
		for range 4 {
			all.Go(func() {
				for i := range 10 {
					deliver(t, one, fmt.Sprint(i), ann, store.Mailbox{Name: fmt.Sprintf("m%d@example.org", i)})
				}
			})
		}
	}
	all.Wait()
	if n := len(texts(t, other, ann, "")); n != 80 {
		t.Errorf("%d messages, want 80", n)
	}
	sound(t, s)
}

// Who looks into a mailbox while it is made finds none, or one with its INBOX.
func TestLookWhileMade(t *testing.T) {
	s := openTemp(t)
	for i := range 200 {
		m := store.Mailbox{Name: fmt.Sprintf("m%d@example.org", i)}
		made := make(chan struct{})
		go func() {
			defer close(made)
			deliver(t, s, "x", m)
		}()
		for there := false; !there; {
			_, err := s.Messages(t.Context(), m, "")
			if err != nil && !errors.Is(err, store.ErrNoMailbox) {
				t.Error(err)
			}
			there = !errors.Is(err, store.ErrNoMailbox)
		}
		<-made
	}
}

// Who finds the database locked by somebody else waits as long as its context says, and nothing of it comes later.
func TestLocked(t *testing.T) {
	s := openTemp(t)
	other := open(t, s.template.Root())
	defer other.Close()
	deliver(t, s, "one", ann)
	err := writerOf(t, other).db.Write(t.Context(), func(context.Context, *sql.Conn) error {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		err := s.Deliver(ctx, strings.NewReader("two"), []store.Placement{{Mailbox: ann}})[0]
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v", err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	deliver(t, s, "three", ann)
	if got := texts(t, s, ann, ""); !slices.Equal(got, []string{"one", "three"}) {
		t.Errorf("there are %q", got)
	}
}

// A full disk is store.ErrFull for what does not fit, small mail that fits is kept, and nothing is half there.
func TestFull(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "one", ann)
	change(t, s, "PRAGMA max_page_count = 60")
	for _, size := range []int{maxWhole / 2, 2 * maxWhole} {
		err := s.Deliver(t.Context(), strings.NewReader(strings.Repeat("x", size)), []store.Placement{{Mailbox: ann}, {Mailbox: bob}})
		if !errors.Is(err[0], store.ErrFull) || !errors.Is(err[1], store.ErrFull) {
			t.Errorf("%d octets: %v", size, err)
		}
	}
	s.running.Wait()
	deliver(t, s, "two", ann)
	if got := texts(t, s, ann, ""); !slices.Equal(got, []string{"one", "two"}) {
		t.Errorf("there are %q", got)
	}
	sound(t, s)
}

// More databases than may be open are opened and closed as they are needed.
func TestManyDatabases(t *testing.T) {
	s := open(t, filepath.Join(t.TempDir(), "%d.db"))
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			for range 3 {
				deliver(t, s, "x", store.Mailbox{Name: fmt.Sprintf("ann@d%d.example", i%7)}, store.Mailbox{Name: "bob@all.example"})
			}
		})
	}
	all.Wait()
	if n := len(texts(t, s, store.Mailbox{Name: "bob@all.example"}, "")); n != 60 {
		t.Errorf("%d messages, want 60", n)
	}
	var names []string
	for name, err := range s.Mailboxes(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		names = append(names, name)
	}
	if len(names) != 8 {
		t.Errorf("mailboxes %q", names)
	}
	s.running.Wait()
	if n := len(s.pool.open); n > 2 {
		t.Errorf("%d are open, 2 may be", n)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
