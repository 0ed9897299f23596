package main_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// A dovecot is an instance of its own that reads the same maildirs as the daemon does, as the same user, on unix
// sockets. What it logs comes out as its output.
type dovecot struct {
	*child
	config string
	imap   string
	lmtp   string
}

const dovecotConf = `
base_dir = DIR/base
state_dir = DIR/state
log_path = /dev/stderr
info_log_path = /dev/stderr
protocols = imap lmtp
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:ROOT/%d/%n
mail_uid = UID
mail_gid = UID
first_valid_uid = 1
namespace inbox {
  inbox = yes
  separator = /
}
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 0
  }
  unix_listener DIR/imap {
    mode = 0666
  }
}
service lmtp {
  unix_listener DIR/lmtp {
    mode = 0666
  }
}
`

// dovecotEverybody gives everybody an account.
const dovecotEverybody = `
passdb {
  driver = static
  args = password=test
}
userdb {
  driver = static
  args = uid=UID gid=UID home=DIR/home/%u allow_all_users=yes
}
`

// startDovecot starts Dovecot on the maildirs below root, where everybody has an account, and waits until it takes
// connections. more is put behind its configuration.
func startDovecot(t *testing.T, root string, more ...string) *dovecot {
	t.Helper()
	return launchDovecot(t, root, append([]string{dovecotEverybody}, more...)...)
}

// launchDovecot is startDovecot without the accounts, which more has to tell of.
func launchDovecot(t *testing.T, root string, more ...string) *dovecot {
	t.Helper()
	dir := openDir(t)
	d := &dovecot{
		config: filepath.Join(dir, "dovecot.conf"),
		imap:   filepath.Join(dir, "imap"),
		lmtp:   filepath.Join(dir, "lmtp"),
	}
	mkdirOwned(t, filepath.Join(dir, "home"))
	fill := strings.NewReplacer("DIR", dir, "ROOT", root, "UID", fmt.Sprint(mailUID))
	writeFile(t, d.config, fill.Replace(dovecotConf+strings.Join(more, "\n")))
	d.child = startChild(t, exec.Command("dovecot", "-c", d.config, "-F"))
	awaitSocket(t, d.child, "unix", d.imap)
	return d
}

// doveadm runs Dovecot's own tool and returns the words it printed.
func (d *dovecot) doveadm(t *testing.T, args ...string) []string {
	t.Helper()
	return strings.Fields(run(t, "doveadm", append([]string{"-c", d.config}, args...)...))
}

// satisfied expects that Dovecot found nothing to complain about in what it read, wrong sizes above all.
func (d *dovecot) satisfied(t *testing.T) {
	t.Helper()
	for _, line := range d.matching(`: (Warning|Error|Fatal|Panic): `) {
		t.Errorf("Dovecot complains: %s", line)
	}
}
