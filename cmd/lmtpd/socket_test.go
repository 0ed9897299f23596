package main_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Exit codes of sysexits.h that say why the daemon did not start.
const (
	exCantCreate = 73
	exNoPerm     = 77
)

// refused starts a daemon that must not start, and returns its exit code and what it said.
func refused(t *testing.T, d *daemon) (code int, said string) {
	t.Helper()
	d.child = startChild(t, d.command("serve", "--config", d.config))
	code = d.wait(t)
	return code, strings.Join(d.output(), "\n")
}

// A socket file that a crash left behind is replaced.
func TestStaleSocket(t *testing.T) {
	d := newDaemon(t)
	l := listenAt(t, d.socket)
	l.SetUnlinkOnClose(false)
	l.Close()
	if _, err := os.Stat(d.socket); err != nil {
		t.Fatal(err)
	}
	d.start(t)
	dial(t, "unix", d.socket).lhlo().say(221, "QUIT")
}

// A socket that somebody listens on is left alone.
func TestLiveSocket(t *testing.T) {
	d := newDaemon(t)
	l := listenAt(t, d.socket)
	defer l.Close()
	go func() {
		for conn, err := l.Accept(); err == nil; conn, err = l.Accept() {
			conn.Close()
		}
	}()
	code, said := refused(t, d)
	if code != exCantCreate {
		t.Errorf("exit code %d, want %d", code, exCantCreate)
	}
	if !strings.Contains(said, d.socket) {
		t.Errorf("the socket is not named: %s", said)
	}
	if conn, err := net.Dial("unix", d.socket); err != nil {
		t.Errorf("the other's socket has gone: %v", err)
	} else {
		conn.Close()
	}
}

func listenAt(t *testing.T, socket string) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	chownMail(t, socket)
	return l
}

// What is in the way at the socket's place and is no socket is left alone.
func TestSocketIsAFile(t *testing.T) {
	d := newDaemon(t)
	writeFile(t, d.socket, "precious")
	chownMail(t, d.socket)
	code, said := refused(t, d)
	if code != exCantCreate || !strings.Contains(said, d.socket) {
		t.Errorf("exit code %d, want %d: %s", code, exCantCreate, said)
	}
	if text, _ := os.ReadFile(d.socket); string(text) != "precious" {
		t.Error("a file was replaced by the socket")
	}
}

// A socket in a directory that may not be written is an error of rights, and names the socket.
func TestSocketDenied(t *testing.T) {
	d := newDaemon(t)
	if err := os.Chmod(filepath.Dir(d.socket), 0o555); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Dir(d.socket), 0o755) })
	code, said := refused(t, d)
	if code != exNoPerm || !strings.Contains(said, d.socket) {
		t.Errorf("exit code %d, want %d: %s", code, exNoPerm, said)
	}
}

// Who is not among the peers of a socket is turned away, although the file's mode lets everybody connect.
func TestSocketOfOthers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("being somebody else takes root")
	}
	d := startDaemon(t)
	letterFile := filepath.Join(d.dir, "letter")
	writeFile(t, letterFile, "Subject: not welcome\n\n")
	cmd := d.command("send", "--server", "lmtp+unix:"+d.socket, "--to", "ann@example.org", letterFile)
	cmd.SysProcAttr.Credential.Uid++
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "421 4.7.0") {
		t.Errorf("%v: %s", err, out)
	}
	if all := visible(t, d.root); len(all) != 0 {
		t.Errorf("delivered: %v", paths(all))
	}
}

// A port that is taken is an error that names it, and the socket that could be had is not left behind.
func TestBusyPort(t *testing.T) {
	d := newDaemon(t)
	l, err := net.Listen("tcp4", d.port)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code, said := refused(t, d)
	if code != exCantCreate {
		t.Errorf("exit code %d, want %d", code, exCantCreate)
	}
	if !strings.Contains(said, d.port) || !strings.Contains(said, "in use") {
		t.Errorf("the port, or that it is in use, is not told: %s", said)
	}
	if _, err := os.Stat(d.socket); err == nil {
		t.Errorf("%s is left behind", filepath.Base(d.socket))
	}
}
