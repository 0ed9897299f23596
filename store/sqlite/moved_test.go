package sqlite

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/sqldb"
)

// A database whose files are not where they were takes nothing: what it took would be gone with them. What it had is kept, and
// it is opened anew if there is one.
func TestMoved(t *testing.T) {
	for name, tt := range map[string]struct {
		move func(path string) error
		fail string              // how the next delivery but one fails; "": it does not
		want map[string][]string // what ann has at the end, by what the file is called
	}{
		"removed": {os.Remove, "it was there", nil},
		"renamed": {func(path string) error { return os.Rename(path, path+".old") }, "it was there", map[string][]string{".old": {"one", "two"}}},
		"replaced": {func(path string) error {
			return errors.Join(os.Rename(path, path+".old"), os.Rename(path+".backup", path))
		},
			"", map[string][]string{".old": {"one", "two"}, "": {"one", "three"}}},
		"without its log":   {func(path string) error { return os.Remove(path + "-wal") }, "", map[string][]string{"": {"one", "two", "three"}}},
		"without its index": {func(path string) error { return os.Remove(path + "-shm") }, "", map[string][]string{"": {"one", "two", "three"}}},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "mail.db")
			s := open(t, path)
			deliver(t, s, "one", ann)
			if err := s.Backup(t.Context(), path+".backup"); err != nil {
				t.Fatal(err)
			}
			deliver(t, s, "two", ann)
			if err := tt.move(path); err != nil {
				t.Fatal(err)
			}
			next := func(text string) error {
				return s.Deliver(t.Context(), strings.NewReader(text), []store.Placement{{Mailbox: ann}})[0]
			}
			if err := next("lost"); !errors.Is(err, sqldb.ErrMoved) || errors.Is(err, store.ErrNoMailbox) {
				t.Errorf("the first after that: %v", err)
			}
			err := next("three")
			for err != nil && strings.Contains(err.Error(), "not closed yet") {
				err = next("three")
			}
			if tt.fail == "" && err != nil || tt.fail != "" && (err == nil || !strings.Contains(err.Error(), tt.fail)) {
				t.Errorf("the next: %v, want %q", err, tt.fail)
			}
			if err := s.Close(); err != nil {
				t.Error(err)
			}
			for suffix, want := range tt.want {
				if got := reopened(t, path+suffix); !slices.Equal(got, want) {
					t.Errorf("mail.db%s has %q, want %q", suffix, got, want)
				}
			}
		})
	}
}

// reopened is what ann has in a database that nobody has open.
func reopened(t *testing.T, path string) []string {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	sound(t, s)
	return texts(t, s, ann, "")
}
