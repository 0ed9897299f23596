package dovecot

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"lmtpd/auth"
)

const dovecotConf = `
base_dir = DIR/base
state_dir = DIR/state
log_path = /dev/stderr
info_log_path = /dev/stderr
protocols =
ssl = no
first_valid_uid = 1
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256 anonymous external
auth_failure_delay = 0
auth_ssl_username_from_cert = yes
auth_debug = yes
passdb {
  driver = passwd-file
  args = DIR/masters
  master = yes
  pass = yes
  mechanisms = plain
}
passdb {
  driver = passwd-file
  args = DIR/users
}
userdb {
  driver = passwd-file
  args = DIR/users
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service auth {
  unix_listener DIR/auth-client {
    mode = 0666
  }
}
`

const dovecotUsers = `ann@example.org:{PLAIN}secret:1000:1000::/h
barred@example.org:{PLAIN}secret:1000:1000::/h::nologin=y
elsewhere@example.org:{PLAIN}secret:1000:1000::/h::proxy=y host=192.0.2.1
inside@example.org:{PLAIN}secret:1000:1000::/h::allow_nets=192.0.2.0/24
bound@example.org:{PLAIN}:1000:1000::/h::nopassword=y
`

// With a Dovecot of its own the package logs in by every mechanism that Dovecot has, and Dovecot refuses whom it should.
func TestDovecot(t *testing.T) {
	d := newDovecot(t)
	d.start()
	c := d.client()
	ch := auth.Channel{Session: "s1", Peer: netip.MustParseAddr("192.0.2.7"), Secured: true}
	want := []string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"}
	if got := c.Mechanisms(ch); !sameSet(got, want) {
		t.Fatalf("mechanisms: %q", got)
	}
	if got := c.Mechanisms(auth.Channel{}); slices.Contains(got, "PLAIN") || slices.Contains(got, "LOGIN") || len(got) != 4 {
		t.Errorf("mechanisms where others may listen: %q", got)
	}
	for _, m := range want {
		t.Run(m, func(t *testing.T) { everyName(t, c, m, ch) })
	}
	t.Run("EXTERNAL", func(t *testing.T) { external(t, c, ch) })
	t.Run("long", func(t *testing.T) { longest(t, c, ch) })
	t.Run("master", func(t *testing.T) {
		account, err := login(t, c.Begin("PLAIN", ch), said("ann@example.org\x00root\x00mastered"))
		if err != nil || account != "ann@example.org" {
			t.Errorf("a master: %q, %v", account, err)
		}
		account, err = login(t, c.Begin("PLAIN", ch), said("nobody@example.org\x00root\x00mastered"))
		if account != "" || !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("a master of nobody: %q, %v", account, err)
		}
	})
	t.Run("restart", func(t *testing.T) {
		half := c.Begin("CRAM-MD5", ch)
		if _, _, err := half.Next(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
		d.kill()
		if _, _, err := half.Next(t.Context(), []byte("ann@example.org 00")); err == nil || errors.Is(err, auth.ErrCredentials) {
			t.Errorf("an exchange that Dovecot has forgotten: %v", err)
		}
		if _, err := login(t, c.Begin("PLAIN", ch), said("\x00ann@example.org\x00secret")); err == nil || errors.Is(err, auth.ErrCredentials) {
			t.Errorf("without Dovecot: %v", err)
		}
		d.start()
		if err := c.Ready(t.Context()); err != nil {
			t.Fatal(err)
		}
		if account, err := login(t, c.Begin("PLAIN", ch), said("\x00ann@example.org\x00secret")); err != nil || account != "ann@example.org" {
			t.Errorf("after it: %q, %v", account, err)
		}
	})
}

// everyName logs in by a mechanism as those who may and those who may not.
func everyName(t *testing.T, c *Client, mechanism string, ch auth.Channel) {
	outside := ch
	outside.Peer = netip.MustParseAddr("198.51.100.7")
	for _, test := range []struct {
		name, password string
		channel        auth.Channel
		refused        bool // or else it could not be told
		account        string
	}{
		{"ann@example.org", "secret", ch, false, "ann@example.org"},
		{"ann@example.org", "secret", auth.Channel{Secured: true}, false, "ann@example.org"}, // of a unix socket
		{"ANN@example.org", "secret", ch, false, "ann@example.org"},
		{"inside@example.org", "secret", ch, false, "inside@example.org"},
		{"inside@example.org", "secret", outside, true, ""},
		{"ann@example.org", "another", ch, true, ""},
		{"nobody@example.org", "secret", ch, true, ""},
		{"barred@example.org", "secret", ch, true, ""},
		{"elsewhere@example.org", "secret", ch, false, ""},
	} {
		if mechanism == "DIGEST-MD5" && strings.HasPrefix(test.name, "ANN") {
			continue // the name is part of what is hashed
		}
		e := c.Begin(mechanism, test.channel)
		account, err := login(t, e, speaker(t, mechanism, test.name, test.password))
		if account != test.account || (err == nil) != (account != "") || errors.Is(err, auth.ErrCredentials) != test.refused {
			t.Errorf("%s, password %s: %q, %v", test.name, test.password, account, err)
		}
		if e.Claimed() != test.name {
			t.Errorf("%s: claimed %q", test.name, e.Claimed())
		}
	}
}

