package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestWrite(t *testing.T) {
	db := create(t, tempPath(t), notes(WAL))
	wrong := errors.New("wrong")
	fails := func(ctx context.Context, conn *sql.Conn) error { return errors.Join(insert("x")(ctx, conn), wrong) }
	if err := db.Write(t.Context(), fails); !errors.Is(err, wrong) || count(t, db) != 1 {
		t.Errorf("a change that fails: %v", err)
	}
	func() {
		defer func() { recover() }()
		db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
			insert("x")(ctx, conn)
			panic("x")
		})
	}()
	if n := count(t, db); n != 1 {
		t.Errorf("after a panic there are %d", n)
	}
	if err := db.Write(t.Context(), insert("x")); err != nil || count(t, db) != 2 {
		t.Errorf("after that: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ends := func(ctx context.Context, conn *sql.Conn) error { cancel(); return nil }
	if err := db.Write(ctx, ends); !errors.Is(err, context.Canceled) || IsBusy(err) {
		t.Errorf("a context that ends: %v", err)
	}
	if err := db.Write(t.Context(), insert("x")); err != nil || count(t, db) != 3 {
		t.Errorf("after that: %v", err)
	}
}

// Readers cannot write.
func TestReadOnly(t *testing.T) {
	path := tempPath(t)
	db := create(t, path, notes(WAL))
	ro, err := OpenReadOnly(t.Context(), path, notes(WAL))
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	for _, db := range []*DB{db, ro} {
		if err := db.Read(t.Context(), insert("x")); err == nil || IsBusy(err) {
			t.Errorf("a reader has written: %v", err)
		}
	}
	// While a daemon writes, who looks sees what is committed and waits for nobody.
	err = db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		if err := insert("x")(ctx, conn); err != nil {
			return err
		}
		if n := count(t, ro); n != 1 {
			t.Errorf("a reader sees %d", n)
		}
		return nil
	})
	if err != nil || count(t, ro) != 2 {
		t.Errorf("%v, or a reader does not see what is committed", err)
	}
}

// Many write at once, through one DB and through several: nobody is told that it is busy, and nothing is lost.
func TestWritersQueue(t *testing.T) {
	for _, j := range []Journal{WAL, Rollback} {
		path := tempPath(t)
		dbs := []*DB{create(t, path, notes(j)), nil}
		var err error
		if dbs[1], err = Open(t.Context(), path, notes(j)); err != nil {
			t.Fatal(err)
		}
		defer dbs[1].Close()
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if err := dbs[i%2].Write(t.Context(), insert("x")); err != nil {
					t.Error(err)
				}
				count(t, dbs[i%2])
			})
		}
		all.Wait()
		if n := count(t, dbs[0]); n != 21 {
			t.Errorf("%d of 21 are there", n)
		}
	}
}

// Several open a new database at once: its schema is made once.
func TestOpenAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "notes.db")
	if err := makeFile(path); err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			db, err := Open(t.Context(), path, notes(WAL))
			if err != nil || count(t, db) != 1 {
				t.Error(err)
				return
			}
			db.Close()
		})
	}
	all.Wait()
}

// The context ends the waiting for a lock, and both reasons are told.
func TestContextEndsWaiting(t *testing.T) {
	path := tempPath(t)
	db := create(t, path, notes(WAL))
	other, err := Open(t.Context(), path, notes(WAL))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	err = db.Write(t.Context(), func(context.Context, *sql.Conn) error {
		for name, db := range map[string]*DB{"lock": other, "queue": db} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
			defer cancel()
			err := db.Write(ctx, insert("x"))
			if !errors.Is(err, context.DeadlineExceeded) || (name == "lock") != IsBusy(err) {
				t.Errorf("%s: %v", name, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// A commit that finds a reader in its way is tried again until the context ends, and then nothing is changed.
func TestCommitWaits(t *testing.T) {
	db := create(t, tempPath(t), notes(Rollback))
	err := db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		rows, err := conn.QueryContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n LIMIT 9) SELECT i FROM n, notes")
		if err != nil {
			return err
		}
		defer rows.Close()
		rows.Next()
		ctx, cancel := context.WithTimeout(ctx, 3*busyTimeout)
		defer cancel()
		if err := db.Write(ctx, insert("x")); !IsBusy(err) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("with a reader in the way: %v", err)
		}
		return nil
	})
	if n := count(t, db); err != nil || n != 1 {
		t.Errorf("%d are there, %v", n, err)
	}
	if err := db.Write(t.Context(), insert("x")); err != nil || count(t, db) != 2 {
		t.Errorf("after that: %v", err)
	}
}

// A disk that is full is told as such, the change is not there, and the next one finds the database in order.
func TestFull(t *testing.T) {
	db := create(t, tempPath(t), notes(WAL))
	err := db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		if _, err := conn.ExecContext(ctx, "PRAGMA max_page_count = 3"); err != nil {
			return err
		}
		_, err := conn.ExecContext(ctx, "INSERT INTO notes (text) VALUES (hex(zeroblob(100000)))")
		return err
	})
	if !IsFull(err) || IsBusy(err) || IsCorrupt(err) {
		t.Errorf("got %v", err)
	}
	if err := db.Write(t.Context(), insert("x")); err != nil || count(t, db) != 2 {
		t.Errorf("after that: %v", err)
	}
}

func TestChanges(t *testing.T) {
	path := tempPath(t)
	db := create(t, path, notes(WAL))
	other, err := Open(t.Context(), path, notes(WAL))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	last := int64(0)
	for _, tt := range []struct {
		what    string
		by      *DB
		changed bool
	}{{"nothing known", nil, true}, {"nothing", nil, false}, {"own", db, false}, {"another's", other, true}, {"nothing more", nil, false}} {
		if tt.by != nil {
			if err := tt.by.Write(t.Context(), insert("x")); err != nil {
				t.Fatal(err)
			}
		}
		n, err := db.Changes(t.Context())
		if err != nil || (n != last) != tt.changed {
			t.Errorf("%s: %d after %d, %v", tt.what, n, last, err)
		}
		last = n
	}
}
