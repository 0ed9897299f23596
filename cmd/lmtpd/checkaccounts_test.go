package main

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Accounts whose mail would be deferred are told, with the reason; in a database their places mean nothing.
func TestCheckAccounts(t *testing.T) {
	dir := t.TempDir()
	users := filepath.Join(dir, "users")
	put(t, users, "ann:x:1000:::/home/ann::\nben@example.org:x::1000::/home/ben::\ncyd:x::::::userdb_mail=mdbox:~/mail\ndan:x:::::\n")
	config := filepath.Join(dir, "c.toml")
	mailboxes := "[[mailboxes]]\ndomains = [\"example.org\"]\naccounts = \"file:" + users + "\"\nstore = \""
	put(t, config, mailboxes+"maildir:"+dir+"/mail/%n\"\n")
	want := "lmtpd: accounts that can have no mail:\n" +
		"file:USERS: ann@example.org: account ann has a uid and no gid\n" +
		"file:USERS: ben@example.org: account ben@example.org has a gid and no uid\n" +
		"file:USERS: cyd@example.org: account cyd: mail \"mdbox:~/mail\": only maildir:PATH can be used\n"
	want = strings.ReplaceAll(want, "USERS", users)
	if code, _, stderr := runApp(t, "check", "--config", config); code != exConfig || stderr != want {
		t.Errorf("exit %d, %s\nwant\n%s", code, stderr, want)
	}
	put(t, config, mailboxes+"sqlite:"+dir+"/mail.db\"\n")
	if code, _, stderr := runApp(t, "check", "--config", config); code != exOK || stderr != "" {
		t.Errorf("a database: exit %d, %s", code, stderr)
	}
}

// What is wrong with a database of accounts is told, too, and with the others as well.
func TestCheckAccountsDatabase(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users.db")
	for _, args := range [][]string{{"--uid", "1000", "ann@example.org"}, {"ben@example.org"}, {"cyd@example.org"}} {
		add := append([]string{"user", "add", "--accounts", "sqlite:" + path, "--no-login"}, args...)
		if code, _, stderr := runApp(t, add...); code != exOK {
			t.Fatalf("user add: exit %d, %s", code, stderr)
		}
	}
	db, err := sql.Open("sqlite3", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec("UPDATE accounts SET home = char(10) WHERE name = 'ben@example.org'"); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "c.toml")
	put(t, config, "[[mailboxes]]\ndomains = [\"example.org\"]\naccounts = \"sqlite:"+path+"\"\nstore = \"maildir:"+dir+"/mail/%n\"\n")
	code, stdout, stderr := runApp(t, "check", "--config", config)
	if !strings.Contains(stdout, "2 in it have a mailbox, and others cannot be read") {
		t.Errorf("check does not say that two can be used:\n%s", stdout)
	}
	if code != exConfig || !strings.Contains(stderr, "ann@example.org: account ann@example.org has a uid and no gid") || !strings.Contains(stderr, "ben@example.org") {
		t.Errorf("exit %d, %s", code, stderr)
	}
}

// An account is judged by the block that its domain belongs to, one that takes no mail by none, and one whose place is in a
// home must have one.
func TestCheckAccountsOfBlocks(t *testing.T) {
	dir := t.TempDir()
	put(t, filepath.Join(dir, "users"), "ann@example.net:x:1000\noff@example.org:x:1000:::::nodelivery\nben@example.org:x:1000:1000\nben@home.example:x:1000:1000\n")
	block := func(domain, store string) string {
		return "[[mailboxes]]\ndomains = [\"" + domain + "\"]\naccounts = \"file:" + dir + "/users\"\nstore = \"" + store + "\"\n"
	}
	config := filepath.Join(dir, "c.toml")
	blocks := block("example.org", "maildir:"+dir+"/mail/%n") + block("example.net", "sqlite:"+dir+"/mail.db")
	put(t, config, blocks)
	if code, _, stderr := runApp(t, "check", "--config", config); code != exOK || stderr != "" {
		t.Errorf("exit %d, %s", code, stderr)
	}
	put(t, config, blocks+block("home.example", "maildir:%h/Maildir"))
	want := "lmtpd: accounts that can have no mail:\nfile:" + dir + "/users: ben@home.example: home of ben@home.example: none is known\n"
	if code, _, stderr := runApp(t, "check", "--config", config); code != exConfig || stderr != want {
		t.Errorf("exit %d, %s, want %s", code, stderr, want)
	}
}

// A long list of them is cut.
func TestCheckAccountsMany(t *testing.T) {
	dir := t.TempDir()
	var users strings.Builder
	for i := range maxUnserved + 2 {
		fmt.Fprintf(&users, "user%d:x:1000\n", i)
	}
	put(t, filepath.Join(dir, "users"), users.String())
	config := filepath.Join(dir, "c.toml")
	put(t, config, "[[mailboxes]]\ndomains = [\"example.org\"]\naccounts = \"file:"+dir+"/users\"\nstore = \"maildir:"+dir+"/mail/%n\"\n")
	code, _, stderr := runApp(t, "check", "--config", config)
	if lines := strings.Split(strings.TrimSpace(stderr), "\n"); code != exConfig || len(lines) != maxUnserved+2 || lines[maxUnserved+1] != "and 2 more" {
		t.Errorf("exit %d, %d lines: %s", code, len(lines), stderr)
	}
}

// Whose mail this process could not touch is told, for the daemon may run as the same user; it is no mistake.
func TestCheckAccountsOfOthers(t *testing.T) {
	dir := t.TempDir()
	who, why := "ben@example.org", "that takes root, or CAP_SETUID and CAP_SETGID"
	if os.Getuid() == 0 {
		who, why = "ann@example.org", "that takes its uid and gid"
	}
	put(t, filepath.Join(dir, "users"), "ann:x::::/home/ann::\nben:x:1:1::/home/ben::\n")
	config := filepath.Join(dir, "c.toml")
	put(t, config, "[[mailboxes]]\ndomains = [\"example.org\"]\naccounts = \"file:"+dir+"/users\"\nstore = \"maildir:%h/Maildir\"\n")
	code, stdout, stderr := runApp(t, "check", "--config", config)
	_, line, _ := strings.Cut(stdout, "  deferred ")
	line, _, _ = strings.Cut(line, "\n")
	if code != exOK || !strings.HasPrefix(strings.TrimSpace(line), "mail for "+who+": ") || !strings.HasSuffix(line, why) {
		t.Errorf("exit %d, %s, %q, want %s, %s", code, stderr, line, who, why)
	}
}