// longest sends the longest line that is sent, which Dovecot takes, and answers.
func longest(t *testing.T, c *Client, ch auth.Channel) {
	conn, err := c.connection(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	e := &exchange{client: c, mechanism: "PLAIN", channel: ch}
	response := []byte("\x00ann@example.org\x00secret")
	for {
		longer := append(response, "xxx"...)
		if len(e.authLine(&request{conn: conn, id: 100}, longer)) > maxSent {
			break
		}
		response = longer
	}
	if account, err := login(t, c.Begin("PLAIN", ch), said(string(response))); account != "" || !errors.Is(err, auth.ErrCredentials) {
		t.Errorf("%d octets: %q, %v", len(response), account, err)
	}
	if conn.isBroken() {
		t.Error("Dovecot has hung up")
	}
}

// external logs in with a certificate, which for Dovecot is one in the name of an account that needs no password.
func external(t *testing.T, c *Client, ch auth.Channel) {
	ch.Names = []string{"nobody@example.org", "bound@example.org"}
	ch.Binding = func(string) ([]byte, error) { return nil, errors.New("none") }
	if account, err := login(t, c.Begin("EXTERNAL", ch), said("bound@example.org")); err != nil || account != "bound@example.org" {
		t.Errorf("the second name: %q, %v", account, err)
	}
	for _, as := range []string{"", "ann@example.org"} {
		if account, err := login(t, c.Begin("EXTERNAL", ch), said(as)); account != "" || err == nil {
			t.Errorf("as %q: %q", as, account)
		}
	}
}

// A dovecot is one that only authenticates.
type dovecot struct {
	t   *testing.T
	dir string
	cmd *exec.Cmd
}

// newDovecot returns one that is not started yet. Its sockets are in a directory of a short name, as their paths have to be.
func newDovecot(t *testing.T) *dovecot {
	t.Helper()
	needDovecot(t)
	dir, err := os.MkdirTemp("", "dovecot")
	if err != nil {
		t.Fatal(err)
	}
	d := &dovecot{t: t, dir: dir}
	t.Cleanup(func() {
		d.stop()
		os.RemoveAll(dir)
	})
	// Its processes run as users of their own.
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	d.put("users", dovecotUsers)
	d.put("masters", "root:{PLAIN}mastered\n")
	d.put("dovecot.conf", strings.ReplaceAll(dovecotConf, "DIR", dir))
	return d
}

func (d *dovecot) put(name, text string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o644); err != nil {
		d.t.Fatal(err)
	}
}

// start starts it, and waits until it says that it has.
func (d *dovecot) start() {
	d.t.Helper()
	d.cmd = exec.Command("dovecot", "-c", filepath.Join(d.dir, "dovecot.conf"), "-F")
	output, err := d.cmd.StderrPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	lines := bufio.NewScanner(output)
	for lines.Scan() {
		if strings.Contains(lines.Text(), "starting up") {
			go io.Copy(io.Discard, output)
			return
		}
	}
	d.t.Fatalf("Dovecot does not start: %s", lines.Text())
}

// kill stops it and its authentication service, which else goes on for half a minute for those who are connected.
func (d *dovecot) kill() {
	d.t.Helper()
	conn, err := net.Dial("unix", filepath.Join(d.dir, "auth-client"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer conn.Close()
	pid := 0
	for lines := bufio.NewScanner(conn); pid == 0 && lines.Scan(); {
		fmt.Sscanf(lines.Text(), "SPID\t%d", &pid)
	}
	if pid == 0 {
		d.t.Fatal("Dovecot does not say which process it is")
	}
	d.stop()
	syscall.Kill(pid, syscall.SIGKILL)
}

func (d *dovecot) stop() {
	if d.cmd != nil {
		d.cmd.Process.Signal(syscall.SIGTERM)
		d.cmd.Wait()
		d.cmd = nil
	}
}

// client returns a Client of it.
func (d *dovecot) client() *Client {
	d.t.Helper()
	c, err := New(Config{Address: "unix:" + filepath.Join(d.dir, "auth-client"), Log: fakeLog()})
	if err != nil {
		d.t.Fatal(err)
	}
	d.t.Cleanup(func() { c.Close() })
	if err := c.Ready(context.Background()); err != nil {
		d.t.Fatal(err)
	}
	return c
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
	if _, err := exec.LookPath("dovecot"); err != nil {
		complain("dovecot is missing: apt-get install dovecot-core")
	}
}

// sameSet says whether a and b have the same, in whatever order.
func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
