package sqldb

import (
	"context"
	"database/sql"
	"log/slog"
	"testing"
	"time"
)

// logPages says how many pages of the log have not been written over, after a checkpoint.
func logPages(t *testing.T, db *DB) (pages int) {
	t.Helper()
	err := db.keep(t.Context(), func(conn *sql.Conn) error {
		var busy, done int
		return conn.QueryRowContext(t.Context(), "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &done)
	})
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

// When all of a log is in the file, it is begun anew; what came meanwhile is for the next who leads.
func TestCheckpoints(t *testing.T) {
	k := notes(WAL)
	k.LogPages = LogOctets / 4096
	db := create(t, tempPath(t), k)
	c := NewCheckpointer(db, slog.New(slog.DiscardHandler))
	defer c.Stop()
	c.after = time.Hour
	write := func(text string) {
		t.Helper()
		c.BringInRest()
		if err := db.Write(t.Context(), insert(text)); err != nil {
			t.Fatal(err)
		}
		c.Count(4096)
	}
	for range 50 {
		write("x")
	}
	many := logPages(t, db)
	c.bringIn()
	if c.last.Load() || c.logged.Load() != 0 {
		t.Errorf("after all is in the file, %d octets are said to be left", c.logged.Load())
	}
	write("one")
	if few := logPages(t, db); few >= many/10 {
		t.Errorf("the log has %d pages, and had %d: it was not begun anew", few, many)
	}
	c.last.Store(true) // as if it had been written to without a break
	write("two")
	write("three")
	if pages := logPages(t, db); c.last.Load() || pages > 4 {
		t.Errorf("the log has %d pages: who led has not brought it in", pages)
	}
	if n := count(t, db); n != 54 {
		t.Errorf("%d notes, want 54", n)
	}
}

// A log that grows since nothing comes to rest is brought in all the same, and somebody who reads is no mistake.
func TestCheckpointBesideReader(t *testing.T) {
	k := notes(WAL)
	k.LogPages = LogOctets / 4096
	db := create(t, tempPath(t), k)
	c := NewCheckpointer(db, slog.New(slog.DiscardHandler))
	defer c.Stop()
	err := db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
			return err
		}
		defer conn.ExecContext(context.WithoutCancel(ctx), "ROLLBACK")
		var n int
		if err := conn.QueryRowContext(ctx, "SELECT count(*) FROM notes").Scan(&n); err != nil {
			return err
		}
		if err := db.Write(ctx, insert("x")); err != nil {
			return err
		}
		return c.Checkpoint(ctx)
	})
	if err != nil {
		t.Error(err)
	}
}
