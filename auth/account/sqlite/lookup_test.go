package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lmtpd/auth/account"
)

// open opens a database of accounts of these names.
func open(t testing.TB, path string) *Source {
	t.Helper()
	s, err := Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// finds checks which account a name has; "" is none.
func finds(t *testing.T, s *Source, name, want string) {
	t.Helper()
	a, err := s.Lookup(t.Context(), name)
	if want == "" && !errors.Is(err, account.ErrNotFound) || want != "" && (err != nil || a.Name != want) {
		t.Errorf("%q is %q, %v; want %q", name, a.Name, err, want)
	}
}

func TestLookup(t *testing.T) {
	s := open(t, newAccounts(t, "ann@example.org", "ann", "bob", "Zoé@example.org"))
	for name, want := range map[string]string{
		"ann@example.org": "ann@example.org",
		"ANN@Example.org": "ann@example.org",
		"ann@example.net": "ann",
		"ann":             "ann",
		"Bob@example.org": "bob",
		"zoé@example.org": "zoé@example.org",
		"ZOÉ@example.org": "", // only A to Z are folded
		"eve@example.org": "",
		`"bob@x"@y`:       "",
		"bob@x@y":         "",
		"@example.org":    "",
		"":                "",
		"%":               "",
		"b_b":             "",
		"' OR 1 = 1 --":   "",
		"bob\x00":         "",
	} {
		finds(t, s, name, want)
	}
}

// FuzzLookup: what is no account's name is nobody, and never in doubt.
func FuzzLookup(f *testing.F) {
	s := open(f, newAccounts(f, "ann@example.org", "bob"))
	for _, name := range []string{"ann@example.org", "bob@x", "BOB", "a\x00", "\xff@\xfe", "'", `"a@b"@c`} {
		f.Add(name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		a, err := s.Lookup(t.Context(), name)
		if err != nil && !errors.Is(err, account.ErrNotFound) {
			t.Fatalf("%q: %v", name, err)
		}
		folded := account.Fold(name)
		local, _ := account.LocalPart(folded)
		if (err == nil) != (folded == "ann@example.org" || folded == "bob" || local == "bob") {
			t.Fatalf("%q is %+v, %v", name, a, err)
		}
	})
}

// What another process commits counts from then on.
func TestChangesAreSeen(t *testing.T) {
	path := newAccounts(t, "ann")
	s := open(t, path)
	finds(t, s, "bob", "")
	child(t, "add", path, "bob")
	finds(t, s, "bob", "bob")
	child(t, "remove", path, "bob")
	finds(t, s, "bob", "")
}

// Several processes and goroutines edit at once, and nothing is lost.
func TestEditAtOnce(t *testing.T) {
	path := newAccounts(t)
	var all sync.WaitGroup
	for i := range 3 {
		all.Go(func() { child(t, "add", path, fmt.Sprint("child", i)) })
		all.Go(func() {
			if err := Edit(path, func(d *Draft) error { return d.Add(bare(fmt.Sprint("own", i))) }); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got, err := List(path)
	if err != nil || len(got) != 6 {
		t.Errorf("there are %+v, %v", got, err)
	}
}

// child has another process change a database.
func child(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run", "^TestChild$")
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "LMTPD_TEST_CHILD="+strings.Join(args, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v: %v\n%s", args, err, out)
	}
}

// TestChild is what another process does; by itself it is nothing.
func TestChild(t *testing.T) {
	args := strings.Split(os.Getenv("LMTPD_TEST_CHILD"), "\n")
	if len(args) != 3 {
		t.Skip("only run by other tests")
	}
	change(t, args[1], func(d *Draft) error {
		if args[0] == "remove" {
			return d.Remove(args[2])
		}
		return d.Add(bare(args[2]))
	})
}

// sqlExec runs SQL as somebody with a shell of SQLite would.
func sqlExec(t *testing.T, path, text string) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err == nil {
		_, err = db.Exec(text)
		err = errors.Join(err, db.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A lock that somebody holds puts lookups in doubt, for no longer than their context lasts.
func TestLocked(t *testing.T) {
	path := newAccounts(t, "ann")
	s := open(t, path)
	finds(t, s, "ann", "ann")
	other, err := sql.Open("sqlite3", path+"?_txlock=exclusive")
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	tx, err := other.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} {
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		_, err = s.Lookup(ctx, name)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, account.ErrNotFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	finds(t, s, "bob", "")
}

func TestContextEnded(t *testing.T) {
	s := open(t, newAccounts(t, "ann"))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Lookup(ctx, "bob"); !errors.Is(err, context.Canceled) || errors.Is(err, account.ErrNotFound) {
		t.Errorf("got %v", err)
	}
}

// The schema keeps out what is no account, whoever writes it.
func TestSchema(t *testing.T) {
	db, err := sql.Open("sqlite3", newAccounts(t, "ann"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, values := range []string{
		"(name) VALUES ('ann')", "(name) VALUES ('Bob')", "(name) VALUES ('')", "(name) VALUES (NULL)", "(name) VALUES ('a b')",
		"(name) VALUES ('a:b')", "(name) VALUES (x'00')", "(name, uid) VALUES ('b', 0)", "(name, gid) VALUES ('b', 4294967295)",
		"(name, uid) VALUES ('b', 'x')", "(name, quota_octets) VALUES ('b', -2)", "(name, nologin) VALUES ('b', 2)",
		"(name, home) VALUES ('b', NULL)",
	} {
		if _, err := db.Exec("INSERT INTO accounts " + values); err == nil {
			t.Errorf("%s is taken", values)
		}
	}
	if _, err := db.Exec("INSERT INTO accounts (name) VALUES ('b@example.org')"); err != nil {
		t.Error(err)
	}
}

// A row that was written around the schema puts its account in doubt, and no other.
func TestBadRow(t *testing.T) {
	path := newAccounts(t, "ann", "bob")
	sqlExec(t, path, "UPDATE accounts SET home = '/a' || char(10) WHERE name = 'ann'")
	s := open(t, path)
	if _, err := s.Lookup(t.Context(), "ann"); err == nil || errors.Is(err, account.ErrNotFound) || !strings.Contains(err.Error(), "control character") {
		t.Errorf("got %v", err)
	}
	finds(t, s, "bob", "bob")
	if _, err := List(path); err == nil {
		t.Error("it is listed")
	}
}

// A table that is gone, or a file that is, is doubt; a file put in its place is opened.
func TestReplaced(t *testing.T) {
	path, other := newAccounts(t, "ann"), newAccounts(t, "bob")
	s := open(t, path)
	if err := os.Rename(path, path+".old"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "bob"} {
		if _, err := s.Lookup(t.Context(), name); !errors.Is(err, os.ErrNotExist) || errors.Is(err, account.ErrNotFound) {
			t.Errorf("without a file, %s: %v", name, err)
		}
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	finds(t, s, "bob", "bob")
	finds(t, s, "ann", "")
	sqlExec(t, path, "DROP TABLE accounts")
	if _, err := s.Lookup(t.Context(), "bob"); err == nil || errors.Is(err, account.ErrNotFound) {
		t.Errorf("without a table: %v", err)
	}
}

// Nobody waits longer than he may for a file that somebody else cannot open, and the next one tries again.
func TestOpenHangs(t *testing.T) {
	path, other := newAccounts(t, "ann"), newAccounts(t, "bob")
	s := open(t, path)
	begun := make(chan struct{})
	s.open = func(ctx context.Context, _ string) (*database, error) {
		close(begun)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	ctx, giveUp := context.WithCancel(t.Context())
	hung := make(chan error, 1)
	go func() {
		_, err := s.Lookup(ctx, "bob")
		hung <- err
	}()
	<-begun
	short, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	for _, name := range []string{"ann", "bob", "carl"} {
		if _, err := s.Lookup(short, name); !errors.Is(err, context.DeadlineExceeded) || errors.Is(err, account.ErrNotFound) {
			t.Errorf("meanwhile %s: %v", name, err)
		}
	}
	giveUp()
	if err := <-hung; !errors.Is(err, context.Canceled) || errors.Is(err, account.ErrNotFound) {
		t.Errorf("the one that opens: %v", err)
	}
	s.open = openDatabase
	finds(t, s, "bob", "bob")
	finds(t, s, "ann", "")
}

// A lookup that hangs in the old file keeps nobody from the new one, and the old one open.
func TestLookupHangs(t *testing.T) {
	path, other := newAccounts(t, "ann"), newAccounts(t, "bob")
	s := open(t, path)
	old := s.borrow()
	if err := os.Rename(other, path); err != nil {
		t.Fatal(err)
	}
	finds(t, s, "bob", "bob")
	look := func() error {
		return old.Read(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
			_, err := scan(conn.QueryRowContext(ctx, selectOne, "ann"))
			return err
		})
	}
	if err := look(); err != nil {
		t.Errorf("the old file: %v", err)
	}
	if err := s.giveBack(old); err != nil {
		t.Error(err)
	}
	if err := look(); err == nil {
		t.Error("the old file stays open")
	}
}

// Lookups go on, and none is in doubt, while accounts are edited and while the file is replaced.
func TestLookupsMeanwhile(t *testing.T) {
	path := newAccounts(t, "ann")
	var next []string
	for range 20 {
		next = append(next, newAccounts(t, "ann"))
	}
	s := open(t, path)
	for name, step := range map[string]func(int) error{
		"edited": func(i int) error {
			return Edit(path, func(d *Draft) error { return d.Add(bare(fmt.Sprint("new", i))) })
		},
		"replaced": func(i int) error { return os.Rename(next[i], path) },
	} {
		t.Run(name, func(t *testing.T) {
			var all sync.WaitGroup
			defer all.Wait()
			done := make(chan struct{})
			defer close(done)
			for range 4 {
				all.Go(func() {
					for !isClosed(done) {
						finds(t, s, "ann@example.org", "ann")
					}
				})
			}
			for i := range next {
				if err := step(i); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func isClosed(done <-chan struct{}) bool {
	select {
	case <-done:
		return true
	default:
		return false
	}
}

// Another program's database is refused, and so is what is none.
func TestForeign(t *testing.T) {
	path := filepath.Join(t.TempDir(), "other.db")
	sqlExec(t, path, "CREATE TABLE accounts (name TEXT)")
	_, err := Open(t.Context(), path)
	if err == nil || !strings.Contains(err.Error(), "another program's") {
		t.Errorf("to look up: %v", err)
	}
	if err := Edit(path, func(*Draft) error { return nil }); err == nil || !strings.Contains(err.Error(), "another program's") {
		t.Errorf("to edit: %v", err)
	}
}
