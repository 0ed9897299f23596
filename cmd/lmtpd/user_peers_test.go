package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/password"
)

// Dovecot lets those in that were added here, and a hash that it has made is verified here.
func TestDovecotSharesUsers(t *testing.T) {
	needPeers(t, "dovecot", "doveadm")
	d := newDaemon(t)
	mkdirOwned(t, filepath.Join(d.dir, "etc"))
	users, secret := filepath.Join(d.dir, "etc", "users"), filepath.Join(d.dir, "secret")
	writeFile(t, secret, "sécret one\n")
	user := func(args ...string) string {
		t.Helper()
		return d.run(t, append([]string{"user", args[0], "--accounts", "file:" + users}, args[1:]...)...)
	}
	user("add", "--password-file", secret, "Ann@Example.org")
	if err := os.Chmod(users, 0o644); err != nil { // Dovecot asks as a user of its own
		t.Fatal(err)
	}
	for _, scheme := range password.Schemes() {
		user("add", "--password-file", secret, "--scheme", scheme, scheme+"@example.org")
	}
	user("add", "--no-login", "nobody@example.org")
	hash := strings.TrimSpace(run(t, "doveadm", "pw", "-s", "SSHA512", "-p", "sécret one"))
	file, err := os.OpenFile(users, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err = file.WriteString("dove@example.org:" + hash + "\n"); err != nil {
		t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		t.Fatal(err)
	}
	dove := startDovecot(t, d.root, "auth_failure_delay = 0\npassdb {\n  driver = passwd-file\n  args = "+users+"\n}")

	for line := range strings.Lines(user("list")) {
		name := strings.Fields(line)[0]
		if name == "nobody@example.org" {
			continue
		}
		if said, ok := dove.test(name, "sécret one"); !ok {
			t.Errorf("Dovecot does not let %s in: %s", name, said)
		}
		user("verify", "--password-file", secret, name)
	}
	for name, tried := range map[string]string{"ann@example.org": "sécret two", "nobody@example.org": "x"} {
		if said, ok := dove.test(name, tried); ok {
			t.Errorf("Dovecot lets %s in with a wrong password: %s", name, said)
		}
	}
	writeFile(t, secret, "sécret two\n")
	user("passwd", "--password-file", secret, "--scheme", "BLF-CRYPT", "ann@example.org")
	dove.awaitTest(t, "auth succeeded", "ann@example.org", "sécret two")
	user("disable", "--login", "ann@example.org")
	dove.awaitTest(t, "nologin", "ann@example.org", "sécret two")
	dove.satisfied(t)
}

// test tries a password, and returns what doveadm says.
func (d *dovecot) test(name, password string) (said string, ok bool) {
	out, err := exec.Command("doveadm", "-c", d.config, "auth", "test", name, password).CombinedOutput()
	return string(out), err == nil
}

// awaitTest tries a password until doveadm says what it should: Dovecot looks at a file once a second.
func (d *dovecot) awaitTest(t *testing.T, want, name, password string) {
	t.Helper()
	for end := time.Now().Add(patience); ; {
		said, _ := d.test(name, password)
		if strings.Contains(said, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("Dovecot does not say %q of %s: %s", want, name, said)
		}
	}
}
