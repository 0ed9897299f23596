package spool

import (
	"errors"
	"os"
	"strings"
	"testing"

	"lmtpd/store/sqldb"
)

// A file that is damaged, or no spool, is refused at the start, with what to do.
func TestDamaged(t *testing.T) {
	for _, tt := range []struct {
		name string
		do   func(t *testing.T, path string)
		says string
	}{
		{"no database", func(t *testing.T, path string) {
			if err := os.WriteFile(path, []byte(strings.Repeat("x", 10_000)), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "move "},
		{"torn", func(t *testing.T, path string) {
			full(t, path)
			f, err := os.OpenFile(path, os.O_RDWR, 0)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := f.WriteAt([]byte(strings.Repeat("\xa5", 100*pageSize)), pageSize); err != nil {
				t.Fatal(err)
			}
		}, "move "},
		{"another's", func(t *testing.T, path string) {
			k := kind()
			k.ApplicationID, k.Name = 7, "other"
			db, err := sqldb.Create(t.Context(), path, k)
			if err != nil {
				t.Fatal(err)
			}
			db.Close()
		}, "another program's database"},
	} {
		path := tempPath(t)
		tt.do(t, path)
		s, err := Open(t.Context(), config(path, &carrier{}))
		if err == nil {
			s.Close()
		}
		if err == nil || !strings.Contains(err.Error(), tt.says) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// full makes a spool with something in each table.
func full(t *testing.T, path string) {
	t.Helper()
	s := open(t, config(path, &carrier{}))
	for range 50 {
		put(t, s, mail("ann@here.example", strings.Repeat("x", 20_000), "bob@a.example"))
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A Config without what it must have is refused.
func TestIncomplete(t *testing.T) {
	cfg := config(tempPath(t), &carrier{})
	cfg.Report = nil
	if _, err := Open(t.Context(), cfg); !errors.Is(err, errIncomplete) {
		t.Errorf("got %v", err)
	}
}
