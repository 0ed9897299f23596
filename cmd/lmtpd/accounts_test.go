package main_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Accounts from a passwd-file: who is in it has a mailbox, nobody else, one that takes no mail is told so. A file with
// mistakes is refused, line by line, by check and by serve.
func TestAccountsFile(t *testing.T) {
	d := newDaemon(t)
	users := filepath.Join(d.dir, "users")
	writeFile(t, users, "ann@example.org:{PLAIN}x::::::\nleft:{PLAIN}x::::::nodelivery=yes\n")
	conf, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, d.config, strings.Replace(string(conf), `accounts = "any"`, `accounts = "file:`+users+`"`, 1))
	if out := d.run(t, "check", "--config", d.config); !strings.Contains(out, "users: 2 in it have a mailbox, and nobody else") {
		t.Errorf("check says\n%s", out)
	}
	d.start(t)
	c := dial(t, "unix", d.socket).lhlo()
	c.say(250, "MAIL FROM:<sender@example.net>")
	for command, want := range map[string]string{
		"RCPT TO:<Ann@example.org>":  "2.1.5 <Ann@example.org>",
		"RCPT TO:<eve@example.org>":  "5.1.1 <eve@example.org> No such mailbox",
		"RCPT TO:<left@example.org>": "5.2.1 <left@example.org> Mailbox is disabled",
	} {
		code := 550
		if want[0] == '2' {
			code = 250
		}
		if text := c.say(code, "%s", command); !strings.HasPrefix(text, want) {
			t.Errorf("%s: %s, want %s", command, text, want)
		}
	}
	writeFile(t, users, "no colon in this line\nann:x:0:0\n")
	for _, args := range [][]string{{"check", "--config", d.config}, {"serve", "--config", d.config, "--lmtp", "127.0.0.1:0"}} {
		out, err := d.command(args...).CombinedOutput()
		if err == nil || !strings.Contains(string(out), users+":1: ") || !strings.Contains(string(out), users+":2: ") {
			t.Errorf("%s: %v\n%s", args[0], err, out)
		}
	}
}
