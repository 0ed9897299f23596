package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/sqldb"
)

// tryOpen opens the store of a path.
func tryOpen(t *testing.T, path string) error {
	t.Helper()
	template, err := store.ParseShared(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Template: template})
	if err == nil {
		t.Cleanup(func() { s.Close() })
	}
	return err
}

// What cannot be the database is told at the start.
func TestOpenRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(path string) error
		want string
	}{
		"directory": {func(path string) error { return os.Mkdir(path, 0o700) }, "is a directory"},
		"text":      {func(path string) error { return os.WriteFile(path, []byte(strings.Repeat("x", 5000)), 0o600) }, "not an SQLite database"},
		"another program's": {func(path string) error {
			db, err := sqldb.Create(context.Background(), path, sqldb.Kind{Name: "x", ApplicationID: 1, Steps: []string{"CREATE TABLE t (x)"}})
			return errors.Join(err, db.Close())
		}, "another program's"},
		"newer": {func(path string) error {
			k := kind()
			k.Steps = append(k.Steps, "SELECT 1")
			db, err := sqldb.Create(context.Background(), path, k)
			return errors.Join(err, db.Close())
		}, "newer than"},
		"damaged": {func(path string) error {
			if err := tryOpen(t, path); err != nil {
				return err
			}
			f, err := os.OpenFile(path, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte(strings.Repeat("\xff", 8000)), 100)
			}
			return errors.Join(err, f.Close())
		}, "put a backup in its place"},
		"file above": {func(path string) error {
			return errors.Join(os.Remove(filepath.Dir(path)), os.WriteFile(filepath.Dir(path), nil, 0o600))
		}, "not a directory"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "sub", "mail.db")
			if err := errors.Join(os.Mkdir(filepath.Dir(path), 0o700), tt.set(path)); err != nil {
				t.Fatal(err)
			}
			if name == "damaged" { // what is open has it in memory
				path = copyFile(t, path)
			}
			if err := tryOpen(t, path); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %q", err, tt.want)
			}
		})
	}
}

func copyFile(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(to, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return to
}

// The directories above are made, for their owner alone, and a link to the file is the file.
func TestOpenMakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b", "mail.db")
	if err := tryOpen(t, path); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(t.TempDir(), "link.db")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	if err := tryOpen(t, link); err != nil {
		t.Error(err)
	}
	for file, mode := range map[string]os.FileMode{path: 0o600, filepath.Dir(path): os.ModeDir | 0o700} {
		if info, err := os.Stat(file); err != nil || info.Mode() != mode {
			t.Errorf("%s: %v, %v", file, info, err)
		}
	}
}

// Names of SQL's and octets of every kind are values, and headers of any size are mail.
func TestHostile(t *testing.T) {
	s := openTemp(t)
	for _, m := range []string{"'; DROP TABLE copy; --@example.org", "%@example.org", `"a b"@example.org`, "ann@example.org\u202e", "_@x"} {
		folder := m + `'"%_[*]?`
		deliver(t, s, "x\r\n", store.Mailbox{Name: m})
		errs := s.Deliver(t.Context(), strings.NewReader("y\r\n"), []store.Placement{{Mailbox: store.Mailbox{Name: m}, Folder: folder}})
		if errs[0] != nil || len(texts(t, s, store.Mailbox{Name: m}, folder)) != 1 || len(texts(t, s, store.Mailbox{Name: m}, "")) != 1 {
			t.Errorf("%q: %v", m, errs[0])
		}
	}
	for name, text := range map[string]string{
		"10 MB header":   "Subject: " + strings.Repeat("x\r\n ", 10<<20/4) + "\r\n\r\nx\r\n",
		"100,000 fields": strings.Repeat("X: y\r\n", 100_000) + "\r\nx\r\n",
		"NULs":           "Subject: a\x00b\r\nFrom: \x00\r\n\r\n" + strings.Repeat("\x00", 100_000),
		"every octet":    strings.Repeat(octets(), 1000),
		"a chunk":        strings.Repeat("c", chunkSize),
		"a chunk and 1":  strings.Repeat("c", chunkSize+1),
		"whole":          strings.Repeat("w", maxWhole),
		"whole and 1":    strings.Repeat("w", maxWhole+1),
	} {
		m := store.Mailbox{Name: strings.ReplaceAll(name, " ", "-") + "@hostile.example"}
		deliver(t, s, text, m)
		if got := texts(t, s, m, ""); len(got) != 1 || got[0] != text {
			t.Errorf("%s came back as something else", name)
		}
		if got := whole(t, s, m); got != text {
			t.Errorf("%s is something else in the view", name)
		}
	}
	sound(t, s)
}

func octets() string {
	b := make([]byte, 256)
	for i := range b {
		b[i] = byte(i)
	}
	return string(b)
}

// whole reads the newest message of a mailbox through the views.
func whole(t *testing.T, s *Store, m store.Mailbox) string {
	t.Helper()
	var b []byte
	err := query(t, s, "SELECT message FROM messages JOIN whole USING (id) WHERE mailbox = ? ORDER BY id DESC LIMIT 1", []any{m.Name}, &b)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// query reads one row as another program would.
func query(t *testing.T, s *Store, query string, args []any, into ...any) error {
	t.Helper()
	db, err := sqldb.OpenReadOnly(t.Context(), s.template.Root(), kind())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	return db.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, query, args...).Scan(into...)
	})
}
