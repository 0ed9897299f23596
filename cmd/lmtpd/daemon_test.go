package main_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A daemon is `lmtpd serve` as a child process, on a unix socket and a loopback port, taking any local-part of
// example.org into maildirs below root.
type daemon struct {
	*child
	dir    string // all that is its own
	root   string // the maildirs, one directory for a domain
	store  string // the maildirs' URL, unless a test has another
	shelf  shelf  // of example.org
	config string
	socket string
	port   string // host:port
}

// mailUID owns the maildirs where a test runs as root: Dovecot refuses to read root's mail.
const mailUID = 2525

// newDaemon prepares a daemon.
func newDaemon(t testing.TB) *daemon {
	t.Helper()
	dir := openDir(t)
	installProgram(t, dir)
	d := &daemon{
		dir:    dir,
		root:   filepath.Join(dir, "mail"),
		store:  "maildir:" + filepath.Join(dir, "mail/%d/%n"),
		config: filepath.Join(dir, "lmtpd.toml"),
		socket: filepath.Join(dir, "run", "lmtpd"),
		port:   freePort(t),
	}
	d.shelf = maildirs{filepath.Join(d.root, "example.org")}
	for _, sub := range []string{"mail", "run", "data"} {
		mkdirOwned(t, filepath.Join(dir, sub))
	}
	d.configure(t)
	return d
}

// configure writes the configuration; more is TOML that is put behind it.
func (d *daemon) configure(t testing.TB, more ...string) {
	t.Helper()
	peers := "" // the own user and root
	if _, err := user.Lookup("postfix"); err == nil && os.Getuid() == 0 {
		peers = `peers = ["postfix", "root"]`
	}
	writeFile(t, d.config, fmt.Sprintf(`
hostname = "mda.example.org"
data     = %q

[[listen]]
protocol = "lmtp"
address  = %q
mode     = "0666"
proxies  = ["unix"]
%s

[[listen]]
protocol = "lmtp"
address  = %q
proxies  = ["127.0.0.1"]

[[mailboxes]]
domains  = ["example.org"]
accounts = "any"
store    = %q
%s
`, filepath.Join(d.dir, "data"), "unix:"+d.socket, peers, d.port, d.store, strings.Join(more, "\n")))
}

// begin puts TOML before all tables of the configuration.
func (d *daemon) begin(t testing.TB, top string) {
	t.Helper()
	text, err := os.ReadFile(d.config)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, d.config, top+"\n"+string(text))
}

// mailboxes is a further block of the configuration.
func mailboxes(domain, store string) string {
	return fmt.Sprintf("[[mailboxes]]\ndomains = [%q]\naccounts = \"any\"\nstore = %q\n", domain, store)
}

// startDaemon prepares a daemon, starts it and waits until it takes connections.
func startDaemon(t testing.TB) *daemon {
	t.Helper()
	d := newDaemon(t)
	d.start(t)
	return d
}

// start starts the daemon, anew after it has ended, and waits until it takes connections.
func (d *daemon) start(t testing.TB) {
	t.Helper()
	d.launch(t, d.command("serve", "--config", d.config))
}

// launch is start with a command of the caller's.
func (d *daemon) launch(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	t.Cleanup(func() { // when it has been stopped
		for _, line := range d.matching(`DATA RACE|\bpanic\b`) {
			t.Errorf("the daemon: %s", line)
		}
	})
	d.child = startChild(t, cmd)
	d.await(t, regexp.QuoteMeta(d.port))
	awaitSocket(t, d.child, "unix", d.socket)
	awaitSocket(t, d.child, "tcp", d.port)
}

// command is the daemon's program with arguments. The test binary is that program when it is called by its name; it is
// linked into a directory that other users may enter.
func (d *daemon) command(args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(d.dir, "lmtpd"), args...)
	cmd.Args[0] = "lmtpd"
	cmd.Dir = d.dir
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0") // under -race it would linger a second
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: mailUID, Gid: mailUID}}
	}
	return cmd
}

// run runs one of lmtpd's other commands and returns what it printed on standard output.
func (d *daemon) run(t testing.TB, args ...string) string {
	t.Helper()
	return output(t, d.command(args...))
}

// mailbox is the maildir of a local-part in example.org.
func (d *daemon) mailbox(localPart string) string {
	return filepath.Join(d.root, "example.org", localPart)
}

// installProgram puts the test binary into dir as lmtpd.
func installProgram(t testing.TB, dir string) {
	t.Helper()
	if filepath.Base(os.Args[0]) == "lmtpd" {
		t.Fatal("TestMain did not make this lmtpd; a test of a test would go on without end")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	to := filepath.Join(dir, "lmtpd")
	if os.Link(self, to) == nil {
		return
	}
	from, err := os.Open(self)
	if err != nil {
		t.Fatal(err)
	}
	defer from.Close()
	w, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(w, from); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// openDir is a temporary directory that other users may enter, with a name short enough for sockets.
func openDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "lmtpd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// mkdirOwned makes a directory of the user that the daemon runs as.
func mkdirOwned(t testing.TB, name string) {
	t.Helper()
	if err := os.MkdirAll(name, 0o755); err != nil {
		t.Fatal(err)
	}
	chownMail(t, name)
}

// chownMail gives a file or a tree to the user that the daemon runs as.
func chownMail(t testing.TB, name string) {
	t.Helper()
	if os.Getuid() != 0 {
		return
	}
	err := filepath.WalkDir(name, func(path string, _ os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, mailUID, mailUID)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func writeFile(t testing.TB, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// freePort finds a loopback port that is free now, below those that the system gives to connections and to others who ask
// for any port: one of these may be somebody's before a program listens on it.
func freePort(t testing.TB) string {
	t.Helper()
	for range 100 {
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		if err == nil {
			defer l.Close()
			return l.Addr().String()
		}
	}
	t.Fatal("no port is free")
	return ""
}

// awaitSocket waits until somebody takes connections at address. A foreign program does not say when it begins to listen.
func awaitSocket(t testing.TB, c *child, network, address string) {
	t.Helper()
	deadline, tick := time.After(patience), time.NewTicker(5*time.Millisecond)
	defer tick.Stop()
	for {
		conn, err := net.Dial(network, address)
		if err == nil {
			conn.Close()
			return
		}
		select {
		case <-tick.C:
		case <-c.ended:
			t.Fatalf("%s ended before it listened", c.cmd.Args[0])
		case <-deadline:
			t.Fatalf("nobody listens: %v", err)
		}
	}
}
