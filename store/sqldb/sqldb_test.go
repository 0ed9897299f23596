package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// notes is a kind of database for tests; its second schema has one more column.
func notes(j Journal) Kind {
	return Kind{Name: "notes", ApplicationID: 0x1234, Journal: j, Steps: []string{
		"CREATE TABLE notes (text TEXT NOT NULL) STRICT; INSERT INTO notes VALUES ('first')",
		"ALTER TABLE notes ADD COLUMN stars INTEGER NOT NULL DEFAULT 3",
	}}
}

func create(t testing.TB, path string, k Kind) *DB {
	t.Helper()
	db, err := Create(t.Context(), path, k)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func tempPath(t testing.TB) string { return filepath.Join(t.TempDir(), "notes.db") }

// insert is a change that adds a note.
func insert(text string) func(context.Context, *sql.Conn) error {
	return func(ctx context.Context, conn *sql.Conn) error {
		_, err := conn.ExecContext(ctx, "INSERT INTO notes (text) VALUES (?)", text)
		return err
	}
}

func count(t testing.TB, db *DB) (n int) {
	t.Helper()
	err := db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, "SELECT count(*) FROM notes WHERE stars = 3").Scan(&n)
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// pragma asks a connection for a setting.
func pragma(t testing.TB, pool *sql.DB, name string) (value string) {
	t.Helper()
	if err := pool.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&value); err != nil {
		t.Fatal(err)
	}
	return value
}

func TestSettings(t *testing.T) {
	for _, tt := range []struct {
		journal           Journal
		synchronous, mode string
	}{
		{WAL, "2", "wal"},
		{Rollback, "3", "delete"},
	} {
		db := create(t, tempPath(t), notes(tt.journal))
		for name, want := range map[string]string{
			"synchronous": tt.synchronous, "journal_mode": tt.mode, "foreign_keys": "1", "trusted_schema": "0",
			"application_id": "4660", "user_version": "2", "busy_timeout": "100",
		} {
			if got := pragma(t, db.writer, name); got != want {
				t.Errorf("%s is %s, want %s", name, got, want)
			}
		}
		if got := pragma(t, db.readers, "query_only"); got != "1" {
			t.Errorf("readers may write: query_only is %s", got)
		}
	}
}

// A setting that SQLite does not take is an error, and not found out by a power cut.
func TestSettingRefused(t *testing.T) {
	conn, err := (&connector{}).Driver().Open(":memory:")
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	c := &connector{kind: notes(WAL), access: forWriting}
	if _, err := ask(conn, "PRAGMA busy_timeout = 100"); err != nil {
		t.Fatal(err)
	}
	if err := c.configure(conn); err == nil || !strings.Contains(err.Error(), "journal_mode is memory") {
		t.Errorf("a database without a log: %v", err)
	}
}

// Any name that a file can have is that of the database, which is for its owner alone.
func TestNames(t *testing.T) {
	for _, name := range []string{"a?b=c&mode=memory", "a#b", "a%41", "a b", ":memory:", "file:x", "-", "\xff\n", "ä", "a'b\"", "+", "a\\b", "a;b"} {
		dir := t.TempDir()
		db := create(t, filepath.Join(dir, name), notes(WAL))
		if err := db.Close(); err != nil {
			t.Error(err)
		}
		entries, err := os.ReadDir(dir)
		if err != nil || len(entries) != 1 || entries[0].Name() != name {
			t.Errorf("%q has become %v, %v", name, entries, err)
			continue
		}
		if info, err := entries[0].Info(); err != nil || info.Mode() != 0o600 {
			t.Errorf("%q has mode %v, %v", name, info.Mode(), err)
		}
	}
}

// FuzzNames: a path comes out of its URI as it went in, and no settings come with it.
func FuzzNames(f *testing.F) {
	f.Add("a?b#c%d e&mode=memory")
	f.Add("\xff\x01+")
	f.Fuzz(func(t *testing.T, name string) {
		if strings.ContainsAny(name, "/\x00") || name == "" || name == "." || name == ".." || len(name) > 200 {
			return
		}
		path := filepath.Join(t.TempDir(), name)
		db := create(t, path, Kind{Name: "fuzz", ApplicationID: 1, Journal: Rollback})
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Fatalf("%q: %v", name, err)
		}
		if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) != 1 {
			t.Fatalf("%q has become %v, %v", name, entries, err)
		}
	})
}

func TestCreateTwice(t *testing.T) {
	path := tempPath(t)
	create(t, path, notes(WAL))
	if _, err := Create(t.Context(), path, notes(WAL)); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made twice: %v", err)
	}
	if db, err := Open(t.Context(), path, notes(WAL)); err != nil || count(t, db) != 1 || db.Close() != nil {
		t.Errorf("after that: %v", err)
	}
}

