package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"testing"
	"time"
)

// logPages says how many pages of the log have not been written over, and how many of them are in the file, after a
// checkpoint.
func logPages(t *testing.T, s *Store) (pages, done int) {
	t.Helper()
	err := writerOf(t, s).db.Write(t.Context(), func(context.Context, *sql.Conn) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite3", s.template.Root())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	var busy int
	if err := db.QueryRow("PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &done); err != nil {
		t.Fatal(err)
	}
	return pages, done
}

// When all of a log is in the file, it is begun anew; what came meanwhile is for the next who leads.
func TestCheckpoints(t *testing.T) {
	s := openTemp(t)
	c := writerOf(t, s).checkpointer
	c.after = time.Hour
	for i := range 50 {
		deliver(t, s, fmt.Sprint("message ", i), ann)
	}
	many, _ := logPages(t, s)
	c.bringIn()
	if c.last.Load() || c.logged.Load() != 0 {
		t.Errorf("after all is in the file, %d octets are said to be left", c.logged.Load())
	}
	deliver(t, s, "one", ann)
	if few, _ := logPages(t, s); few >= many/10 {
		t.Errorf("the log has %d pages, and had %d: it was not begun anew", few, many)
	}
	c.last.Store(true) // as if it had been written to without a break
	deliver(t, s, "two", ann)
	deliver(t, s, "three", ann)
	if pages, _ := logPages(t, s); c.last.Load() || pages > 40 {
		t.Errorf("the log has %d pages: who led has not brought it in", pages)
	}
	if n := len(texts(t, s, ann, "")); n != 53 {
		t.Errorf("%d messages, want 53", n)
	}
	sound(t, s)
}

// A log that was large is given back to the disk, but not while somebody reads.
func TestCutLog(t *testing.T) {
	s := openTemp(t)
	w := writerOf(t, s)
	deliver(t, s, "one", ann)
	size := func() int64 {
		info, err := os.Stat(s.template.Root() + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	before := size()
	if err := w.db.CutLog(t.Context(), before); err != nil || size() != before {
		t.Errorf("a log of %d octets that may have as many has %d, %v", before, size(), err)
	}
	if err := w.db.CutLog(t.Context(), before-1); err != nil || size() != 0 {
		t.Errorf("a log that has more than it may has %d octets still, %v", size(), err)
	}
	deliver(t, s, "two", ann)
	err := w.db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		var n int
		if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM copy").Scan(&n); err != nil {
			return err
		}
		deliver(t, s, "three", ann)
		if err := w.db.CutLog(ctx, 0); err != nil || size() == 0 {
			t.Errorf("under the eyes of a reader the log has %d octets, %v", size(), err)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if n := len(texts(t, s, ann, "")); n != 3 {
		t.Errorf("%d messages, want 3", n)
	}
}
