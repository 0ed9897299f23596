package sqlite

import (
	"cmp"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/mailtext"
)

// openIndexed opens a store that can index.
func openIndexed(t testing.TB, path string) *Store {
	t.Helper()
	template, err := store.ParseShared(path)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Template: template, Extract: mailtext.Extract, Databases: 2})
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

func openIndexedTemp(t testing.TB) *Store {
	return openIndexed(t, filepath.Join(t.TempDir(), "mail.db"))
}

// index indexes what there is, and says how much that was.
func index(t testing.TB, s *Store) int {
	t.Helper()
	n, err := s.Index(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// found gives the IDs of what a query finds.
func found(t testing.TB, s *Store, m store.Mailbox, query string) (ids []string) {
	t.Helper()
	list, _, err := s.Search(t.Context(), m, query)
	if err != nil {
		t.Errorf("%s: %v", query, err)
	}
	for _, one := range list {
		ids = append(ids, one.ID)
	}
	return ids
}

const invoice = "From: Jürgen <j@example.net>\r\nTo: ann@example.org\r\nSubject: =?utf-8?q?M=C3=BCll?= fees\r\n\r\nThe invoice of July is attached.\r\n"

// Words are found in every field, whole or by their beginning, in phrases, and without regard to case and accents; mail of others
// is not.
func TestSearch(t *testing.T) {
	s := openIndexedTemp(t)
	deliver(t, s, invoice, ann)
	deliver(t, s, "Subject: other\r\n\r\nJuly of the invoice\r\n", ann, bob)
	if n := index(t, s); n != 2 {
		t.Errorf("%d contents", n)
	}
	for query, want := range map[string]string{
		"invoice": "1 2", "INVOICE": "1 2", "inv*": "1 2", `"invoice of july"`: "1", "mull": "1", "Müll": "1", "subject:invoice": "",
		"subject:mull": "1", "author:jurgen": "1", "author:ann": "", "recipients:ann@example.org": "1", "j@example.net": "1",
		"invoice NOT mull": "2", "other OR mull": "1 2", "(other OR mull) attached": "1", "invoice NEAR/1 july": "1", "nothing": "", "!": "",
	} {
		if got := strings.Join(found(t, s, ann, query), " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
	}
	list, behind, err := s.Search(t.Context(), bob, "invoice")
	if err != nil || len(list) != 1 || list[0].ID != "3" || behind != 0 || list[0].Size == 0 || list[0].Date.IsZero() {
		t.Errorf("bob's: %+v, %d, %v", list, behind, err)
	}
	sound(t, s)
}

// The answers that are none.
func TestSearchAnswers(t *testing.T) {
	s := openIndexedTemp(t)
	deliver(t, s, invoice, ann)
	if _, _, err := s.Search(t.Context(), ann, "x"); !errors.Is(err, store.ErrNoIndex) {
		t.Errorf("without an index: %v", err)
	}
	index(t, s)
	for _, query := range []string{"", " ", "a\x00", `"a`, "(a", "a OR", "NOT", strings.Repeat("a NOT (", 100) + "a" + strings.Repeat(")", 100)} {
		if _, _, err := s.Search(t.Context(), ann, query); !errors.Is(err, store.ErrQuery) {
			t.Errorf("%.20q: %v", query, err)
		}
	}
	if _, _, err := s.Search(t.Context(), store.Mailbox{Name: "eve@example.org"}, "x"); !errors.Is(err, store.ErrNoMailbox) {
		t.Errorf("eve's: %v", err)
	}
	change(t, s, "UPDATE indexing SET version = 2")
	for _, err := range []error{second(s.Index(t.Context())), third(s.Search(t.Context(), ann, "x"))} {
		if err == nil || !strings.Contains(err.Error(), "newer than 1") {
			t.Errorf("a newer index: %v", err)
		}
	}
	without := openTemp(t)
	if _, err := without.Index(t.Context()); err == nil {
		t.Error("indexed without anything to get at texts")
	}
}

func second[A any](_ A, err error) error        { return err }
func third[A, B any](_ A, _ B, err error) error { return err }

// What comes, moves, comes again and goes does so in the index; removed mail is gone from it in the same moment.
func TestSearchFollows(t *testing.T) {
	s := openIndexedTemp(t)
	deliver(t, s, invoice, ann, bob)
	if n := index(t, s); n != 1 {
		t.Errorf("one content in two mailboxes is indexed %d times", n)
	}
	deliver(t, s, "Subject: invoice\r\n", ann)
	if list, behind, err := s.Search(t.Context(), ann, "invoice"); err != nil || len(list) != 1 || behind != 1 {
		t.Errorf("before the new one is indexed: %v, %d, %v", list, behind, err)
	}
	if n := index(t, s); n != 1 {
		t.Errorf("indexed %d, want the new one", n)
	}
	if err := s.Move(t.Context(), ann, "", "1", "Work"); err != nil {
		t.Fatal(err)
	}
	if list, _, err := s.Search(t.Context(), ann, "invoice"); err != nil || len(list) != 2 || list[0].Folder != "Work" {
		t.Errorf("after it was moved: %+v, %v", list, err)
	}
	for id, m := range map[string]store.Mailbox{"2": bob, "3": ann} {
		if err := s.Remove(t.Context(), m, "", id); err != nil {
			t.Fatal(err)
		}
	}
	if got := found(t, s, ann, "invoice"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("after removal: %q", got)
	}
	if err := s.Remove(t.Context(), ann, "Work", "1"); err != nil {
		t.Fatal(err)
	}
	if n := rows(t, s, "search"); n != 0 {
		t.Errorf("%d texts are left", n)
	}
	if n := index(t, s); n != 0 {
		t.Errorf("indexed %d of nothing", n)
	}
	deliver(t, s, invoice, bob)
	index(t, s)
	if got := found(t, s, bob, "invoice"); len(got) != 1 {
		t.Errorf("the same content again: %q", got)
	}
	sound(t, s)
}

// A content that is begun early and finished late is indexed like any other.
func TestSearchLarge(t *testing.T) {
	s := openIndexedTemp(t)
	deliver(t, s, "small", ann)
	change(t, s, "INSERT INTO content (octets, begun) VALUES (1, 1)") // one that is being written
	deliver(t, s, "second", ann)
	index(t, s)
	change(t, s, "UPDATE content SET hash = zeroblob(32), begun = NULL WHERE begun IS NOT NULL")
	change(t, s, "INSERT INTO chunk SELECT id << 16, CAST('late' AS BLOB) FROM content WHERE hash = zeroblob(32)")
	change(t, s, "INSERT INTO copy (folder, uid, content, octets, date, trace) SELECT 1, 9, id, 1, 1, x'' FROM content WHERE hash = zeroblob(32)")
	large := "Subject: large\r\n\r\n" + strings.Repeat("x", 2*maxWhole)
	deliver(t, s, large, ann)
	index(t, s)
	for _, word := range []string{"small", "second", "late", "large"} {
		if got := found(t, s, ann, word); len(got) != 1 {
			t.Errorf("%s: %q", word, got)
		}
	}
}

// The view for people gives the same as Search, with the mailbox in the query.
func TestFoundView(t *testing.T) {
	s := openIndexedTemp(t)
	deliver(t, s, invoice, ann, bob)
	deliver(t, s, "Subject: invoice\r\n", ann)
	index(t, s)
	var all, subject, author, snippet string
	err := query(t, s, "SELECT group_concat(id), max(subject), max(author) FROM found WHERE query MATCH 'invoice' AND mailbox = ? AND folder = 'INBOX'",
		[]any{ann.Name}, &all, &subject, &author)
	if err != nil || all != "1,3" || cmp.Or(subject, author) == "" {
		t.Errorf("%q, %q, %q, %v", all, subject, author, err)
	}
	if err := query(t, s, "SELECT snippet(query, '[', ']') FROM found WHERE query MATCH 'july' AND mailbox = ?", []any{bob.Name}, &snippet); err != nil || !strings.Contains(snippet, "[July]") {
		t.Errorf("%q, %v", snippet, err)
	}
}
