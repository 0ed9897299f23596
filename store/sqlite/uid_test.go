package sqlite

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
)

// uids watches the UIDs of all folders: none is given twice, and none below one that was given before (RFC 3501 §2.3.1.1).
type uids struct {
	t        *testing.T
	validity map[string]int64
	highest  map[string]int64
	owner    map[string]map[int64]int64 // the message that has or had a UID, by folder
}

func newUIDs(t *testing.T) *uids {
	return &uids{t, map[string]int64{}, map[string]int64{}, map[string]map[int64]int64{}}
}

// look looks at what is there after something was done.
func (u *uids) look(s *Store, after string) {
	u.t.Helper()
	v := func(ctx context.Context, conn *sql.Conn) error {
		each := func(rows *sql.Rows) error {
			var folder string
			var validity, next, uid, id int64
			if err := rows.Scan(&folder, &validity, &next, &uid, &id); err != nil {
				return err
			}
			u.one(after, folder, [...]int64{validity, next, uid, id})
			return nil
		}
		return view{ctx, conn}.all("SELECT m.name || ' ' || f.name, uid_validity, uid_next, uid, c.id FROM copy AS c JOIN folder AS f ON f.id = folder JOIN mailbox AS m ON m.id = mailbox ORDER BY uid", nil, each)
	}
	if err := writerOf(u.t, s).db.Read(u.t.Context(), v); err != nil {
		u.t.Fatal(err)
	}
}

func (u *uids) one(after, folder string, row [4]int64) {
	u.t.Helper()
	validity, next, uid, id := row[0], row[1], row[2], row[3]
	if u.owner[folder] == nil {
		u.owner[folder], u.validity[folder] = map[int64]int64{}, validity
	}
	had, known := u.owner[folder][uid]
	switch {
	case validity != u.validity[folder]:
		u.t.Errorf("after %s: UIDVALIDITY of %q is %d, and was %d", after, folder, validity, u.validity[folder])
	case known && had != id:
		u.t.Errorf("after %s: message %d of %q has UID %d, which %d had", after, id, folder, uid, had)
	case !known && uid <= u.highest[folder]:
		u.t.Errorf("after %s: message %d of %q has UID %d, and there was %d", after, id, folder, uid, u.highest[folder])
	case uid >= next:
		u.t.Errorf("after %s: the next UID of %q is %d, and there is %d", after, folder, next, uid)
	}
	u.owner[folder][uid], u.highest[folder] = id, max(uid, u.highest[folder])
}

func TestUIDsForGood(t *testing.T) {
	path := filepath.Join(t.TempDir(), "mail.db")
	s, u := open(t, path), newUIDs(t)
	newest := func(folder string) string {
		t.Helper()
		list, err := s.Messages(t.Context(), ann, folder)
		if err != nil || len(list) == 0 {
			t.Fatal(list, err)
		}
		return list[len(list)-1].ID
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"a delivery", func() error { deliver(t, s, "one", ann, bob); return nil }},
		{"the same again", func() error { deliver(t, s, "one", ann, ann, bob); return nil }},
		{"a move", func() error { return s.Move(t.Context(), ann, "", newest(""), "Work") }},
		{"a move back", func() error { return s.Move(t.Context(), ann, "Work", newest("Work"), "") }},
		{"a move again", func() error { return s.Move(t.Context(), ann, "", newest(""), "Work") }},
		{"flags", func() error { return s.SetFlags(t.Context(), ann, "", newest(""), nil) }},
		{"a removal of the last", func() error { return s.Remove(t.Context(), ann, "", newest("")) }},
		{"a removal of all", func() error { return s.Remove(t.Context(), ann, "Work", newest("Work")) }},
		{"a recount", func() error { _, err := s.Recount(t.Context(), ann); return err }},
		{"vacuum", func() error { _, err := s.Vacuum(t.Context()); return err }},
		{"a restart", func() error {
			err := s.Close()
			s = open(t, path)
			return err
		}},
		{"a backup that is put back", func() error {
			path = filepath.Join(t.TempDir(), "backup.db")
			err := s.Backup(t.Context(), path)
			if err == nil {
				err = s.Close()
			}
			s = open(t, path)
			return err
		}},
	}
	for range 2 {
		for _, step := range steps {
			if err := step.do(); err != nil {
				t.Fatalf("%s: %v", step.name, err)
			}
			u.look(s, step.name)
			deliver(t, s, step.name, ann)
			if err := s.Move(t.Context(), ann, "", newest(""), "Work"); err != nil {
				t.Fatal(err)
			}
			deliver(t, s, step.name, ann)
			u.look(s, "a delivery after "+step.name)
		}
	}
	sound(t, s)
	if err := s.Close(); err != nil {
		t.Error(err)
	}
}
