package main_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store/sqldb"
)

// What cannot be the database, or cannot be written, ends the daemon at its start, with the path and what is wrong.
func TestDatabaseRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		set  func(t *testing.T, file string) error
		want string
	}{
		"directory": {func(t *testing.T, file string) error { return os.Mkdir(file, 0o755) }, "is a directory"},
		"text": {func(t *testing.T, file string) error {
			writeFile(t, file, strings.Repeat("x", 5000))
			chownMail(t, file)
			return nil
		}, "not an SQLite database"},
		"another program's": {func(t *testing.T, file string) error {
			db, err := sqldb.Create(t.Context(), file, sqldb.Kind{Name: "x", ApplicationID: 1, Steps: []string{"CREATE TABLE t (x)"}})
			chownMail(t, file)
			return errors.Join(err, db.Close())
		}, "another program's"},
		"newer": {func(t *testing.T, file string) error {
			own(t, file)
			database{file: file}.execute(t, "PRAGMA user_version = 1000")
			return nil
		}, "newer than"},
		"damaged": {func(t *testing.T, file string) error {
			own(t, file)
			f, err := os.OpenFile(file, os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteAt([]byte(strings.Repeat("\xff", 8000)), 100)
			}
			return errors.Join(err, f.Close())
		}, "put a backup in its place"},
		"read-only": {func(t *testing.T, file string) error {
			own(t, file)
			return errors.Join(os.Chown(file, os.Getuid(), -1), os.Chmod(file, 0o444))
		}, "permission denied"},
		"directory read-only": {func(t *testing.T, file string) error {
			own(t, file)
			dir := filepath.Dir(file)
			return errors.Join(os.Chown(dir, os.Getuid(), -1), os.Chmod(dir, 0o555))
		}, "permission denied"},
	} {
		t.Run(name, func(t *testing.T) {
			d := newDatabaseDaemon(t)
			file := d.shelf.(database).file
			if err := tt.set(t, file); err != nil {
				t.Fatal(err)
			}
			defer os.Chmod(filepath.Dir(file), 0o755)
			out, err := d.command("serve", "--config", d.config).CombinedOutput()
			if err == nil || !strings.Contains(string(out), tt.want) || !strings.Contains(string(out), file) {
				t.Errorf("%v, %s; want %q and %s", err, out, tt.want, file)
			}
		})
	}
}

// own makes a database that is the daemon's.
func own(t *testing.T, file string) {
	t.Helper()
	s := database{file: file}.open(t)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	chownMail(t, file)
}
