package spool

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

func openQueue(t testing.TB, s *Spool) *Queue {
	t.Helper()
	q, err := OpenQueue(t.Context(), s.cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	return q
}

// operate does something as another process would, for one message.
func operate(t testing.TB, s *Spool, do func(*Queue) (int, error)) {
	t.Helper()
	q := openQueue(t, s)
	if n, err := do(q); err != nil || n != 1 {
		t.Errorf("%d messages, %v", n, err)
	}
	if err := q.Close(); err != nil {
		t.Error(err)
	}
}

// list gives the ids of what a filter means.
func list(t testing.TB, q *Queue, f Filter) (ids []string) {
	t.Helper()
	for m, err := range q.List(t.Context(), f) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, m.ID)
	}
	return ids
}

// All that is known of a message is shown.
func TestShow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			list := all(m, Deferred, smtp.Reply{Code: 451, Status: "3.0", Text: "Later,\nplease"})
			list[0].Cause = errors.New("why")
			return list, nil
		}
		cfg := config(tempPath(t), c)
		if _, err := OpenQueue(t.Context(), cfg.Path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("without a spool: %v", err)
		}
		s := open(t, cfg)
		stop := run(t, s)
		text := strings.Repeat("0123456789", 100_000)
		m := mail("ann@here.example", text, "bob@a.example", "odd one@b.example")
		m.Envelope.Account, m.Envelope.Body, m.Envelope.UTF8, m.Envelope.Ret, m.Envelope.EnvID = "ann", smtp.Body8Bit, smtp.UTF8, smtp.RetFull, "e1"
		m.Envelope.Recipients[1].Notify = smtp.NotifyDelay
		m.Envelope.Recipients[1].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "o@b.example"}
		arrived := time.Now()
		id := put(t, s, m)
		time.Sleep(time.Second)
		synctest.Wait()
		q := openQueue(t, s)
		got, r, err := q.Show(t.Context(), id)
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(r)
		if want := "Received: x\r\n" + text; err != nil || string(b) != want {
			t.Errorf("content of %d octets, want %d, %v", len(b), len(want), err)
		}
		r.Close()
		if got.ID != id || !got.Arrived.Equal(arrived) || got.Account != "ann" || got.From != path("ann@here.example") || got.Size != int64(len(b)) ||
			got.Body != smtp.Body8Bit || got.UTF8 != smtp.UTF8 || got.Ret != smtp.RetFull || got.EnvID != "e1" || got.Held || len(got.Recipients) != 2 {
			t.Errorf("got %+v", got)
		}
		first, second := got.Recipients[0], got.Recipients[1]
		if first.To != path("bob@a.example") || first.Destination != "a.example" || first.State != Waiting || first.Attempts != 1 || first.Server != "mx.example" ||
			first.Reply != (smtp.Reply{Code: 451, Status: "3.0", Text: "Later,\nplease"}) || first.Cause != "why" || !first.Tried.Equal(arrived) ||
			first.Next.Sub(arrived).Round(time.Minute).Minutes() < 4 {
			t.Errorf("first %+v", first)
		}
		if second.Recipient != m.Envelope.Recipients[1] {
			t.Errorf("second %+v", second)
		}
		if n, err := q.Totals(t.Context()); err != nil || n != (Totals{Messages: 1, Recipients: 2, Octets: got.Size}) {
			t.Errorf("totals %+v, %v", n, err)
		}
		if _, _, err := q.Show(t.Context(), "none"); !errors.Is(err, ErrNoMessage) {
			t.Errorf("got %v", err)
		}
		q.Close()
		stop()
	})
}

// A list has the oldest first, in any number, and as a filter says.
func TestList(t *testing.T) {
	s := open(t, config(tempPath(t), &carrier{}))
	defer s.Close()
	var want []string
	for range 2*pageMessages + 10 {
		want = append(want, put(t, s, mail("ann@here.example", "x", "bob@a.example")))
	}
	null := put(t, s, mail("", "x", "cid@b.example", "Bob@a.example"))
	m := mail("ann@here.example", "x", "dan@c.example")
	m.Envelope.Account = "submitter"
	account := put(t, s, m)
	q := openQueue(t, s)
	defer q.Close()
	for _, tt := range []struct {
		filter Filter
		want   []string
	}{
		{Filter{}, slices.Concat(want, []string{null, account})},
		{Filter{Sender: "ANN@here.example"}, slices.Concat(want, []string{account})},
		{Filter{Sender: "<>"}, []string{null}},
		{Filter{Sender: "submitter"}, []string{account}},
		{Filter{Recipient: "bob@A.example"}, slices.Concat(want, []string{null})},
		{Filter{Destination: "b.example"}, []string{null}},
		{Filter{Recipient: "bob@a.example", Destination: "b.example"}, nil},
		{Filter{Sender: "nobody@x"}, nil},
	} {
		if got := list(t, q, tt.filter); !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %d messages, want %d", tt.filter, len(got), len(tt.want))
		}
	}
	for range q.List(t.Context(), Filter{}) { // whoever has seen enough stops
		break
	}
}

