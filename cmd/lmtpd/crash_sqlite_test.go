package main_test

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"testing"

	"lmtpd/store"
	"lmtpd/store/sqlite"
)

// A database is the shelf of an SQLite database, read while the daemon writes it.
type database struct{ *daemon }

func newDatabaseDaemon(t *testing.T) *daemon {
	d := newDaemon(t)
	d.store = "sqlite:" + filepath.Join(d.root, "mail.db")
	d.configure(t)
	return d
}

// open opens the database as another program would.
func (d database) open(t *testing.T) *sqlite.Store {
	t.Helper()
	template, err := store.ParseShared(filepath.Join(d.root, "mail.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(sqlite.Config{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d database) visible(t *testing.T, known map[string]receipt) (all []found) {
	s := d.open(t)
	defer s.Close()
	for n := range crashMailboxes {
		local := fmt.Sprintf("u%d", n)
		m := store.Mailbox{Name: local + "@example.org"}
		list, err := s.Messages(t.Context(), m, "")
		if err != nil && !errors.Is(err, store.ErrNoMailbox) {
			t.Error(err)
		}
		for _, one := range list {
			f := found{path: local + "/" + one.ID, mailbox: local}
			if _, is := known[f.path]; !is {
				f.text = onDisk(readMessage(t, s, m, one.ID))
			}
			all = append(all, f)
		}
	}
	return all
}

func readMessage(t *testing.T, s *sqlite.Store, m store.Mailbox, id string) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), m, "", id)
	if err != nil {
		t.Error(err)
		return nil
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Error(err)
	}
	return text
}

func (d database) checked(t *testing.T) string {
	s := d.open(t)
	defer s.Close()
	for damage, err := range s.Inspect(t.Context(), nil, store.OnlyTell) {
		t.Errorf("damage: %+v, %v", damage, err)
	}
	return "no damage"
}

// The same with a database.
func TestCrashSQLite(t *testing.T) {
	d := newDatabaseDaemon(t)
	crash(t, d, database{d})
}
