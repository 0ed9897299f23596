package senders_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account/textfile"
	"lmtpd/delivery/submission/senders"
	"lmtpd/protocol/smtp"
)

func open(t *testing.T, path string, now func() time.Time) (*senders.Table, error) {
	t.Helper()
	return senders.Open(senders.Config{Path: path, Now: now, Log: slog.New(slog.DiscardHandler)})
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestOwns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senders")
	write(t, path, "# who may\n\nInfo@example.org\tann, bob\n@lists.example.org Ann@example.org\n*-noreply@example.org robot\r\na*b*c@example.org robot\n"+
		"*@sub.example.org robot\noffice@example.org *\ninfo@example.org carol\n* admin\n\"a b\"@example.net x # y\n")
	if _, err := open(t, path, time.Now); err == nil {
		t.Fatal("a blank in an address is taken")
	}
	write(t, path, "# who may\n\nInfo@example.org\tann, bob\n@lists.example.org Ann@example.org\n*-noreply@example.org robot\r\na*b*c@example.org robot\n"+
		"*@sub.example.org robot\noffice@example.org *\ninfo@example.org carol\n* admin\n")
	table, err := open(t, path, time.Now)
	if err != nil || table.Len() != 7 {
		t.Fatalf("%v", err)
	}
	for _, test := range []struct {
		account, address string
		want             bool
	}{
		{"ann", "info@example.org", true},
		{"bob", "INFO@EXAMPLE.ORG", true},
		{"carol", "info@example.org", true},
		{"dave", "info@example.org", false},
		{"ann@example.org", "any@lists.example.org", true},
		{"ann@example.org", "any@a.lists.example.org", false},
		{"robot", "build-noreply@example.org", true},
		{"robot", "build-noreply@example.org.evil.net", false},
		{"robot", "axbyc@example.org", true},
		{"robot", "abc@example.org", true},
		{"robot", "acb@example.org", false},
		{"robot", "x@sub.example.org", true},
		{"robot", "ann@example.org", false},
		{"anybody", "office@example.org", true},
		{"admin", "who@ever.example", true},
		{"*", "info@example.org", false},
	} {
		local, domain, _ := strings.Cut(test.address, "@")
		if got, err := table.Owns(t.Context(), test.account, smtp.Path{Local: local, Domain: domain}); got != test.want || err != nil {
			t.Errorf("%s as %s: %v, %v", test.account, test.address, got, err)
		}
	}
}

func TestMistakes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senders")
	write(t, path, "info@example.org\nnobody ann\nann@@example.org ann\n\x01 x\n")
	_, err := open(t, path, time.Now)
	bad, is := errors.AsType[textfile.Mistakes](err)
	if !is || len(bad) != 4 || bad[3].Line != 4 {
		t.Errorf("%v", err)
	}
}

// A table that is changed is read again; one that is broken leaves in doubt who is not in it.
func TestChanges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "senders")
	write(t, path, "info@example.org ann\n")
	now := time.Now()
	table, err := open(t, path, func() time.Time { return now })
	if err != nil {
		t.Fatal(err)
	}
	owns := func(account string) (bool, error) {
		now = now.Add(time.Minute)
		return table.Owns(t.Context(), account, smtp.Path{Local: "info", Domain: "example.org"})
	}
	write(t, path, "info@example.org bob\n")
	if got, err := owns("bob"); !got || err != nil {
		t.Errorf("bob: %v, %v", got, err)
	}
	write(t, path, "garbage\n")
	if got, err := owns("bob"); !got || err != nil {
		t.Errorf("bob, who is known: %v, %v", got, err)
	}
	if got, err := owns("ann"); got || err == nil {
		t.Errorf("ann, who may be in it: %v, %v", got, err)
	}
}

func FuzzSenders(f *testing.F) {
	f.Add("info@example.org ann\n@example.net bob\na*b*c* x,y\n", "a@b")
	f.Fuzz(func(t *testing.T, text, address string) {
		path := filepath.Join(t.TempDir(), "senders")
		write(t, path, text)
		table, err := open(t, path, time.Now)
		if err != nil {
			return
		}
		local, domain, _ := strings.Cut(address, "@")
		got, err := table.Owns(t.Context(), "no such account", smtp.Path{Local: local, Domain: domain})
		if err == nil && got && !strings.Contains(text, "*") && !strings.Contains(text, "no") {
			t.Errorf("%q lets nobody be %q", text, address)
		}
	})
}
