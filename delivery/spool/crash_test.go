package spool

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// copyFiles copies a database as it is on the disk now, as a crash would leave it.
func copyFiles(t *testing.T, path string) string {
	t.Helper()
	to := filepath.Join(t.TempDir(), "spool.db")
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(path + suffix)
		if err == nil {
			err = os.WriteFile(to+suffix, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// After a crash everything is there. What was being attempted then is attempted again, and told to the log, recipient by recipient; what
// was done is not.
func TestCrash(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		hang := make(chan struct{})
		c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
			if name == "hangs.example" {
				<-hang
			}
			if name == "later.example" {
				return all(m, Deferred, later), nil
			}
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		before := tempPath(t)
		s := open(t, config(before, c))
		stop := run(t, s)
		id := put(t, s, mail("ann@here.example", "x", "a@done.example", "b@hangs.example", "c@hangs.example", "d@later.example"))
		synctest.Wait()
		after := copyFiles(t, before)
		close(hang)
		synctest.Wait()
		stop()

		c = &carrier{}
		cfg, book := config(after, c), &logBook{}
		cfg.Log = book.log()
		s = open(t, cfg)
		stop = run(t, s)
		synctest.Wait()
		if got, want := c.calls(), []string{"hangs.example " + id + " b@hangs.example,c@hangs.example"}; !slices.Equal(got, want) {
			t.Errorf("attempts %q, want %q", got, want)
		}
		if !c.attempts()[0].doubt {
			t.Error("an attempt is not told that there was one that nobody knows the end of")
		}
		if n := book.lines("it is attempted again, and may come twice"); n != 2 {
			t.Errorf("%d lines tell of it:\n%s", n, book)
		}
		time.Sleep(6 * time.Minute)
		synctest.Wait()
		if got := c.calls(); len(got) != 2 || got[1] != "later.example "+id+" d@later.example" || c.attempts()[1].doubt {
			t.Errorf("attempts %q", got)
		}
		empty(t, s)
		stop()
	})
}

// An orderly end waits for attempts under way, and what was still to be attempted is so at the next start, without doubt.
func TestEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(ctx context.Context, _ string, m *Message) ([]Outcome, error) {
			if m.Recipients[0].To.Local == "hangs" {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			time.Sleep(10 * time.Second)
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		cfg, book := config(tempPath(t), c), &logBook{}
		cfg.Concurrency, cfg.Log = 2, book.log()
		s := open(t, cfg)
		stop := run(t, s)
		put(t, s, mail("ann@here.example", "x", "hangs@a.example"))
		for i := range 5 {
			put(t, s, mail("ann@here.example", "x", fmt.Sprintf("m%d@a.example", i)))
		}
		synctest.Wait()
		begun := time.Now()
		stop()
		if took := time.Since(begun); took != 30*time.Second {
			t.Errorf("it ended after %v", took)
		}
		c.answer = nil
		s = open(t, cfg)
		stop = run(t, s)
		time.Sleep(time.Minute)
		synctest.Wait()
		counts := map[string]int{}
		for _, one := range c.attempts() {
			counts[one.to[0]]++
		}
		for i := range 5 {
			if to := fmt.Sprintf("m%d@a.example", i); counts[to] != 1 {
				t.Errorf("%d attempts for %s", counts[to], to)
			}
		}
		if counts["hangs@a.example"] != 2 {
			t.Errorf("attempts: %v", counts)
		}
		if n := book.lines("twice"); n != 0 {
			t.Errorf("there is a doubt:\n%s", book)
		}
		empty(t, s)
		stop()
	})
}

// What is put in while nobody attempts, by another process too, is attempted later.
func TestPutWithoutRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		cfg := config(tempPath(t), c)
		s := open(t, cfg)
		put(t, s, mail("ann@here.example", "x", "bob@a.example"))
		stop := run(t, s)
		synctest.Wait()
		if n := len(c.attempts()); n != 1 {
			t.Errorf("%d attempts", n)
		}
		other := open(t, cfg)
		put(t, other, mail("ann@here.example", "x", "bob@a.example"))
		if err := other.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "another lmtpd") {
			t.Errorf("two attempt at once: %v", err)
		}
		if err := other.Close(); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(c.attempts()); n != 2 {
			t.Errorf("%d attempts", n)
		}
		empty(t, s)
		stop()
	})
}

// A crash at any moment under load: whatever Put said is there is there, whole, and what was done is not done again, but for what was
// being attempted.
func TestCrashUnderLoad(t *testing.T) {
	before := tempPath(t)
	c := &carrier{}
	s := open(t, config(before, c))
	stop := run(t, s)
	var mu sync.Mutex
	answered := map[string]bool{}
	var senders sync.WaitGroup
	quit := make(chan struct{})
	for n := range 4 {
		senders.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-quit:
					return
				default:
				}
				m := mail(fmt.Sprintf("s%d@here.example", n), strings.Repeat("x", 100*i%10_000), fmt.Sprintf("r%d@a.example", i))
				if err := s.Put(t.Context(), m); err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				answered[m.Envelope.ID] = true
				mu.Unlock()
			}
		})
	}
	for round := range 5 {
		for len(c.attempts()) < 100*(round+1) {
			runtime.Gosched()
		}
		mu.Lock()
		promised := make([]string, 0, len(answered))
		for id := range answered {
			promised = append(promised, id)
		}
		mu.Unlock()
		after := copyFiles(t, before) // not one moment, but no later than any: the log comes last
		done := map[string]bool{}
		for _, one := range c.attempts() {
			done[one.id] = true
		}
		c2 := &carrier{}
		s2 := open(t, config(after, c2))
		stop2 := run(t, s2)
		for rows(t, s2, "message") > 0 {
			runtime.Gosched()
		}
		stop2()
		again := map[string]int{}
		for _, one := range c2.attempts() {
			again[one.id]++
		}
		for _, id := range promised {
			if !done[id] && again[id] == 0 {
				t.Errorf("%s is lost", id)
			}
			if again[id] > 1 {
				t.Errorf("%s was attempted %d times", id, again[id])
			}
		}
	}
	close(quit)
	senders.Wait()
	stop()
}
