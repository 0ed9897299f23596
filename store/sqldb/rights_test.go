package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// cutOff makes a database in which a change was cut off in mid-commit, as by a power cut.
func cutOff(t *testing.T) (path string) {
	db := create(t, tempPath(t), notes(Rollback))
	path = filepath.Join(publicDir(t), "notes.db")
	err := db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		// More than the cache holds is written to the file before the commit.
		_, err := conn.ExecContext(ctx, "PRAGMA cache_size = 2; UPDATE notes SET text = ''; INSERT INTO notes (text) SELECT hex(zeroblob(9999)) FROM json_each('[1,2,3,4,5,6,7,8,9]')")
		if err != nil {
			return err
		}
		for _, suffix := range []string{"", "-journal"} {
			octets, err := os.ReadFile(db.Path() + suffix)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+suffix, octets, 0o644); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// publicDir is a directory that others may look into.
func publicDir(t *testing.T) string {
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(dir, 0o755), os.Chmod(filepath.Dir(dir), 0o755)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A change that was cut off is rolled back by the next who comes, if he only reads, too.
func TestCutOff(t *testing.T) {
	for name, open := range map[string]func(context.Context, string, Kind) (*DB, error){"write": Open, "read": OpenReadOnly} {
		path := cutOff(t)
		db, err := open(t.Context(), path, notes(Rollback))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if n := count(t, db); n != 1 || db.Close() != nil {
			t.Errorf("%s: there are %d", name, n)
		}
		if _, err := os.Stat(path + "-journal"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%s: the journal is still there: %v", name, err)
		}
	}
}

// Whose rights do not suffice is told which do not. Root's always do, so somebody else tries.
func TestRights(t *testing.T) {
	fresh := func(j Journal) string {
		path := filepath.Join(publicDir(t), "notes.db")
		if err := errors.Join(create(t, path, notes(j)).Close(), os.Chmod(path, 0o644)); err != nil {
			t.Fatal(err)
		}
		return path
	}
	secret, alone := fresh(Rollback), fresh(Rollback)
	if err := errors.Join(os.Chmod(secret, 0), os.Chmod(alone, 0o666), os.Chmod(filepath.Dir(alone), 0o555)); err != nil {
		t.Fatal(err)
	}
	cut := cutOff(t)
	if err := os.Chmod(filepath.Dir(cut), 0o555); err != nil {
		t.Fatal(err)
	}
	wal := fresh(WAL)
	if err := os.Chmod(filepath.Dir(wal), 0o555); err != nil {
		t.Fatal(err)
	}
	readOnly := fresh(Rollback)
	if err := os.Chmod(readOnly, 0o444); err != nil {
		t.Fatal(err)
	}
	program := copyTest(t)
	for _, tt := range []struct{ how, path, want string }{
		{"read", readOnly, "fine"},
		{"read", alone, "fine"},
		{"read", secret, "read " + secret + ": permission denied"},
		{"read", cut, "a change was cut off, and cannot be rolled back"},
		{"read", wal, "who reads it must be able to write to its directory"},
		{"write", readOnly, "write " + readOnly + ": permission denied"},
		{"write", alone, "the journal could not be made beside the file: write " + filepath.Dir(alone) + ": permission denied"},
		{"create", filepath.Join(filepath.Dir(alone), "new"), "permission denied"},
	} {
		if out := asNobody(t, program, tt.how+" "+tt.path); !strings.Contains(out, tt.want) {
			t.Errorf("%s %s: %s; want %q", tt.how, tt.path, out, tt.want)
		}
	}
}

// copyTest copies the program of these tests, for where it was built others may not look.
func copyTest(t *testing.T) string {
	t.Helper()
	program := filepath.Join(publicDir(t), "test")
	octets, err := os.ReadFile(os.Args[0])
	if err == nil {
		err = os.WriteFile(program, octets, 0o755)
	}
	if err != nil {
		t.Fatal(err)
	}
	return program
}

// asNobody has somebody without rights open a database, and returns what comes of it.
func asNobody(t *testing.T, program, what string) string {
	t.Helper()
	cmd := exec.Command(program, "-test.run", "^TestNobody$", "-test.v")
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0", "LMTPD_TEST_NOBODY="+what)
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestNobody is what somebody without rights does; by itself it is nothing.
func TestNobody(t *testing.T) {
	how, path, asked := strings.Cut(os.Getenv("LMTPD_TEST_NOBODY"), " ")
	if !asked {
		t.Skip("only run by other tests")
	}
	open := map[string]func(context.Context, string, Kind) (*DB, error){"read": OpenReadOnly, "write": Open, "create": Create}[how]
	kind := notes(Rollback)
	db, err := open(t.Context(), path, kind)
	if err != nil {
		t.Log(err)
		return
	}
	t.Log("fine", count(t, db), db.Close())
}
