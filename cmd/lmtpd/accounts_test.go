package main_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/auth/account/sqlite"
)

// setAccounts has a daemon's configuration look accounts up elsewhere.
func (d *daemon) setAccounts(t *testing.T, url string) {
	t.Helper()
	conf, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, d.config, strings.Replace(string(conf), `accounts = "any"`, `accounts = "`+url+`"`, 1))
}

// refuses checks that neither check nor serve takes the configuration, and what they say.
func (d *daemon) refuses(t *testing.T, code int, wants ...string) {
	t.Helper()
	for _, args := range [][]string{{"check", "--config", d.config}, {"serve", "--config", d.config, "--lmtp", "127.0.0.1:0"}} {
		out, err := d.command(args...).CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != code {
			t.Errorf("%s: %v, want exit code %d", args[0], err, code)
		}
		for _, want := range wants {
			if !strings.Contains(string(out), want) {
				t.Errorf("%s does not say %q:\n%s", args[0], want, out)
			}
		}
	}
}

// rcpts checks the status and the end of the text that recipients hear.
func rcpts(t *testing.T, c dialogue, replies map[string]string) {
	t.Helper()
	for address, want := range replies {
		code := 550
		if want[0] == '2' {
			code = 250
		}
		text := c.say(code, "RCPT TO:<%s>", address)
		if status, end, _ := strings.Cut(want, " "); !strings.HasPrefix(text, status+" <"+address+">") || !strings.HasSuffix(text, end) {
			t.Errorf("%s: %s, want %s", address, text, want)
		}
	}
}

// Accounts from a passwd-file: who is in it has a mailbox, nobody else, one that takes no mail is told so. A file with
// mistakes is refused, line by line, by check and by serve.
func TestAccountsFile(t *testing.T) {
	d := newDaemon(t)
	users := filepath.Join(d.dir, "users")
	writeFile(t, users, "ann@example.org:{PLAIN}x::::::\nleft:{PLAIN}x::::::nodelivery=yes\n")
	d.setAccounts(t, "file:"+users)
	if out := d.run(t, "check", "--config", d.config); !strings.Contains(out, "users: 2 in it have a mailbox, and nobody else") {
		t.Errorf("check says\n%s", out)
	}
	d.start(t)
	c := dial(t, "unix", d.socket).lhlo()
	c.say(250, "MAIL FROM:<sender@example.net>")
	rcpts(t, c, map[string]string{
		"Ann@example.org": "2.1.5", "eve@example.org": "5.1.1 No such mailbox", "left@example.org": "5.2.1 Mailbox is disabled",
	})
	writeFile(t, users, "no colon in this line\nann:x:0:0\n")
	d.refuses(t, 78, users+":1: ", users+":2: ")
}

// Accounts from a database: the same, and a change counts at once. What is no such database is refused.
func TestAccountsDatabase(t *testing.T) {
	d := newDaemon(t)
	users := filepath.Join(d.dir, "users?.db")
	d.setAccounts(t, "sqlite:"+users)
	d.refuses(t, 78, "no such file", "lmtpd user add --accounts sqlite:"+users+" makes one")
	add := func(d *sqlite.Draft) error {
		return errors.Join(d.Add(account.Account{Name: "ann@example.org", UID: -1, GID: -1}), d.Add(account.Account{Name: "left", UID: -1, GID: -1}),
			d.SetDisabled("left", account.Disabled{Delivery: true}))
	}
	if err := errors.Join(sqlite.Create(users), sqlite.Edit(users, add), os.Chmod(users, 0o644)); err != nil {
		t.Fatal(err)
	}
	if out := d.run(t, "check", "--config", d.config); !strings.Contains(out, "users?.db: 2 in it have a mailbox, and nobody else") {
		t.Errorf("check says\n%s", out)
	}
	d.start(t)
	c := dial(t, "unix", d.socket).lhlo()
	c.say(250, "MAIL FROM:<sender@example.net>")
	rcpts(t, c, map[string]string{
		"Ann@example.org": "2.1.5", "eve@example.org": "5.1.1 No such mailbox", "left@example.org": "5.2.1 Mailbox is disabled",
	})
	if err := sqlite.Edit(users, func(d *sqlite.Draft) error { return d.Remove("ann@example.org") }); err != nil {
		t.Fatal(err)
	}
	rcpts(t, c, map[string]string{"Ann@example.org": "5.1.1 No such mailbox"})
	if err := os.Remove(users); err != nil {
		t.Fatal(err)
	}
	c.say(451, "RCPT TO:<eve@example.org>")
	writeFile(t, users, strings.Repeat("no database\n", 100))
	d.refuses(t, 65, users+" is not an SQLite database")
}

// Accounts of the host: who is no user has no mailbox. Root is one, and mail for him is deferred, because a daemon that
// is not root may not write for him.
func TestAccountsSystem(t *testing.T) {
	d := newDaemon(t)
	d.setAccounts(t, "system")
	if out := d.run(t, "check", "--config", d.config); !strings.Contains(out, "system: every user of this host has a mailbox") {
		t.Errorf("check says\n%s", out)
	}
	d.start(t)
	c := dial(t, "unix", d.socket).lhlo()
	c.say(250, "MAIL FROM:<sender@example.net>")
	rcpts(t, c, map[string]string{"who-is-that@example.org": "5.1.1 No such mailbox"})
	c.say(451, "RCPT TO:<Root@example.org>")
}