// A database that cannot be made leaves no file.
func TestCreateFails(t *testing.T) {
	path := tempPath(t)
	k := notes(WAL)
	k.Steps = append(k.Steps, "no SQL")
	if _, err := Create(t.Context(), path, k); err == nil || !strings.Contains(err.Error(), "make schema 3") {
		t.Errorf("got %v", err)
	}
	if entries, err := os.ReadDir(filepath.Dir(path)); err != nil || len(entries) > 0 {
		t.Errorf("left %v, %v", entries, err)
	}
}

// What cannot be a database of ours is refused with the reason, for writing and for reading, and stays as it is.
func TestOpenRefuses(t *testing.T) {
	foreign := func(path string) error {
		raw, err := sql.Open("sqlite3", path)
		if err == nil {
			_, err = raw.Exec("CREATE TABLE t (x)")
		}
		return errors.Join(err, raw.Close())
	}
	of := func(k Kind) func(string) error {
		return func(path string) error {
			db, err := Create(t.Context(), path, k)
			if err != nil {
				return err
			}
			return db.Close()
		}
	}
	other, newer := notes(WAL), notes(WAL)
	other.ApplicationID++
	newer.Steps = append(newer.Steps, "SELECT 1")
	for name, tt := range map[string]struct {
		set  func(path string) error
		want string
	}{
		"a directory":       {func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
		"a FIFO":            {func(path string) error { return unix.Mkfifo(path, 0o600) }, "not a regular file"},
		"nothing":           {func(string) error { return nil }, "no such file"},
		"a dangling link":   {func(path string) error { return os.Symlink("nowhere", path) }, "no such file"},
		"text":              {func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("no database\n", 99)), 0o600) }, "is not an SQLite database"},
		"another program's": {foreign, "another program's"},
		"another kind":      {of(other), "its application_id is 0x00001235, not 0x00001234"},
		"a newer schema":    {of(newer), "its schema 3 is newer than 2"},
		"damage": {func(path string) error {
			return errors.Join(of(notes(WAL))(path), overwrite(path, 100, strings.Repeat("\xff", 3000)))
		}, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			path := tempPath(t)
			if err := tt.set(path); err != nil {
				t.Fatal(err)
			}
			before, _ := os.ReadFile(readable(path))
			_, err := Open(t.Context(), path, notes(WAL))
			_, readErr := OpenReadOnly(t.Context(), path, notes(WAL))
			for _, err := range []error{err, readErr} {
				if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "notes") {
					t.Errorf("%v; want %q", err, tt.want)
				}
			}
			if after, _ := os.ReadFile(readable(path)); string(after) != string(before) {
				t.Error("the file was changed")
			}
		})
	}
}

// readable is path unless reading it would hang.
func readable(path string) string {
	if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
		return os.DevNull
	}
	return path
}

func overwrite(path string, at int64, text string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.WriteAt([]byte(text), at)
	return errors.Join(err, f.Close())
}

// An empty file is a new database for who may write, and none for who may not.
func TestEmptyFile(t *testing.T) {
	path := tempPath(t)
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := OpenReadOnly(t.Context(), path, notes(WAL)); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("to read: %v", err)
	}
	db, err := Open(t.Context(), path, notes(WAL))
	if err != nil || count(t, db) != 1 {
		t.Errorf("to write: %v", err)
	}
	db.Close()
}

// An older schema is led to the present one, with what is in it, but not by who only reads.
func TestMigration(t *testing.T) {
	path, old := tempPath(t), notes(WAL)
	old.Steps = old.Steps[:1]
	create(t, path, old).Close()
	if _, err := OpenReadOnly(t.Context(), path, notes(WAL)); err == nil || !strings.Contains(err.Error(), "older than 2") {
		t.Errorf("to read: %v", err)
	}
	broken := notes(WAL)
	broken.Steps = append(broken.Steps, "CREATE TABLE more (x); no SQL")
	if _, err := Open(t.Context(), path, broken); err == nil {
		t.Error("a step that fails is taken")
	}
	if _, err := OpenReadOnly(t.Context(), path, old); err != nil {
		t.Errorf("after a step failed: %v", err)
	}
	db, err := Open(t.Context(), path, notes(WAL))
	if err != nil || count(t, db) != 1 {
		t.Fatalf("to write: %v", err)
	}
	db.Close()
	if db, err = OpenReadOnly(t.Context(), path, notes(WAL)); err != nil || count(t, db) != 1 {
		t.Errorf("to read after that: %v", err)
	}
	db.Close()
}

// A file by another name through a link is the file, journal and all.
func TestLink(t *testing.T) {
	path := tempPath(t)
	create(t, path, notes(WAL)).Close()
	link := filepath.Join(t.TempDir(), "link")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	db, err := Open(t.Context(), link, notes(WAL))
	if err != nil || db.Path() != path {
		t.Fatalf("%v, %v", db, err)
	}
	defer db.Close()
	if err := db.Write(t.Context(), insert("x")); err != nil || count(t, db) != 2 {
		t.Error(err)
	}
}
