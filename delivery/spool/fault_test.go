package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// inTheWay makes steps fail while it says so.
func inTheWay(s *Spool) *atomic.Pointer[func(step string) error] {
	var f atomic.Pointer[func(step string) error]
	s.fault = func(step string) error {
		if f := f.Load(); f != nil {
			return (*f)(step)
		}
		return nil
	}
	return &f
}

// A fault at any step of Put, for a small content and a large one, is its caller's alone, and nothing of the message is left. A full
// disk is told as such.
func TestPutFails(t *testing.T) {
	large := strings.Repeat("x", maxWhole+100_000)
	for _, step := range []string{"insert message", "insert chunk", "finish content", "insert entry", "insert recipient", "commit"} {
		for _, text := range []string{"x", large} {
			for _, fault := range []error{errFault, syscall.ENOSPC} {
				if step == "finish content" && text != large {
					continue
				}
				s := open(t, config(tempPath(t), &carrier{}))
				failing := inTheWay(s)
				refuse := func(now string) error {
					if now == step {
						return fault
					}
					return nil
				}
				failing.Store(&refuse)
				err := s.Put(t.Context(), mail("ann@here.example", text, "bob@a.example"))
				if !errors.Is(err, fault) || errors.Is(err, store.ErrFull) != (fault == syscall.ENOSPC) {
					t.Errorf("%s: %v", step, err)
				}
				failing.Store(nil)
				if step != "commit" || text != large { // what was written ahead could not be removed either
					empty(t, s)
				}
				id := put(t, s, mail("ann@here.example", text, "bob@a.example"))
				if n := rows(t, s, "message WHERE begun IS NULL AND id = '"+id+"'"); n != 1 {
					t.Errorf("%s: after that %d messages are there", step, n)
				}
				if err := s.Close(); err != nil {
					t.Error(err)
				}
			}
		}
	}
}

// A fault at any step of what an attempt has come to is tried again until it is kept. The recipients are not attempted meanwhile, nor is
// anything else, and a notification is sent once.
func TestSettleFails(t *testing.T) {
	for _, step := range []string{"read mark", "delete entry", "delete recipient", "update recipient", "put entry back", "insert message", "insert chunk", "insert entry", "insert recipient", "commit"} {
		t.Run(step, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &carrier{}
				var failing *atomic.Pointer[func(string) error]
				refuse := func(now string) error {
					if now == step {
						return fmt.Errorf("%w: %w", errFault, syscall.ENOSPC)
					}
					return nil
				}
				c.answer = func(_ context.Context, name string, m *Message) (list []Outcome, _ error) {
					if name == "a.example" {
						if len(c.attempts()) == 1 {
							failing.Store(&refuse)
						}
						for _, to := range m.Recipients {
							switch to.To.Local {
							case "gone":
								list = append(list, Outcome{Fate: Bounced, Reply: refused})
							case "later":
								list = append(list, Outcome{Fate: Deferred, Reply: later})
							default:
								list = append(list, Outcome{Fate: Delivered})
							}
						}
						return list, nil
					}
					return all(m, Delivered, smtp.Reply{}), nil
				}
				s := open(t, config(tempPath(t), c))
				failing = inTheWay(s)
				stop := run(t, s)
				to := []string{"bob@a.example", "gone@a.example", "later@a.example"}
				if step == "delete entry" {
					to = to[:2]
				}
				put(t, s, mail("ann@here.example", "x", to...))
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				if n := len(c.attempts()); n != 1 {
					t.Errorf("%d attempts while nothing can be kept", n)
				}
				failing.Store(nil)
				time.Sleep(longestDebt + 3*time.Second)
				synctest.Wait()
				counts := map[string]int{}
				for _, one := range c.attempts() {
					for _, to := range one.to {
						counts[to]++
					}
				}
				if counts["bob@a.example"] != 1 || counts["gone@a.example"] != 1 || counts["ann@here.example"] != 1 {
					t.Errorf("attempts: %v", counts)
				}
				stop()
			})
		})
	}
}

