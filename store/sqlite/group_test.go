//go:build cgo

package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/mattn/go-sqlite3"

	"lmtpd/store"
)

// A group is deliveries that share a transaction, to a mailbox each.
type group struct {
	*Store
	t     *testing.T
	count int // of all that there have been
}

func (g *group) box(n int) store.Mailbox {
	return store.Mailbox{Name: fmt.Sprintf("m%d@example.org", n)}
}

// deliver delivers for as many mailboxes, and returns how each delivery ended. They wait behind a transaction until all are there.
func (g *group) deliver(mailboxes int) []error {
	g.t.Helper()
	w := writerOf(g.t, g.Store)
	entered, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	first := newJob(step{do: func(*tx) error { once.Do(func() { close(entered); <-goOn }); return nil }})
	w.Enqueue(first)
	<-entered
	errs := make([]error, mailboxes)
	var all sync.WaitGroup
	for n := range errs {
		g.count++
		text := fmt.Sprintf("Subject: %d\r\n\r\n", g.count)
		all.Go(func() {
			errs[n] = g.Deliver(g.t.Context(), strings.NewReader(text), []store.Placement{{Mailbox: g.box(n)}})[0]
		})
	}
	for w.Len() < mailboxes {
		runtime.Gosched()
	}
	close(goOn)
	all.Wait()
	return errs
}

// expect says how many messages each mailbox has to have.
func (g *group) expect(what string, want []int) {
	g.t.Helper()
	for n, want := range want {
		if got := texts(g.t, g.Store, g.box(n), ""); len(got) != want {
			g.t.Errorf("%s: mailbox %d has %q, want %d", what, n, got, want)
		}
	}
	sound(g.t, g.Store)
}

// What SQLite itself refuses of one delivery, at whichever row and whether or not it ends the transaction, is not the trouble of
// those that it shares the transaction with.
func TestGroupWithOneRefused(t *testing.T) {
	const size, bad = 8, 5
	for _, on := range []string{
		"INSERT ON mailbox WHEN new.name = 'm5@example.org'",
		"INSERT ON folder WHEN (SELECT name FROM mailbox WHERE id = new.mailbox) = 'm5@example.org'",
		"INSERT ON content WHEN new.subject = '6'",
		"INSERT ON chunk WHEN new.data = CAST('Subject: 6' || char(13, 10, 13, 10) AS BLOB)",
		"INSERT ON copy WHEN (SELECT subject FROM content WHERE id = new.content) = '6'",
		"UPDATE ON folder WHEN (SELECT name FROM mailbox WHERE id = new.mailbox) = 'm5@example.org'",
	} {
		for _, how := range []string{"ABORT", "FAIL", "ROLLBACK"} {
			g := &group{Store: openTemp(t), t: t}
			change(t, g.Store, fmt.Sprintf("CREATE TRIGGER refuse BEFORE %s BEGIN SELECT RAISE(%s, 'refused'); END", on, how))
			what := fmt.Sprint(how, " ", on)
			for n, err := range g.deliver(size) {
				if (err != nil) != (n == bad) || err != nil && !strings.Contains(err.Error(), "refused") {
					t.Errorf("%s: %d: %v", what, n, err)
				}
			}
			g.expect(what, []int{1, 1, 1, 1, 1, 0, 1, 1})
			change(t, g.Store, "DROP TRIGGER refuse")
			if err := errors.Join(g.deliver(size)...); err != nil {
				t.Errorf("%s: after that: %v", what, err)
			}
			g.expect(what, []int{2, 2, 2, 2, 2, 1, 2, 2})
		}
	}
}

// failCommits has SQLite fail so many commits, after some that it lets pass: that of this very change is the first.
func failCommits(t *testing.T, s *Store, after, times int) {
	t.Helper()
	commits := 0
	hook := func() int {
		if commits++; commits > after && commits <= after+times {
			return 1 // and COMMIT is a ROLLBACK
		}
		return 0
	}
	err := writerOf(t, s).db.Write(t.Context(), func(_ context.Context, conn *sql.Conn) error {
		return conn.Raw(func(c any) error {
			c.(*sqlite3.SQLiteConn).RegisterCommitHook(hook)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A commit that fails once fails nobody; one that goes on failing fails all, and nothing of them is there.
func TestGroupCommitFails(t *testing.T) {
	const size, forGood = 8, 1000
	for times, want := range map[int]int{1: 1, 3: 1, forGood: 0} {
		g := &group{Store: openTemp(t), t: t}
		deliver(t, g.Store, "first", ann)
		failCommits(t, g.Store, 2, times) // the second is that which the group waits behind
		delivered := 0
		for n, err := range g.deliver(size) {
			if err == nil {
				delivered++
			}
			if got := len(texts(t, g.Store, g.box(n), "")); (err == nil) != (got == 1) || got > 1 {
				t.Errorf("%d commits fail: mailbox %d: %v, and %d messages are there", times, n, err, got)
			}
		}
		if want == 0 && delivered > 0 || want > 0 && delivered < size-times+1 {
			t.Errorf("%d commits fail: %d were delivered", times, delivered)
		}
		sound(t, g.Store)
		if times == forGood {
			failCommits(t, g.Store, 1, 0)
		}
		deliver(t, g.Store, "last", ann)
	}
}
