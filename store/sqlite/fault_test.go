package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lmtpd/store"
)

var ann, bob = store.Mailbox{Name: "ann@example.org"}, store.Mailbox{Name: "bob@example.org"}

func openTemp(t testing.TB) *Store {
	t.Helper()
	s := open(t, filepath.Join(t.TempDir(), "mail.db"))
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// texts reads all messages of a folder.
func texts(t testing.TB, s *Store, m store.Mailbox, folder string) (all []string) {
	t.Helper()
	list, err := s.Messages(t.Context(), m, folder)
	if err != nil && !errors.Is(err, store.ErrNoMailbox) {
		t.Fatal(err)
	}
	for _, one := range list {
		r, err := s.Open(t.Context(), m, folder, one.ID)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if err != nil {
			t.Error(err)
		}
		r.Close()
		all = append(all, string(b))
	}
	return all
}

// sound says that nothing is wrong in a store.
func sound(t testing.TB, s *Store) {
	t.Helper()
	for d, err := range s.Inspect(t.Context(), nil, store.OnlyTell) {
		t.Errorf("damage: %+v, %v", d, err)
	}
}

var errFault = errors.New("fault")

// What is wrong with one delivery is not the trouble of those that it shares a transaction with.
func TestFaultOfOne(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "first", ann)
	w := writerOf(t, s)
	entered, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.Enqueue(newJob(step{do: func(*tx) error { once.Do(func() { close(entered); <-goOn }); return nil }}))
	<-entered
	jobs := make([]*job, 8)
	for i := range jobs {
		jobs[i] = newJob(step{do: func(t *tx) error {
			if _, err := t.exec("flags", "UPDATE copy SET flags = flags || ?", fmt.Sprint(i)); err != nil || i != 3 {
				return err
			}
			return errFault
		}})
		w.Enqueue(jobs[i])
	}
	close(goOn)
	for i, j := range jobs {
		if err := j.wait(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := j.steps[0].err; (err != nil) != (i == 3) {
			t.Errorf("job %d: %v", i, err)
		}
	}
	list, err := s.Messages(t.Context(), ann, "")
	if err != nil || len(list[0].Flags) != 1 || len(list[0].Flags[0]) != 7 || strings.Contains(string(list[0].Flags[0]), "3") {
		t.Errorf("%v, %v; want each but 3 once", list, err)
	}
}

// What was written ahead for a delivery that fails, or is given up, is removed at once.
func TestNothingAheadStays(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "first", ann)
	var inTheWay atomic.Pointer[func(step string) error]
	s.fault = func(step string) error {
		if f := inTheWay.Load(); f != nil {
			return (*f)(step)
		}
		return nil
	}
	for _, name := range []string{"fails", "is given up"} {
		ctx, cancel := context.WithCancel(t.Context())
		fault := func(step string) error {
			switch {
			case name == "fails" && step == "insert copy":
				return errFault
			case name == "is given up" && step == "finish content":
				cancel()
			}
			return nil
		}
		inTheWay.Store(&fault)
		err := s.Deliver(ctx, strings.NewReader(name+strings.Repeat("x", 2*maxWhole)), []store.Placement{{Mailbox: ann}, {Mailbox: bob}})
		inTheWay.Store(nil)
		deliver(t, s, "after "+name, ann) // comes after whatever was taken back
		deliver(t, s, "long after "+name, ann)
		if n := rows(t, s, "content WHERE begun IS NOT NULL"); n != 0 || err[0] == nil && name == "fails" {
			t.Errorf("a delivery %s: %v, and %d contents are left", name, err, n)
		}
		cancel()
	}
	sound(t, s)
}

// A job that is given up in the queue is not done, and what was written ahead for it is disposed of once.
func TestGivenUpInQueue(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "first", ann)
	w := writerOf(t, s)
	entered, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	w.Enqueue(newJob(step{do: func(*tx) error { once.Do(func() { close(entered); <-goOn }); return nil }}))
	<-entered
	note := func(flag string) func(*tx) error {
		return func(t *tx) error {
			_, err := t.exec("flags", "UPDATE copy SET flags = flags || ?", flag)
			return err
		}
	}
	j := newJob(step{do: note("done")})
	j.waste = note("wasted")
	w.Enqueue(j)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := j.wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	close(goOn)
	if err := w.change(t.Context(), note(".")); err != nil { // it may come along with the one that was given up
		t.Fatal(err)
	}
	if err := w.change(t.Context(), note(".")); err != nil {
		t.Fatal(err)
	}
	list, err := s.Messages(t.Context(), ann, "")
	if err != nil || len(list) != 1 || strings.ReplaceAll(fmt.Sprint(list[0].Flags), ".", "") != "[wasted]" {
		t.Errorf("%v, %v", list, err)
	}
}

// A panic in a transaction is an error of what was in it, and the writer goes on.
func TestPanic(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "first", ann)
	s.fault = func(step string) error { panic("x") }
	if err := s.Deliver(t.Context(), strings.NewReader("second"), []store.Placement{{Mailbox: ann}})[0]; err == nil {
		t.Error("delivered")
	}
	s.fault = nil
	deliver(t, s, "third", ann)
	if got := texts(t, s, ann, ""); len(got) != 2 {
		t.Errorf("there are %q", got)
	}
}

// What has a deadline that passes in mid-transaction is taken back; what waits has never been.
func TestLate(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "first", ann)
	entered, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	s.fault = func(step string) error {
		if step == "commit" {
			once.Do(func() { close(entered); <-goOn })
		}
		return nil
	}
	ctx, cancel := context.WithCancel(t.Context())
	var all sync.WaitGroup
	for _, text := range []string{"late", "later"} {
		all.Go(func() {
			if err := s.Deliver(ctx, strings.NewReader(text), []store.Placement{{Mailbox: ann}, {Mailbox: bob}}); !errors.Is(err[0], context.Canceled) || !errors.Is(err[1], context.Canceled) {
				t.Errorf("%s: %v", text, err)
			}
		})
	}
	<-entered
	cancel()
	all.Wait()
	close(goOn)
	deliver(t, s, "last", ann) // comes after whatever was taken back
	deliver(t, s, "very last", ann)
	if got := texts(t, s, ann, ""); strings.Join(got, " ") != "first last very last" {
		t.Errorf("there are %q", got)
	}
	if u, err := s.Usage(t.Context(), bob); err == nil && u.Messages != 0 {
		t.Errorf("bob has %+v", u)
	}
	sound(t, s)
}

func writerOf(t testing.TB, s *Store) *writer {
	t.Helper()
	db, err := s.pool.lend(t.Context(), s.template.Root(), mustBeThere)
	if err != nil {
		t.Fatal(err)
	}
	defer s.pool.giveBack(db)
	return db.writer
}

func deliver(t testing.TB, s *Store, text string, to ...store.Mailbox) {
	t.Helper()
	var list []store.Placement
	for _, m := range to {
		list = append(list, store.Placement{Mailbox: m})
	}
	if err := errors.Join(s.Deliver(context.WithoutCancel(t.Context()), strings.NewReader(text), list)...); err != nil {
		t.Fatal(err)
	}
}
