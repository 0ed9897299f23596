package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store"
)

// The commands work on a database as they do on maildirs, and make none by looking.
func TestMailboxSQLite(t *testing.T) {
	for name, file := range map[string]string{"one": "mail.db", "by domain": "%d.db"} {
		t.Run(name, func(t *testing.T) {
			url := "sqlite:" + filepath.Join(t.TempDir(), "sub", file)
			if code, _, stderr := runApp(t, "mailbox", "list", "--store", url); code != exNoUser || !strings.Contains(stderr, "there are no mailboxes in sqlite:") {
				t.Errorf("nothing there: exit %d, %s", code, stderr)
			}
			fillStore(t, url, "old\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}})
			fillStore(t, url, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}, Trace: []byte("X: 1\r\n")},
				store.Placement{Mailbox: store.Mailbox{Name: "bob@localhost"}, Folder: "Lists/Go"})
			for _, tt := range []struct{ args, want string }{
				{"list", "ann@localhost  2  62\nbob@localhost  1  51\n"},
				{"show --wire ann", "X: 1\r\n" + letter},
				{"show --wire ann 1", "old\r\n"},
				{"recount ann", "ann@localhost  2  62  -  -\n"},
				{"remove ann 1", ""},
				{"list", "ann@localhost  1  57\nbob@localhost  1  51\n"},
			} {
				command, rest, _ := strings.Cut(tt.args, " ")
				code, stdout, stderr := runApp(t, append([]string{"mailbox", command, "--store", url}, strings.Fields(rest)...)...)
				if code != exOK || stdout != tt.want {
					t.Errorf("%s: exit %d, %q, %q; want %q", tt.args, code, stdout, stderr, tt.want)
				}
			}
		})
	}
}

// check tells where a database is, and makes none.
func TestCheckSQLite(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "mail.db")
	code, stdout, stderr := runApp(t, "check", "--store", "sqlite:"+file)
	if want := "database   " + file + ": not there yet; to be made below " + dir; code != exOK || !strings.Contains(oneBlank(stdout), oneBlank(want)) {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("check made %v, %v", entries, err)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stdout, _ := runApp(t, "check", "--store", "sqlite:"+file); !strings.Contains(stdout, file+": there, writable") {
		t.Errorf("got %s", stdout)
	}
	if _, stdout, _ := runApp(t, "check", "--store", "sqlite:"+dir+"/%d.db"); !strings.Contains(stdout, "postmaster@localhost in "+dir+"/localhost.db") {
		t.Errorf("got %s", stdout)
	}
}

func oneBlank(s string) string { return strings.Join(strings.Fields(s), " ") }