// What an operator changes is noticed within a second.
func TestOperate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		answer := later
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			if answer.Positive() {
				return all(m, Relayed, answer), nil
			}
			return all(m, Deferred, answer), nil
		}
		cfg := config(tempPath(t), c)
		cfg.DelayAfter = -1
		s := open(t, cfg)
		stop := run(t, s)
		tried := 0
		expect := func(what string, more int) {
			t.Helper()
			time.Sleep(2 * time.Second)
			synctest.Wait()
			if n := len(c.attempts()); n != tried+more {
				t.Errorf("%s: %d attempts, want %d", what, n-tried, more)
			}
			tried = len(c.attempts())
		}
		a := put(t, s, mail("ann@here.example", "x", "bob@a.example"))
		b := put(t, s, mail("ann@here.example", "x", "bob@b.example"))
		expect("put in", 2)
		operate(t, s, func(q *Queue) (int, error) { return q.Retry(t.Context(), a) })
		expect("retry", 1)
		operate(t, s, func(q *Queue) (int, error) { return q.Hold(t.Context(), a) })
		time.Sleep(time.Hour)
		synctest.Wait()
		for _, one := range c.attempts()[tried:] {
			if one.id == a {
				t.Error("what is held was attempted")
			}
		}
		tried = len(c.attempts())
		operate(t, s, func(q *Queue) (int, error) { return 1, q.Flush(t.Context()) })
		expect("flush", 1)
		operate(t, s, func(q *Queue) (int, error) { return q.Release(t.Context(), a) })
		expect("release", 1)
		operate(t, s, func(q *Queue) (int, error) { return q.Remove(t.Context(), b) })
		answer = smtp.Reply{Code: 250}
		operate(t, s, func(q *Queue) (int, error) { return 1, q.Flush(t.Context()) })
		expect("flush after a removal", 1)
		q := openQueue(t, s)
		for _, do := range []func(context.Context, ...string) (int, error){q.Retry, q.Hold, q.Release, q.Remove} {
			if n, err := do(t.Context(), a, "none"); n != 0 || !errors.Is(err, ErrNoMessage) {
				t.Errorf("of what is not there %d, %v", n, err)
			}
		}
		q.Close()
		empty(t, s)
		stop()
	})
}

// What is removed, or held, while it is being attempted is not attempted again, and nobody is told of it.
func TestOperateInAttempt(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(*Queue, string) (int, error)
		fate Fate
		left int
	}{
		{"removed, deferred", func(q *Queue, id string) (int, error) { return q.Remove(context.Background(), id) }, Deferred, 0},
		{"removed, bounced", func(q *Queue, id string) (int, error) { return q.Remove(context.Background(), id) }, Bounced, 0},
		{"held", func(q *Queue, id string) (int, error) { return q.Hold(context.Background(), id) }, Deferred, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := &carrier{}
				c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
					time.Sleep(time.Minute)
					return all(m, tt.fate, refused), nil
				}
				cfg := config(tempPath(t), c)
				cfg.Concurrency, cfg.DelayAfter = 1, -1
				s := open(t, cfg)
				stop := run(t, s)
				first := put(t, s, mail("ann@here.example", "x", "bob@a.example"))
				second := put(t, s, mail("ann@here.example", "x", "cid@a.example")) // in memory, and not yet attempted
				time.Sleep(30 * time.Second)
				for _, id := range []string{first, second} {
					operate(t, s, func(q *Queue) (int, error) { return tt.do(q, id) })
				}
				time.Sleep(time.Hour)
				synctest.Wait()
				if got := c.calls(); len(got) != 1 {
					t.Errorf("attempts %q", got)
				}
				if n := rows(t, s, "message"); n != 2*tt.left {
					t.Errorf("%d messages are left", n)
				}
				stop()
			})
		})
	}
}

// Somebody who flushes has a destination tried that was left alone, and sees that it was.
func TestFlushRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		down := true
		c.answer = func(_ context.Context, _ string, m *Message) ([]Outcome, error) {
			if down {
				return nil, errors.New("connection refused")
			}
			return all(m, Relayed, smtp.Reply{Code: 250}), nil
		}
		s := open(t, config(tempPath(t), c))
		stop := run(t, s)
		put(t, s, mail("ann@here.example", "x", "bob@a.example"))
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		q := openQueue(t, s)
		list, err := q.Resting(t.Context())
		if err != nil || len(list) != 1 || list[0].Destination != "a.example" || list[0].Failures < 5 || list[0].Cause != "connection refused" || !list[0].Until.After(time.Now()) {
			t.Errorf("resting: %+v, %v", list, err)
		}
		down = false
		if err := q.Flush(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if list, err := q.Resting(t.Context()); err != nil || len(list) != 0 {
			t.Errorf("resting: %+v, %v", list, err)
		}
		q.Close()
		empty(t, s)
		stop()
	})
}
