package main

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/sqlite"
)

// What README.md shows of the sqlite3 shell does what it says.
func TestReadmeShell(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil {
		if os.Getenv("LMTPD_PEERS") == "required" {
			t.Fatal(err)
		}
		t.Skip("the sqlite3 shell is not installed")
	}
	readme, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)```sh\n(sqlite3 .*?)```").FindStringSubmatch(string(readme))
	if example == nil {
		t.Fatal("README.md shows nothing of sqlite3")
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "mail.db")
	const content = "From: Bob <bob@example.net>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nhello\r\n"
	s := fillDatabase(t, file, content)
	defer s.Close() // the daemon runs meanwhile
	cmd := exec.Command("sh", "-c", strings.ReplaceAll(example[1], "/var/lib/lmtpd/mail.db", file))
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	for _, want := range []string{"ann@example.org|1|1|", "|Bob <bob@example.net>|Grüße\n", "X: y\r\n" + content} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, and no %q in\n%s", err, want, out)
		}
	}
	if got, err := os.ReadFile(filepath.Join(dir, "1.eml")); err != nil || string(got) != "X: y\r\n"+content {
		t.Errorf("1.eml: %q, %v", got, err)
	}
}

// So does what it shows of the full-text index.
func TestReadmeShellSearch(t *testing.T) {
	file := filepath.Join(t.TempDir(), "mail.db")
	if _, err := exec.LookPath("sqlite3"); err != nil {
		t.Skip("the sqlite3 shell is not installed; TestReadmeShell says whether it must be")
	}
	readme, err := os.ReadFile(filepath.Join(moduleRoot, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples := regexp.MustCompile("(?s)```sh\n(sqlite3 [^`]*MATCH.*?)```").FindStringSubmatch(string(readme))
	if examples == nil {
		t.Fatal("README.md shows nothing of MATCH")
	}
	s := fillDatabase(t, file, "From: Bob <bob@example.net>\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n\r\nThe invoice of July.\r\n")
	defer s.Close()
	runMailbox(t, exOK, "", "index", "--store", "sqlite:"+file)
	out, err := exec.Command("sh", "-c", strings.ReplaceAll(examples[1], "/var/lib/lmtpd/mail.db", file)).CombinedOutput()
	for _, want := range []string{"|Bob <bob@example.net>|Grüße\n", "ann@example.org|1\n", "1|The [invoice] of July.\n"} {
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%v, and no %q in\n%s", err, want, out)
		}
	}
}

func fillDatabase(t *testing.T, file, content string) *sqlite.Store {
	t.Helper()
	template, err := store.ParseShared(file)
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(sqlite.Config{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	to := []store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}, Trace: []byte("X: y\r\n")}}
	if err := errors.Join(s.Deliver(t.Context(), strings.NewReader(content), to)...); err != nil {
		t.Fatal(err)
	}
	return s
}
