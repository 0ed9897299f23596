package sqlite

import (
	"compress/gzip"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/store"
)

// The files that were left by each earlier schema, as many as there are.
var earlier = []string{"schema1.db.gz"}

// earlierFile unpacks the file of an earlier schema.
func earlierFile(t *testing.T, name string) (path string) {
	t.Helper()
	packed, err := os.Open(filepath.Join("../../testdata/sqlite", name))
	if err != nil {
		t.Fatal(err)
	}
	defer packed.Close()
	z, err := gzip.NewReader(packed)
	if err != nil {
		t.Fatal(err)
	}
	octets, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "mail.db")
	if err := os.WriteFile(path, octets, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// A database of any earlier schema is brought up to date when it is opened, with all that is in it, and goes on from there.
func TestEarlierSchemas(t *testing.T) {
	if steps := len(kind().Steps); len(earlier) != steps-1 {
		t.Fatalf("there are files of %d earlier schemas, and %d steps", len(earlier), steps)
	}
	ann, bob := store.Mailbox{Name: "ann@example.test"}, store.Mailbox{Name: "bob@example.test"}
	const body = "From: Bob <bob@example.org>\r\n"
	for i, name := range earlier {
		t.Run(name, func(t *testing.T) {
			s := open(t, earlierFile(t, name))
			defer s.Close()
			sound(t, s)
			var version int
			if err := query(t, s, "SELECT user_version FROM pragma_user_version", nil, &version); err != nil || version != len(kind().Steps) {
				t.Errorf("schema %d of the file of schema %d, %v", version, i+1, err)
			}
			expectEarlier(t, s, ann, "", "no header at all, and a line end is missing", "Subject: large\r\n")
			expectEarlier(t, s, ann, "Lists/Gö", body)
			expectEarlier(t, s, bob, "", body)
			list, err := s.Messages(t.Context(), ann, "")
			if err != nil || list[0].ID != "3" || !slices.Equal(list[0].Flags, []store.Flag{store.FlagSeen, "work"}) || list[1].Size != 68443 {
				t.Errorf("messages %+v, %v", list, err)
			}
			// What was kept then and comes again is not shared, but whole; what comes twice now is.
			deliver(t, s, "no header at all, and a line end is missing", ann, bob)
			if n := rows(t, s, "content"); n != 4 {
				t.Errorf("%d contents, want 4", n)
			}
			var uid, next int
			err = query(t, s, "SELECT max(c.uid), max(f.uid_next) FROM copy AS c JOIN folder AS f ON f.id = c.folder WHERE f.id = 1", nil, &uid, &next)
			if err != nil || uid != 4 || next != 5 {
				t.Errorf("UID %d, then %d, %v; want 4 and 5", uid, next, err)
			}
			sound(t, s)
		})
	}
}

// expectEarlier checks how the messages of a folder go on after their trace fields.
func expectEarlier(t *testing.T, s *Store, box store.Mailbox, folder string, wants ...string) {
	t.Helper()
	got := texts(t, s, box, folder)
	if len(got) != len(wants) {
		t.Fatalf("%s in %q has %d messages, want %d", box.Name, folder, len(got), len(wants))
	}
	for i, want := range wants {
		_, content, _ := strings.Cut(got[i], " +0000\r\n") // the end of Received
		if !strings.HasPrefix(content, want) {
			t.Errorf("%s in %q has %q, want %q", box.Name, folder, content[:min(len(content), 60)], want)
		}
	}
}

// Damage of a content is found by the hash that it was kept with, and a way to hash that is not known is told.
func TestEarlierHashes(t *testing.T) {
	s := open(t, earlierFile(t, earlier[0]))
	defer s.Close()
	for _, test := range []struct{ statement, want string }{
		{"UPDATE chunk SET data = x'00' WHERE id = 2 << 16", "is not what was received"},
		{"UPDATE content SET hashed = 2 WHERE id = 1", "is not what was received"},
		{"UPDATE content SET hashed = 3 WHERE id = 3", "is hashed in a way that is unknown: 3"},
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
