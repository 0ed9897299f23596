package main

import (
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"golang.org/x/sys/unix"
)

var noDate = regexp.MustCompile(` \d{10} `)

// A maildir that a stranger made is imported as far as it is mail: no symlink is followed, nothing is waited for, and what is
// no folder's name makes none.
func TestMailboxImportHostileMaildir(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	box, secret := filepath.Join(dir, "box"), filepath.Join(dir, "secret")
	var errs []error
	for _, sub := range []string{"cur", "new", "tmp", "cur/directory", ".Work/cur", ".Work/new", ".a..b/cur", ".&bad/new", ".Sp am/new", ".\x01/new"} {
		errs = append(errs, os.MkdirAll(filepath.Join(box, sub), 0o700))
	}
	for name, text := range map[string]string{
		secret: "Subject: secret\n\n", filepath.Join(box, "cur", "1:2,S"): "Subject: one\n\nFrom here", filepath.Join(box, "cur", ".hidden"): "x",
		filepath.Join(box, "new", "bad\nname\x1b[2J"): "Subject: two\n", filepath.Join(box, ".Work", "cur", "1:2,ZZabc"): "",
		filepath.Join(box, ".a..b", "cur", "1"): "x", filepath.Join(box, ".&bad", "new", "1"): "x", filepath.Join(box, ".Sp am", "new", "1"): "x\n",
		filepath.Join(box, ".\x01", "new", "1"): "x", filepath.Join(box, ".Work", "dovecot-keywords"): "0 \xff\n1 a b\n2 \\Seen\n99 x\n",
		filepath.Join(box, "subscriptions"): "V\t2\n\n..\t..\n/etc\nWork\n",
	} {
		errs = append(errs, os.WriteFile(name, []byte(text), 0o600))
	}
	errs = append(errs, os.Symlink(secret, filepath.Join(box, "cur", "link")), os.Symlink("/etc", filepath.Join(box, ".Etc")),
		unix.Mkfifo(filepath.Join(box, "new", "pipe"), 0o600))
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"4 put  0", "0 put  4"} {
		if got := runMailbox(t, exOK, "", "import", "--data", data, "ann", "maildir:"+box); got != "ann@localhost  "+want+" there already  0 failed\n" {
			t.Errorf("%q, want %s", got, want)
		}
	}
	got := allMail(t, data, annHere)
	for i, line := range got {
		got[i] = noDate.ReplaceAllString(line, " ")
	}
	sameMail(t, got, []string{
		`INBOX ["\\Seen"] "Subject: one\r\n\r\nFrom here"`, `INBOX [] "Subject: two\r\n"`, `Sp am [] "x\r\n"`, `Work [] ""`,
	})
	if subs := runMailbox(t, exOK, "", "folders", "--data", data, "ann"); subs != "INBOX  2  39  subscribed\nSp am  1  3   -\nWork   1  0   subscribed\n" {
		t.Errorf("folders:\n%s", subs)
	}
}
