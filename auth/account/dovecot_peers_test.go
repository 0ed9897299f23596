package account

import (
	"bufio"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

const dovecotConf = `
base_dir = DIR/base
state_dir = DIR/state
log_path = /dev/stderr
info_log_path = /dev/stderr
protocols =
ssl = no
first_valid_uid = 1
passdb {
  driver = passwd-file
  args = DIR/users
}
userdb {
  driver = passwd-file
  args = DIR/users
}
`

// TestDovecotAgrees has Dovecot and a File read one passwd-file, half of it by hand and half of it as a Draft writes
// it, and compares what they say of each account.
func TestDovecotAgrees(t *testing.T) {
	needDovecot(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "users")
	put(t, path, strings.Join([]string{
		"# by hand",
		"",
		`back:{PLAIN}x:1000:1001:ge\:/h:/bin/sh`,
		"home:{PLAIN}x:1000:1001::/h/%u:/bin/sh:userdb_mail=maildir:~/x:INDEX=/i  userdb_quota_rule=*:storage=1M",
		"old:{PLAIN}x:1000:1001::/h:::maildir:~/Old",
		"over:{PLAIN}x:1000:1001::/h::userdb_uid=1005 userdb_home=/o userdb_gid=1006",
		"zeros:{PLAIN}x:001000:1001::/h",
		"names:{PLAIN}x:mail:mail::/h\r",
		"ann@example.org:{PLAIN}x:1000:1001::/h",
		"ann:{PLAIN}x:1002:1003::/local",
	}, "\n"))
	made := Account{Name: "made@example.org", Password: "{PLAIN}old", UID: 1007, GID: 1008, Home: "/h", Mail: "maildir:/m", Quota: Quota{3 << 30, 7}}
	err := Edit(path, func(d *Draft) error {
		if err := d.Add(made); err != nil {
			return err
		}
		if err := d.SetPassword("old", "{PLAIN}secret"); err != nil {
			return err
		}
		return d.SetDisabled("old", Disabled{Login: true, Delivery: true})
	})
	if err != nil {
		t.Fatal(err)
	}
	config := startDovecot(t, dir)
	f, err := OpenFile(FileConfig{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"back", "home", "old", "over", "zeros", "names", "ann@example.org", "ann", "ANN", "made@example.org"} {
		a, err := f.Lookup(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		want := map[string]string{"uid": fmt.Sprint(a.UID), "gid": fmt.Sprint(a.GID), "home": a.Home, "mail": a.Mail}
		if rule := a.Quota.rule(); rule != "" {
			want["quota_rule"] = rule
		}
		got := doveadm(config, "user", name)
		for key, value := range want {
			if line := key + "\t" + value + "\n"; !strings.Contains(got, line) {
				t.Errorf("%s: Dovecot does not say %q but\n%s", name, line, got)
			}
		}
	}
	if got := doveadm(config, "auth", "test", "old", "secret"); !strings.Contains(got, "auth succeeded") || !strings.Contains(got, "nologin") {
		t.Errorf("the password that was set and the bar: Dovecot says %s", got)
	}
}

func needDovecot(t *testing.T) {
	t.Helper()
	complain := t.Skipf
	if os.Getenv("LMTPD_PEERS") == "required" {
		complain = t.Fatalf
	}
	if os.Getuid() != 0 {
		complain("Dovecot changes its users, so this test has to run as root")
	}
	for _, program := range []string{"dovecot", "doveadm"} {
		if _, err := exec.LookPath(program); err != nil {
			complain("%s is missing: apt-get install dovecot-core", program)
		}
	}
}

// startDovecot starts a Dovecot that only looks accounts up, waits until it says that it does, and returns its
// configuration.
func startDovecot(t *testing.T, dir string) string {
	t.Helper()
	// Its processes run as users of their own, and t.TempDir is closed to them.
	for d := dir; d != filepath.Dir(d) && d != os.TempDir(); d = filepath.Dir(d) {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(filepath.Join(dir, "users"), 0o644); err != nil {
		t.Fatal(err)
	}
	config := filepath.Join(dir, "dovecot.conf")
	put(t, config, strings.ReplaceAll(dovecotConf, "DIR", dir))
	cmd := exec.Command("dovecot", "-c", config, "-F")
	output, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Signal(syscall.SIGTERM)
		cmd.Wait()
	})
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "starting up") {
			go io.Copy(io.Discard, output)
			return config
		}
	}
	t.Fatalf("Dovecot does not start: %s", lines.Text())
	return ""
}

// doveadm runs Dovecot's own tool and returns what it printed. That it fails is for what it printed to tell.
func doveadm(config string, args ...string) string {
	out, _ := exec.Command("doveadm", append([]string{"-c", config}, args...)...).CombinedOutput()
	return string(out) + "\n"
}
