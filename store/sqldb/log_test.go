package sqldb

import (
	"context"
	"database/sql"
	"os"
	"strings"
	"testing"
)

// Who reads for long sees one state, and keeps the log growing; once he is done it is cut to what it may have.
func TestLongReader(t *testing.T) {
	k := notes(WAL)
	k.LogPages = 16
	db := create(t, tempPath(t), k)
	n, limit := 1, int64(k.LogPages*4096)
	size := func() int64 {
		info, err := os.Stat(db.Path() + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return info.Size()
	}
	more := func() {
		n++
		if err := db.Write(t.Context(), insert(strings.Repeat("x", 10_000))); err != nil {
			t.Fatal(err)
		}
	}
	err := db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		seen := 0
		look := func() error { return conn.QueryRowContext(ctx, "SELECT count(*) FROM notes").Scan(&seen) }
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return err
		}
		defer conn.ExecContext(ctx, "ROLLBACK")
		err := look()
		for err == nil && size() < 3*limit {
			more()
			err = look()
		}
		if seen != 1 {
			t.Errorf("the reader has come to see %d", seen)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 3 { // a checkpoint, a log that begins anew, and a commit in it
		more()
	}
	if size := size(); size > limit {
		t.Errorf("the log still has %d octets, and may have %d", size, limit)
	}
	if got := count(t, db); got != n {
		t.Errorf("%d are there, want %d", got, n)
	}
}
