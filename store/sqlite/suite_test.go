package sqlite

import (
	"path/filepath"
	"testing"

	"lmtpd/store"
	"lmtpd/store/storetest"
)

func TestStore(t *testing.T) {
	for name, file := range map[string]string{"one": "mail.db", "by domain": "%d.db", "by mailbox": "%d/%n.db"} {
		t.Run(name, func(t *testing.T) {
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
