package spool

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// A destination that cannot be used is left alone as a whole, and tried with one entry after longer and longer pauses. Once it is there
// again, all goes at once.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		var down atomic.Bool
		down.Store(true)
		c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
			if name == "a.example" && down.Load() {
				return nil, errors.New("connection refused")
			}
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		cfg := config(tempPath(t), c)
		cfg.DelayAfter = -1
		s := open(t, cfg)
		stop := run(t, s)
		put(t, s, mail("ann@here.example", "x", "first@a.example"))
		synctest.Wait()
		const n = 50
		for i := range n {
			put(t, s, mail("ann@here.example", "x", fmt.Sprintf("m%d@a.example", i)))
		}
		put(t, s, mail("ann@here.example", "x", "other@b.example"))
		synctest.Wait()
		if got := len(c.attempts()); got != 2 {
			t.Fatalf("%d attempts, want one for each destination", got)
		}
		time.Sleep(10*time.Minute - time.Second)
		synctest.Wait()
		list := c.attempts()
		if len(list) < 6 || len(list) > 8 { // after 15 s, 45 s, 105 s, 225 s, 465 s
			t.Errorf("%d attempts", len(list))
		}
		pause := firstRest
		for i := 2; i < len(list); i++ {
			last := list[i-1].at
			if i == 2 {
				last = list[0].at
			}
			if got := list[i].at.Sub(last); got < pause-pause/10-time.Second || got > pause+pause/10+2*time.Second {
				t.Errorf("pause %v, want %v", got, pause)
			}
			pause *= 2
		}
		down.Store(false)
		time.Sleep(9 * time.Minute)
		synctest.Wait()
		if got := len(c.attempts()) - len(list); got != n+1 {
			t.Errorf("%d attempts when it is back, want %d", got, n+1)
		}
		empty(t, s)
		stop()
	})
}

// What was to be attempted at once when its destination failed is seen to become old.
func TestOldInBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
			if name == "a.example" {
				time.Sleep(time.Minute)
				return nil, errors.New("timeout")
			}
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		cfg := config(tempPath(t), c)
		cfg.DelayAfter = time.Hour
		s := open(t, cfg)
		stop := run(t, s)
		for i := range 100 {
			put(t, s, mail("ann@here.example", "x", fmt.Sprintf("m%d@a.example", i)))
		}
		time.Sleep(62 * time.Minute)
		synctest.Wait()
		told := 0
		for _, one := range c.attempts() {
			if one.to[0] == "ann@here.example" {
				told++
			}
		}
		if told < 98 { // but for one or two that are being attempted
			t.Errorf("of 100 messages %d are told to be late", told)
		}
		stop()
	})
}

// Many attempts that find out at once that a destination cannot be used are one failure.
func TestOneFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		goOn := make(chan struct{})
		c.answer = func(context.Context, string, *Message) ([]Outcome, error) {
			<-goOn
			return nil, errors.New("connection lost")
		}
		s := open(t, config(tempPath(t), c))
		stop := run(t, s)
		for i := range 10 {
			put(t, s, mail("ann@here.example", "x", fmt.Sprintf("m%d@a.example", i)))
		}
		synctest.Wait()
		close(goOn)
		synctest.Wait()
		s.mu.Lock()
		failures := s.destinations["a.example"].rest.failures
		s.mu.Unlock()
		if failures != 1 || len(c.attempts()) != 10 {
			t.Errorf("%d failures of %d attempts", failures, len(c.attempts()))
		}
		stop()
	})
}

// No more attempts are under way for a destination than may be.
func TestConcurrency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		var now, most atomic.Int64
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			most.Store(max(most.Load(), now.Add(1)))
			time.Sleep(time.Second)
			now.Add(-1)
			return all(m, Delivered, smtp.Reply{}), nil
		}
		cfg := config(tempPath(t), c)
		cfg.Concurrency = 3
		s := open(t, cfg)
		stop := run(t, s)
		for i := range 12 {
			put(t, s, mail("ann@here.example", "x", fmt.Sprintf("m%d@a.example", i)))
		}
		time.Sleep(4*time.Second + time.Millisecond)
		synctest.Wait()
		if most.Load() != 3 || len(c.attempts()) != 12 {
			t.Errorf("%d attempts, at most %d at once", len(c.attempts()), most.Load())
		}
		empty(t, s)
		stop()
	})
}
