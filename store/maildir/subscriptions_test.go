package maildir

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"lmtpd/store"
)

func TestAddSubscription(t *testing.T) {
	for _, test := range []struct{ old, folder, want string }{
		{"", ".Work", "V\t2\n\nWork\n"},
		{"V\t2\n\nWork\n", ".Work.S&APw-b", "V\t2\n\nWork\nWork\tS&APw-b\n"},
		{"V\t2\n\nWork\tSub\n", ".Work", "V\t2\n\nWork\tSub\nWork\n"},
		{"V\t2\n\nWork\tSub\n", ".Work.Sub", ""},
		{"V\t2\n\nWork", ".New", "V\t2\n\nWork\nNew\n"},
		{"V\t2\n\nWork", ".Work", ""},
		{"Work\n", ".Work.Sub", "Work\nWork.Sub\n"}, // version 1
		{"Work.Sub\n", ".Work.Sub", ""},
	} {
		got, changed := addSubscription([]byte(test.old), test.folder)
		if changed != (test.want != "") || changed && string(got) != test.want {
			t.Errorf("%q and %s: %q, %v, want %q", test.old, test.folder, got, changed, test.want)
		}
	}
}

func TestSubscriptionsWhenFolderIsMade(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	to := func(folder string) error {
		return deliver(t, s, "x\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: folder})
	}
	ann := filepath.Join(dir, "example.org", "ann")
	file, lock := filepath.Join(ann, subscriptionsFile), filepath.Join(ann, subscriptionsLock)
	expect := func(want string) {
		t.Helper()
		if b, err := os.ReadFile(file); err != nil || string(b) != want {
			t.Errorf("subscriptions are %q, %v, want %q", b, err, want)
		}
	}
	must(t, to("Work"), to("Work"), to("Work/Süb"))
	expect("V\t2\n\nWork\nWork\tS&APw-b\n")

	// What Dovecot or the owner changed stays.
	must(t, os.WriteFile(file, []byte("V\t2\n\nMine\n"), 0o600))
	must(t, to("Work"), to("New"))
	expect("V\t2\n\nMine\nNew\n")

	// While another program holds the lock, mail is delivered all the same.
	must(t, os.WriteFile(lock, nil, 0o600))
	must(t, to("Locked"))
	expect("V\t2\n\nMine\nNew\n")

	// A lock that was left behind does not last.
	old := time.Now().Add(-2 * lockStale)
	must(t, os.Chtimes(lock, old, old))
	must(t, to("Stale"))
	expect("V\t2\n\nMine\nNew\nStale\n")
	if _, err := os.Lstat(lock); err == nil {
		t.Error("the lock is left")
	}
}

func TestReplaceSubscriptions(t *testing.T) {
	for _, test := range []struct {
		old   string
		lines []string
		want  string
	}{
		{"", nil, "V\t2\n\n"},
		{"", []string{"b", "a\tc", "b"}, "V\t2\n\na\tc\nb\n"},
		{"V\t2\n\nINBOX\nWork\tSub\nvirtual\tAll.x\n&bad\n", []string{"Work"}, "V\t2\n\nINBOX\nvirtual\tAll.x\n&bad\nWork\n"},
		{"INBOX\nWork.Sub\n", []string{"Work\tSub"}, "V\t2\n\nINBOX\nWork\tSub\n"}, // version 1
		{"V\t2\n\nWork\n", []string{"Work"}, ""},
	} {
		got, changed := replaceSubscriptions([]byte(test.old), test.lines)
		if changed != (test.want != "") || changed && string(got) != test.want {
			t.Errorf("%q with %q: %q, %v, want %q", test.old, test.lines, got, changed, test.want)
		}
	}
}
