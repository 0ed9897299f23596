package sqlite

import (
	"context"
	"database/sql"
	"os"
	"testing"
)

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
