package main_test

import (
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/sqlite"
)

// onStores runs a test with a daemon of each kind of store, prepared and not started.
func onStores(t *testing.T, test func(*testing.T, *daemon)) {
	for kind, prepare := range map[string]func(testing.TB) *daemon{"maildir": newDaemon, "sqlite": newDatabaseDaemon} {
		t.Run(kind, func(t *testing.T) { test(t, prepare(t)) })
	}
}

// A shelf is where a daemon keeps the mail of a domain, as a test finds it.
type shelf interface {
	// visible finds what is visible, and reads what is not known.
	visible(t testing.TB, known map[string]receipt) []found
	// checked says what a crash has left behind that is no letter, after it has complained about damage.
	checked(t testing.TB) string
	// block keeps mail out of a mailbox that is not there yet, until it is allowed.
	block(t testing.TB, localPart string) (allow func())
}

// maildirs are the shelf of the maildirs in a directory.
type maildirs struct{ dir string }

func (m maildirs) visible(t testing.TB, known map[string]receipt) []found {
	all := listing(t, m.dir)
	for i, f := range all {
		if _, is := known[f.path]; !is {
			all[i].read(t)
		}
	}
	return all
}

func (m maildirs) checked(t testing.TB) string {
	return fmt.Sprintf("%d temporary files left", len(temporaries(t, m.dir)))
}

func (m maildirs) block(t testing.TB, localPart string) (allow func()) {
	box := filepath.Join(m.dir, localPart)
	mkdirOwned(t, m.dir)
	writeFile(t, box, "a file where the maildir should be")
	return func() {
		if err := os.Remove(box); err != nil {
			t.Fatal(err)
		}
	}
}

// A database is the shelf of a domain in an SQLite database, read while the daemon writes it.
type database struct{ file, domain string }

func newDatabaseDaemon(t testing.TB) *daemon {
	d := newDaemon(t)
	file := filepath.Join(d.root, "mail.db")
	d.store, d.shelf = "sqlite:"+file, database{file, "example.org"}
	d.configure(t)
	return d
}

// open opens the database as another program would.
func (d database) open(t testing.TB) *sqlite.Store {
	t.Helper()
	template, err := store.ParseShared(d.file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(sqlite.Config{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func (d database) visible(t testing.TB, known map[string]receipt) (all []found) {
	s := d.open(t)
	defer s.Close()
	for name, err := range s.Mailboxes(t.Context()) {
		if err != nil {
			t.Error(err)
		}
		local, isHere := strings.CutSuffix(name, "@"+d.domain)
		if !isHere {
			continue
		}
		m := store.Mailbox{Name: name}
		folders, err := s.Folders(t.Context(), m)
		if err != nil {
			t.Error(err)
		}
		for _, folder := range append(folders, "") {
			list, err := s.Messages(t.Context(), m, folder)
			if err != nil {
				t.Error(err)
			}
			for _, one := range list {
				f := found{path: local + "/" + one.ID, mailbox: local, folder: folder}
				if _, is := known[f.path]; !is {
					f.text = onDisk(readMessage(t, s, m, one))
				}
				all = append(all, f)
			}
		}
	}
	return all
}

func readMessage(t testing.TB, s *sqlite.Store, m store.Mailbox, one store.Message) []byte {
	t.Helper()
	r, err := s.Open(t.Context(), m, one.Folder, one.ID)
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

func (d database) checked(t testing.TB) string {
	s := d.open(t)
	defer s.Close()
	for damage, err := range s.Inspect(t.Context(), nil, store.OnlyTell) {
		t.Errorf("damage: %+v, %v", damage, err)
	}
	return "no damage"
}

func (d database) block(t testing.TB, localPart string) (allow func()) {
	const name = "a_block_of_the_test"
	d.execute(t, fmt.Sprintf("CREATE TRIGGER %s BEFORE INSERT ON mailbox WHEN new.name = '%s@%s' BEGIN SELECT RAISE(ABORT, 'blocked'); END",
		name, localPart, d.domain))
	return func() { d.execute(t, "DROP TRIGGER "+name) }
}

// execute runs a statement in the database as another program would.
func (d database) execute(t testing.TB, statement string) {
	t.Helper()
	db, err := sql.Open("sqlite3", d.file)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), statement); err != nil {
		t.Fatal(err)
	}
}
