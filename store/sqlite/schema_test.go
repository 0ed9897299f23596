package sqlite

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
)

// shape is what a schema consists of: tables with their columns, indexes, triggers, views.
const shape = `SELECT group_concat(what, char(10)) FROM (SELECT type || ' ' || name || ' ' ||
	coalesce((SELECT group_concat(name || ' ' || type || ' ' || "notnull" || ' ' || pk) FROM pragma_table_info(s.name)), '') AS what
	FROM sqlite_schema AS s WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name)`

// A database of each earlier schema becomes one of this with all that is in it. Whoever adds a step to kind().Steps puts one of
// the schema before into testdata.
func TestEarlierSchemas(t *testing.T) {
	for version := 1; version < len(kind().Steps); version++ {
		s := open(t, earlierFile(t, version))
		defer s.Close()
		file := fmt.Sprintf("schema %d", version)
		isWhole(t, s, file)
		var got, want string
		fresh := openTemp(t)
		for s, into := range map[*Store]*string{s: &got, fresh: &want} {
			if err := query(t, s, shape, nil, into); err != nil {
				t.Fatal(err)
			}
		}
		if got != want {
			t.Errorf("%s has become\n%s\nwant\n%s", file, got, want)
		}
	}
}

// earlierFile makes the database of a schema that testdata has.
func earlierFile(t *testing.T, version int) (path string) {
	t.Helper()
	dump, err := os.ReadFile(fmt.Sprintf("testdata/schema%d.sql", version))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "mail.db")
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(string(dump)); err != nil {
		t.Fatalf("schema %d: %v", version, err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// isWhole says whether what testdata holds is in a store, and takes more.
func isWhole(t *testing.T, s *Store, file string) {
	t.Helper()
	sound(t, s)
	const hello = "Delivered-To: ann@example.org\r\nFrom: Bob <bob@example.net>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n" +
		"Date: Fri, 20 Nov 2026 10:00:00 +0000\r\nMessage-ID: <1@example.net>\r\n\r\nhello\r\n"
	for _, tt := range []struct {
		store.Mailbox
		folder string
		texts  []string
		flags  []store.Flag // of the first
		date   time.Time    // the same
	}{
		{ann, "", []string{"Return-Path: <bob@example.net>\r\n" + hello}, []store.Flag{store.FlagSeen, "$Label1"}, time.Time{}},
		{ann, "Archive/Größe", []string{"second\r\n"}, []store.Flag{store.FlagFlagged}, time.Date(1999, 1, 1, 0, 0, 0, 123456000, time.UTC)},
		{bob, "", []string{"Return-Path: <bob@example.net>\r\n" + strings.Replace(hello, "ann@", "bob@", 1), "\x00\xff no header, 'quoted'; no end"}, nil, time.Time{}},
	} {
		if got := texts(t, s, tt.Mailbox, tt.folder); !slices.Equal(got, tt.texts) {
			t.Errorf("%s: %s %q has %q", file, tt.Name, tt.folder, got)
		}
		list, err := s.Messages(t.Context(), tt.Mailbox, tt.folder)
		if err != nil || !slices.Equal(list[0].Flags, tt.flags) || !tt.date.IsZero() && !list[0].Date.Equal(tt.date) {
			t.Errorf("%s: %s %q has %+v, %v", file, tt.Name, tt.folder, list, err)
		}
	}
	if got, err := s.Subscriptions(t.Context(), ann); err != nil || !slices.Equal(got, []string{"Archive/Größe", "not there"}) {
		t.Errorf("%s: subscriptions %q, %v", file, got, err)
	}
	deliver(t, s, "third\r\n", ann)
	var uid, validity int
	err := query(t, s, "SELECT uid, uid_validity FROM copy JOIN folder ON folder.id = folder ORDER BY copy.id DESC", nil, &uid, &validity)
	if err != nil || uid != 3 || validity > 1795168900 { // the second was removed
		t.Errorf("%s: the next message has UID %d, UIDVALIDITY %d, %v", file, uid, validity, err)
	}
}

// Damage of a content is found by the hash that it was kept with, and a way to hash that is not known is told.
func TestEarlierHashes(t *testing.T) {
	s := open(t, earlierFile(t, 1))
	defer s.Close()
	for _, test := range []struct{ statement, want string }{
		{"UPDATE chunk SET data = x'00' WHERE id = 2 << 16", "is not what was received"},
		{"UPDATE content SET hashed = 2 WHERE id = 1", "is not what was received"},
		{"UPDATE content SET hashed = 3 WHERE id = 4", "is hashed in a way that is unknown: 3"},
	} {
		change(t, s, test.statement)
		var told []string
		for d, err := range s.Inspect(t.Context(), nil, store.OnlyTell) {
			told = append(told, fmt.Sprint(d.What, err))
		}
		if !strings.Contains(strings.Join(told, "\n"), test.want) {
			t.Errorf("%s: told %q, want %q", test.statement, told, test.want)
		}
	}
}