// What is wrong with one message is not the trouble of those that it shares a commit with.
func TestFaultOfOne(t *testing.T) {
	s := open(t, config(tempPath(t), &carrier{}))
	defer s.Close()
	entered, goOn := make(chan struct{}), make(chan struct{})
	s.writer.Enqueue(&job{do: func(*tx) error { close(entered); <-goOn; return nil }, done: func(error) {}})
	<-entered
	errs := make(chan error, 10)
	twin := newID()
	for i := range 10 {
		m := mail("ann@here.example", "x", "bob@a.example")
		if i%5 == 0 {
			m.Envelope.ID = twin // the second of them is refused
		}
		go func() { errs <- s.Put(t.Context(), m) }()
	}
	for s.writer.Len() < 10 {
		runtime.Gosched()
	}
	close(goOn)
	failed := 0
	for range 10 {
		if err := <-errs; err != nil {
			failed++
		}
	}
	if n := rows(t, s, "message"); failed != 1 || n != 9 {
		t.Errorf("%d have failed, and %d are there", failed, n)
	}
}

// A panic in a transaction is an error of what was in it, and the spool goes on.
func TestPanic(t *testing.T) {
	s := open(t, config(tempPath(t), &carrier{}))
	defer s.Close()
	failing := inTheWay(s)
	burst := func(string) error { panic("x") }
	failing.Store(&burst)
	if err := s.Put(t.Context(), mail("ann@here.example", "x", "bob@a.example")); err == nil {
		t.Error("it was put in")
	}
	failing.Store(nil)
	put(t, s, mail("ann@here.example", "x", "bob@a.example"))
}

// Mail that nobody can have, or that is too large, is refused.
func TestRefused(t *testing.T) {
	s := open(t, config(tempPath(t), &carrier{}))
	defer s.Close()
	if err := s.Put(t.Context(), mail("ann@here.example", "x")); !errors.Is(err, errNoRecipient) {
		t.Errorf("without recipients: %v", err)
	}
	m := mail("ann@here.example", "x", "bob@a.example")
	m.Content = vast{}
	if err := s.Put(t.Context(), m); !errors.Is(err, errTooLarge) {
		t.Errorf("too large: %v", err)
	}
	empty(t, s)
}

// vast is content without an end.
type vast struct{}

func (vast) Size() int64                           { return maxContent + 1 }
func (vast) ReadAt(p []byte, _ int64) (int, error) { return len(p), nil }

// A spool that is full refuses mail and loses none. What leaves makes room, also for what an attempt has come to that could not be kept.
func TestFull(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
			if name == "gone.example" {
				return all(m, Bounced, refused), nil
			}
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		cfg := config(tempPath(t), c)
		cfg.Concurrency = 1
		cfg.Report = func(r dsn.Report) (Mail, error) {
			m, err := report(r)
			m.Content = traced{octets(strings.Repeat("x", 200_000)), m.Content}
			return m, err
		}
		s := open(t, cfg)
		err := s.db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
			_, err := conn.ExecContext(ctx, "PRAGMA max_page_count = 200")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		put(t, s, mail("ann@here.example", "x", "bob@gone.example"))
		n := 1
		for ; err == nil; n++ {
			err = s.Put(t.Context(), mail("ann@here.example", strings.Repeat("x", 20_000), "bob@a.example"))
		}
		if n -= 2; !errors.Is(err, store.ErrFull) || n < 10 || rows(t, s, "message") != n+1 {
			t.Errorf("after %d messages: %v", n, err)
		}
		stop := run(t, s)
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		if got := len(c.attempts()); got != n+2 { // one is the notification
			t.Errorf("%d attempts, want %d", got, n+2)
		}
		empty(t, s)
		put(t, s, mail("ann@here.example", strings.Repeat("x", 20_000), "bob@a.example"))
		stop()
	})
}

// An entry whose attempt could not be begun, since the disk was full just then, is attempted once it is not, whether or not other mail
// goes the same way.
func TestClaimFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			if len(c.attempts()) == 1 {
				return all(m, Deferred, later), nil
			}
			return all(m, Delivered, smtp.Reply{}), nil
		}
		s := open(t, config(tempPath(t), c))
		failing := inTheWay(s)
		stop := run(t, s)
		put(t, s, mail("ann@here.example", "x", "bob@a.example"))
		synctest.Wait()
		refuse := func(now string) error {
			if now == "claim entry" {
				return syscall.ENOSPC
			}
			return nil
		}
		failing.Store(&refuse)
		time.Sleep(time.Hour)
		failing.Store(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if n := len(c.attempts()); n != 2 {
			t.Errorf("%d attempts, want 2", n)
		}
		empty(t, s)
		stop()
	})
}
