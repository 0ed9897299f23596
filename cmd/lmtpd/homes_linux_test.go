package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Mail for users lies in their homes and is theirs, where lmtpd runs as root or has the two capabilities; without them it is
// deferred. A home that is not there is deferred, too, and not made.
func TestHomes(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("only root can act for other users")
	}
	const capSetgid, capSetuid = 6, 7
	mail := func(caps ...uintptr) *syscall.SysProcAttr {
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: mailUID, Gid: mailUID}, AmbientCaps: caps}
	}
	const delivered, deferred = 250, 451
	for _, test := range []struct {
		name string
		as   *syscall.SysProcAttr
		want map[string]int
	}{
		{"root", &syscall.SysProcAttr{}, map[string]int{"ann": delivered, "bob": delivered, "own": delivered, "gone": deferred}},
		{"capabilities", mail(capSetuid, capSetgid), map[string]int{"ann": delivered, "bob": delivered, "own": delivered, "gone": deferred}},
		{"neither", mail(), map[string]int{"ann": deferred, "bob": deferred, "own": delivered, "gone": deferred}},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDaemon(t)
			ids := map[string]int{"ann": 54321, "bob": 54322, "own": mailUID, "gone": 54323}
			d.inHomes(t, ids)
			cmd := d.command("serve", "--config", d.config)
			cmd.SysProcAttr = test.as
			d.launch(t, cmd)
			for name, want := range test.want {
				c := dial(t, "unix", d.socket).lhlo()
				c.say(250, "MAIL FROM:<sender@example.net>")
				c.say(want, "RCPT TO:<%s@home.example.org>", name)
				if want == deferred {
					continue
				}
				c.say(354, "DATA")
				c.content([]byte("Subject: x\r\n\r\nx\r\n"))
				c.reply(250)
			}
			for name, want := range test.want {
				d.expectHome(t, name, ids[name], want == delivered)
			}
		})
	}
}

// inHomes gives users homes, all but one, and has their mail kept there.
func (d *daemon) inHomes(t *testing.T, ids map[string]int) {
	t.Helper()
	var users strings.Builder
	for name, id := range ids {
		home := filepath.Join(d.dir, "home", name)
		fmt.Fprintf(&users, "%s:{PLAIN}x:%d:%d::%s::\n", name, id, id, home)
		if name == "gone" {
			continue
		}
		if err := os.MkdirAll(home, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(home, id, id); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(home, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	list := filepath.Join(d.dir, "users")
	writeFile(t, list, users.String())
	d.configure(t, "[[mailboxes]]\ndomains = [\"home.example.org\"]\naccounts = \"file:"+list+"\"\nstore = \"maildir:%h/Maildir\"")
}

// expectHome checks that a home holds one message, or nothing, and that all of it is its user's.
func (d *daemon) expectHome(t *testing.T, name string, id int, filled bool) {
	t.Helper()
	home := filepath.Join(d.dir, "home", name)
	messages, err := filepath.Glob(filepath.Join(home, "Maildir/new/*"))
	if err != nil || (len(messages) == 1) != filled {
		t.Errorf("%s has %q, %v, want a message: %v", name, messages, err, filled)
	}
	for _, path := range append(messages, home) {
		info, err := os.Stat(path)
		switch {
		case err != nil && name == "gone":
		case err != nil:
			t.Error(err)
		case info.Sys().(*syscall.Stat_t).Uid != uint32(id) || info.Mode().Perm()&0o077 != 0:
			t.Errorf("%s: %v, uid %d", path, info.Mode(), info.Sys().(*syscall.Stat_t).Uid)
		}
	}
}
