package sqlite

import (
	"path/filepath"
	"testing"

	"lmtpd/store"
	"lmtpd/store/storetest"
)

func TestStore(t *testing.T) {
	for _, file := range []string{"mail.db", "%d.db", "%d/%n.db"} {
		t.Run(file, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) store.Store { return open(t, filepath.Join(t.TempDir(), file)) })
		})
	}
}

// open opens the store of a template.
func open(t testing.TB, template string) *Store {
	t.Helper()
	parsed, err := store.ParseShared(template)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Open(Config{Template: parsed, Databases: 2})
	if err != nil {
		t.Fatal(err)
	}
	return s
}
