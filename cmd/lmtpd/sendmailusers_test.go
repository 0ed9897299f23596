package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// nobodyUID is a user of every Linux host who is neither root nor the daemon.
const nobodyUID = 65534

// newMailHost prepares a daemon with a submission listener on a unix socket that everybody may connect to.
func newMailHost(t *testing.T, more string) *daemon {
	t.Helper()
	d := newDaemon(t)
	if err := os.Chmod(filepath.Join(d.dir, "data"), 0o711); err != nil {
		t.Fatal(err)
	}
	d.configure(t, fmt.Sprintf("[[listen]]\nprotocol = \"submission\"\naddress = %q\nmode = \"0666\"\npeers = [\"%d\", \"%d\", \"root\"]\n%s",
		"unix:"+filepath.Join(d.dir, "run", "submission"), nobodyUID, mailUID, more))
	if err := os.Chmod(d.config, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("lmtpd", filepath.Join(d.dir, "sendmail")); err != nil {
		t.Fatal(err)
	}
	return d
}

// sendmail is a call of sendmail by a user of the host.
func (d *daemon) sendmail(uid uint32, text string, args ...string) *exec.Cmd {
	cmd := d.command(args...)
	cmd.Args[0] = "sendmail"
	cmd.Path = filepath.Join(d.dir, "sendmail")
	cmd.Dir = "/"
	cmd.Stdin = strings.NewReader(text)
	cmd.Env = append(cmd.Env, "LMTPD_CONFIG="+d.config)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	return cmd
}

// Whoever is a user of the host may leave a message while the daemon is down, under an address of its own and no other. Root
// may send under any.
func TestSendmailOfUsers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("being somebody else takes root")
	}
	d := newMailHost(t, "")
	d.start(t) // makes the directory
	d.stop(t)
	const text = "Subject: hello\n\nHello.\n"
	for _, call := range []*exec.Cmd{
		d.sendmail(nobodyUID, text, "-f", "nobody@example.org", "ann@example.org"),
		d.sendmail(nobodyUID, text, "-f", "bob@example.org", "ann@example.org"),
		d.sendmail(0, text, "-f", "bob@example.org", "carl@example.org"),
	} {
		output(t, call)
	}
	drop := filepath.Join(d.dir, "data", "drop")
	ls := exec.Command("ls", drop)
	ls.SysProcAttr = d.sendmail(nobodyUID, "").SysProcAttr
	if out, err := ls.CombinedOutput(); err == nil {
		t.Errorf("others see what was left: %s", out)
	}
	d.start(t)
	d.await(t, `msg="took a dropped message" .*uid=65534 account=nobody@example.org from=nobody@example.org `)
	d.await(t, `msg="took a dropped message" .*uid=0 account="" from=bob@example.org `)
	d.await(t, `from=<> to=<nobody@example\.org> .*status=delivered`) // whoever wrote as somebody else hears of it
	d.drained(t)
	for mailbox, want := range map[string]int{"ann": 1, "carl": 1, "nobody": 1, "bob": 0} {
		if n := len(visible(t, d.mailbox(mailbox))); n != want {
			t.Errorf("%s has %d messages", mailbox, n)
		}
	}
	if returned := visible(t, d.mailbox("nobody")); len(returned) == 1 && !strings.Contains(string(returned[0].text), "Not an address of yours") {
		t.Errorf("the user whose it is hears\n%s", returned[0].text)
	}
}

// While the daemon is there the socket tells whose the message is, and a refusal is told at once.
func TestSendmailBySocket(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("being somebody else takes root")
	}
	d := newMailHost(t, "")
	users := filepath.Join(d.dir, "users")
	writeFile(t, users, "nobody:\nann:\n")
	chownMail(t, users)
	d.setAccounts(t, "file:"+users)
	d.start(t)
	const text = "Subject: hello\n\nHello.\n"
	output(t, d.sendmail(nobodyUID, text, "-f", "nobody@example.org", "-F", "Nobody At All", "ann@example.org"))
	d.await(t, `account=nobody|from=<nobody@example.org> to=<ann@example.org> .*status=delivered`)
	for _, refused := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-f", "ann@example.org", "ann@example.org"}, 69, "550 5.7.1 Not an address of yours"},
		{[]string{"-f", "nobody@example.org", "none@example.org"}, 67, "none@example.org: 550 5.1.1"},
		{[]string{"-f", "nobody@example.org", "-t"}, 64, "no recipient"},
	} {
		cmd := d.sendmail(nobodyUID, text, refused.args...)
		out, _ := cmd.CombinedOutput()
		if code := cmd.ProcessState.ExitCode(); code != refused.code || !strings.Contains(string(out), refused.says) {
			t.Errorf("%s: exit code %d, %s", refused.args, code, out)
		}
	}
	d.drained(t)
	all := visible(t, d.mailbox("ann"))
	if len(all) != 1 || !strings.Contains(string(all[0].text), "From: \"Nobody At All\" <nobody@example.org>") {
		t.Errorf("delivered: %q", all)
	}
}
