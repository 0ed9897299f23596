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

// outside has another program run a statement in a database that nobody has open.
func outside(t *testing.T, path, statement string, into ...any) {
	t.Helper()
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if into == nil {
		_, err = db.Exec(statement)
	} else {
		err = db.QueryRow(statement).Scan(into...)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// Damage that is met while the daemon runs defers mail: it is no answer, and no full disk.
func TestDamagedLater(t *testing.T) {
	for _, table := range []string{"folder", "content", "copy", "sqlite_autoindex_mailbox_1", "sqlite_autoindex_folder_1"} {
		path := filepath.Join(t.TempDir(), "mail.db")
		s := open(t, path)
		deliver(t, s, "one", ann)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		var page int64
		outside(t, path, "SELECT rootpage FROM sqlite_schema WHERE name = '"+table+"'", &page)
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.WriteAt([]byte(strings.Repeat("\xff", pageSize)), (page-1)*pageSize)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
		s = open(t, path)
		err = s.Deliver(t.Context(), strings.NewReader("two"), []store.Placement{{Mailbox: ann}})[0]
		if !sqldb.IsCorrupt(err) || isAnswer(err) || errors.Is(err, store.ErrFull) {
			t.Errorf("%s is damaged: %v", table, err)
		}
		told := 0
		for _, err := range s.Inspect(t.Context(), nil, store.OnlyTell) {
			told++
			if err != nil && !sqldb.IsCorrupt(err) {
				t.Errorf("%s is damaged: check says %v", table, err)
			}
		}
		if told == 0 {
			t.Errorf("%s is damaged, and check does not tell", table)
		}
		s.Close()
	}
}

// A database that somebody has turned to a rollback journal is turned back.
func TestRollbackJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.db")
	s := open(t, path)
	deliver(t, s, "one", ann)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	var mode string
	outside(t, path, "PRAGMA journal_mode = DELETE", &mode)
	if mode != "delete" {
		t.Fatalf("the journal is %s", mode)
	}
	s = open(t, path)
	defer s.Close()
	deliver(t, s, "two", ann)
	err := writerOf(t, s).db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		return conn.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	})
	if err != nil || mode != "wal" || len(texts(t, s, ann, "")) != 2 {
		t.Errorf("the journal is %s, %v", mode, err)
	}
}

// A huge content says that it has more octets than a database can number, and is not to be read.
type huge struct{ t *testing.T }

func (huge) Size() int64 { return maxContent + 1 }

func (h huge) ReadAt([]byte, int64) (int, error) {
	h.t.Error("it is read")
	return 0, errors.New("not to be read")
}

func TestHuge(t *testing.T) {
	s := openTemp(t)
	if err := s.Deliver(t.Context(), huge{t}, []store.Placement{{Mailbox: ann}})[0]; !errors.Is(err, errHuge) {
		t.Errorf("got %v", err)
	}
	if list, err := s.Messages(t.Context(), ann, ""); !errors.Is(err, store.ErrNoMailbox) {
		t.Errorf("%v, %v", list, err)
	}
}

// A link that leads nowhere is told at the start, and nothing is made where it leads.
func TestLinkToNowhere(t *testing.T) {
	dir := t.TempDir()
	link, gone := filepath.Join(dir, "mail.db"), filepath.Join(dir, "gone.db")
	if err := os.Symlink(gone, link); err != nil {
		t.Fatal(err)
	}
	if err := tryOpen(t, link); err == nil || !strings.Contains(err.Error(), "gone.db") {
		t.Errorf("got %v", err)
	}
	if _, err := os.Lstat(gone); !os.IsNotExist(err) {
		t.Errorf("it was made: %v", err)
	}
}
