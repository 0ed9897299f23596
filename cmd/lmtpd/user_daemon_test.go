package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A daemon sees by itself who is added, disabled and removed.
func TestUserChangesAreSeen(t *testing.T) {
	for _, kind := range []string{"file", "sqlite"} {
		t.Run(kind, func(t *testing.T) {
			d := newDaemon(t)
			url := kind + ":" + filepath.Join(d.dir, "data", "users")
			user := func(args ...string) {
				t.Helper()
				d.run(t, append([]string{"user", args[0], "--accounts", url}, args[1:]...)...)
			}
			user("add", "--no-login", "first@example.org")
			d.useAccounts(t, url)
			d.start(t)
			d.awaitReply(t, "ann@example.org", "5.1.1 ")
			user("add", "--no-login", "Ann@Example.org")
			d.awaitReply(t, "ann@example.org", "2.1.5 ")
			user("disable", "--delivery", "ann@example.org")
			d.awaitReply(t, "ann@example.org", "5.2.1 ")
			user("enable", "ann@example.org")
			d.awaitReply(t, "ann@example.org", "2.1.5 ")
			user("remove", "ann@example.org")
			d.awaitReply(t, "ann@example.org", "5.1.1 ")
		})
	}
}

// useAccounts changes the configuration.
func (d *daemon) useAccounts(t *testing.T, url string) {
	t.Helper()
	conf, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, d.config, strings.Replace(string(conf), `accounts = "any"`, `accounts = "`+url+`"`, 1))
}

// awaitReply asks for a recipient again and again until the reply has a status. Files are looked at once a second.
func (d *daemon) awaitReply(t *testing.T, recipient, status string) {
	t.Helper()
	c, end := dial(t, "unix", d.socket).lhlo(), time.After(patience)
	for {
		c.say(250, "MAIL FROM:<sender@example.net>")
		if err := c.PrintfLine("RCPT TO:<%s>", recipient); err != nil {
			t.Fatal(err)
		}
		reply := c.any()
		if strings.Contains(reply, status) {
			c.say(221, "QUIT")
			return
		}
		c.say(250, "RSET")
		select {
		case <-time.After(20 * time.Millisecond):
		case <-end:
			t.Fatalf("%s: %s, want %s", recipient, reply, status)
		}
	}
}
