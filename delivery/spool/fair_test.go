package spool

import (
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

// A sender with thousands of messages in the queue does not keep another's single one waiting, whether they are in memory or only in the
// database, and whoever came first.
func TestFair(t *testing.T) {
	const many = 1500
	for _, how := range []string{"in memory", "in the database"} {
		t.Run(how, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &carrier{}
				var slow atomic.Bool
				slow.Store(true)
				c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
					if slow.Load() {
						time.Sleep(time.Second)
					}
					return all(m, Relayed, smtp.Reply{Code: 250}), nil
				}
				cfg := config(tempPath(t), c)
				cfg.DelayAfter = -1
				s := open(t, cfg)
				fill := func() {
					for i := range many {
						put(t, s, mail("bulk@here.example", "x", fmt.Sprintf("m%d@a.example", i)))
					}
					for _, from := range []string{"ann@here.example", "zoe@here.example"} {
						put(t, s, mail(from, "x", "bob@a.example"))
					}
				}
				if how == "in the database" {
					fill()
				}
				stop := run(t, s)
				if how == "in memory" {
					fill()
				}
				time.Sleep(45 * time.Second)
				synctest.Wait()
				list := c.attempts()
				for _, from := range []string{"ann@here.example", "zoe@here.example"} {
					at := slices.IndexFunc(list, func(one carried) bool { return one.from == path(from) })
					if at < 0 || at > 700 { // what is in memory already goes first
						t.Errorf("the message of %s is number %d of %d", from, at, len(list))
					}
				}
				s.mu.Lock()
				if d := s.destinations["a.example"]; d.ready > maxReady || len(d.loaded) > maxReady {
					t.Errorf("%d are ready and %d loaded", d.ready, len(d.loaded))
				}
				s.mu.Unlock()
				slow.Store(false)
				time.Sleep(30 * time.Second)
				synctest.Wait()
				if n := len(c.attempts()); n != many+2 {
					t.Errorf("%d attempts, want %d", n, many+2)
				}
				empty(t, s)
				stop()
			})
		})
	}
}

// Senders have turns.
func TestTurns(t *testing.T) {
	d := (&Spool{destinations: map[string]*destination{}}).at("a.example")
	for i, sender := range []string{"a", "a", "a", "b", "c", "c"} {
		d.push(&entry{key: key{seq: int64(i)}, sender: sender})
	}
	var got []int64
	for e := d.pop(); e != nil; e = d.pop() {
		got = append(got, e.seq)
	}
	if want := []int64{0, 3, 4, 1, 5, 2}; !slices.Equal(got, want) || d.ready != 0 || len(d.lanes) != 0 {
		t.Errorf("the order is %v, want %v", got, want)
	}
}

// However many there are, all are looked at.
func TestRerouteMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		old := func(_, to smtp.Path) string { return "old" }
		c.route.Store(&old)
		cfg := config(tempPath(t), c)
		s := open(t, cfg)
		const messages, each = 5, 3 * waysAtOnce / 4
		for n := range messages {
			var to []string
			for i := range each {
				to = append(to, fmt.Sprintf("r%d-%d@a.example", n, i))
			}
			put(t, s, mail("ann@here.example", "x", to...))
		}
		err := s.writer.change(0, func(t *tx) error { // they wait for long
			_, err := t.exec("wait", "UPDATE entry SET next = ?", time.Now().Add(time.Hour).UnixMicro())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		c.route.Store(nil)
		stop := run(t, s)
		time.Sleep(5 * time.Second)
		synctest.Wait()
		got := 0
		for _, one := range c.attempts() {
			got += len(one.to)
		}
		if got != messages*each || len(c.attempts()) != messages {
			t.Errorf("%d recipients in %d attempts, want %d in %d", got, len(c.attempts()), messages*each, messages)
		}
		empty(t, s)
		stop()
	})
}

// What waits goes where the configuration says after the next start, those of an entry that go elsewhere alone.
func TestReroute(t *testing.T) {
	for _, held := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			c := &carrier{}
			c.answer = func(_ context.Context, name string, m *Message) ([]Outcome, error) {
				if name == "old" {
					return all(m, Deferred, later), nil
				}
				return all(m, Relayed, smtp.Reply{Code: 250}), nil
			}
			way := func(name string) {
				f := func(_, to smtp.Path) string {
					if to.Local == "stays" {
						return "old"
					}
					return name
				}
				c.route.Store(&f)
			}
			way("old")
			cfg := config(tempPath(t), c)
			s := open(t, cfg)
			stop := run(t, s)
			id := put(t, s, mail("ann@here.example", "x", "stays@a.example", "goes@b.example", "too@b.example"))
			synctest.Wait()
			if held {
				operate(t, s, func(q *Queue) (int, error) { return q.Hold(t.Context(), id) })
			}
			stop()
			way("new")
			s = open(t, cfg)
			stop = run(t, s)
			if held {
				operate(t, s, func(q *Queue) (int, error) { return q.Release(t.Context(), id) })
			}
			time.Sleep(3 * time.Second)
			synctest.Wait()
			want := []string{"old " + id + " stays@a.example,goes@b.example,too@b.example", "new " + id + " goes@b.example,too@b.example"}
			got := c.calls()
			if !slices.Contains(got, want[1]) || got[0] != want[0] || held && len(got) > 3 || !held && len(got) > 2 {
				t.Errorf("attempts %q, want %q", got, want)
			}
			if n := rows(t, s, "recipient WHERE local = 'stays'"); n != 1 || rows(t, s, "entry") != 1 || rows(t, s, "recipient") != 1 {
				t.Errorf("%d of what stays", n)
			}
			stop()
		})
	}
}
