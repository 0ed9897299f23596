package server_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/protocol/server"
)

// Over a limit: 421 4.7.0 and close; and room again when somebody leaves.
func TestTooManyConnections(t *testing.T) {
	for name, set := range map[string]func(*server.Config){
		"in all":   func(c *server.Config) { c.MaxConns = 2 },
		"per peer": func(c *server.Config) { c.MaxConnsPeer = 2 },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := config(&keeper{})
			set(&cfg)
			s, l := server.New(cfg), listenTCP(t)
			start(t, s, l, lmtp())
			first, second := dialTCP(t, l), dialTCP(t, l)
			first.expect("220")
			second.expect("220")
			third := dialTCP(t, l)
			third.expect("421 4.7.0")
			third.gone()
			first.say("QUIT", "221")
			first.gone()
			for { // the server counts a session out after it has hung up
				c := dialTCP(t, l)
				line, err := c.r.ReadLine()
				if err != nil {
					t.Fatal(err)
				}
				if strings.HasPrefix(line, "220") {
					break
				}
				c.Close()
			}
		})
	}
}

// Unix sockets have no limit per peer: the one peer there is the MTA.
func TestUnixSocketHasNoLimitPerPeer(t *testing.T) {
	cfg := config(&keeper{})
	cfg.MaxConnsPeer = 1
	s := server.New(cfg)
	l := listenUnix(t, filepath.Join(t.TempDir(), "s"))
	start(t, s, l, lmtp())
	dialTCP(t, l).expect("220")
	dialTCP(t, l).expect("220")
	if n := s.Conns(); n != 2 {
		t.Fatalf("%d connections counted, want 2", n)
	}
}

func listenUnix(t *testing.T, path string) net.Listener {
	t.Helper()
	l, err := server.ListenUnix(path, server.SocketOwner{Mode: 0o600, UID: -1, GID: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// SO_PEERCRED: who is not among those who may connect hears 421, for it is the admin's mistake, not the mail's.
func TestPeerCredentials(t *testing.T) {
	me := uint32(os.Getuid())
	for _, allowed := range []uint32{me, me + 1} {
		ep := lmtp()
		ep.Allowed = func(uid uint32) bool { return uid == allowed }
		l := listenUnix(t, filepath.Join(t.TempDir(), "s"))
		start(t, server.New(config(&keeper{})), l, ep)
		want := "220"
		if allowed != me {
			want = "421 4.7.0 Not allowed"
		}
		dialTCP(t, l).expect(want)
	}
}

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	l := listenUnix(t, path)
	info, err := os.Lstat(path)
	if err != nil || info.Mode() != os.ModeSocket|0o600 {
		t.Fatalf("mode %v, %v", info.Mode(), err)
	}
	if l.Addr().String() != path {
		t.Errorf("address %s", l.Addr())
	}
	if _, err := server.ListenUnix(path, server.SocketOwner{Mode: 0o600, UID: -1, GID: -1}); !errors.Is(err, server.ErrSocketInUse) {
		t.Fatalf("a live socket was replaced: %v", err)
	}
	l.Close()
	if _, err := os.Lstat(path); !os.IsNotExist(err) {
		t.Fatal("the socket file is still there")
	}
}

func TestListenUnixReplacesAStaleSocket(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	start(t, server.New(config(&keeper{})), listenUnix(t, path), lmtp())
	c, err := net.Dial("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	newClient(t, c).expect("220")
}

// A daemon that is too busy to take another connection is not dead.
func TestListenUnixLeavesABusySocketAlone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	fd, err := unix.Socket(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	if err := errors.Join(unix.Bind(fd, &unix.SockaddrUnix{Name: path}), unix.Listen(fd, 0)); err != nil {
		t.Fatal(err)
	}
	for range 10 { // until its backlog is full
		c, err := net.Dial("unix", path)
		if err != nil {
			break
		}
		defer c.Close()
	}
	if _, err := server.ListenUnix(path, server.SocketOwner{Mode: 0o600, UID: -1, GID: -1}); !errors.Is(err, server.ErrSocketInUse) {
		t.Fatalf("a busy socket was replaced: %v", err)
	}
}

func TestListenUnixLeavesOthersAlone(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir, filepath.Join(dir, "no", "s"), filepath.Join(dir, strings.Repeat("x", 200))} {
		if _, err := server.ListenUnix(path, server.SocketOwner{Mode: 0o600, UID: -1, GID: -1}); err == nil {
			t.Errorf("listening on %s worked", path)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "precious" {
		t.Fatalf("the file holds %q, %v", b, err)
	}
}

// RFC 2920 §3.1: the replies to pipelined commands leave in one write.
func TestRepliesLeaveInOneWrite(t *testing.T) {
	l := newPipeListener()
	start(t, server.New(config(&keeper{})), l, lmtp())
	ours, theirs := net.Pipe()
	counted := &countedConn{Conn: theirs}
	l.conns <- counted
	c := newClient(t, ours)
	c.expect("220")
	c.say("LHLO client.example.org", "250")
	counted.writes.Store(0)
	c.send("MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<bob@example.org>\r\nDATA\r\n")
	for _, want := range []string{"250 2.1.0", "250 2.1.5", "250 2.1.5", "354"} {
		c.expect(want)
	}
	c.send("\r\n.\r\nMAIL FROM:<>\r\nRSET\r\n")
	for _, want := range []string{"250 2.1.5", "250 2.1.5", "250 2.1.0", "250 2.0.0"} {
		c.expect(want)
	}
	if n := counted.writes.Load(); n != 2 {
		t.Errorf("%d writes, want 2", n)
	}
}

type countedConn struct {
	net.Conn
	writes atomic.Int64
}

func (c *countedConn) Write(p []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(p)
}

// A panic is one client's trouble, and even its session goes on.
func TestPanic(t *testing.T) {
	k := &keeper{}
	l := newPipeListener()
	start(t, server.New(config(k)), l, lmtp())
	c := newClient(t, l.dial())
	c.expect("220")
	c.say("LHLO client.example.org", "250")
	c.say("MAIL FROM:<>", "250")
	c.say("RCPT TO:<panic-at-rcpt@example.org>", "451 4.3.0")
	c.say("RCPT TO:<panic@example.org>", "250")
	c.say("RCPT TO:<ann@example.org>", "250")
	c.say("DATA", "354")
	c.send("Subject: x\r\n\r\nx\r\n.\r\n")
	c.expect("451 4.3.0 <panic@example.org>")
	c.expect("451 4.3.0 <ann@example.org>")
	for _, chunks := range []string{"BDAT 5 LAST\r\nHello", "BDAT 3\r\nHelBDAT 2 LAST\r\nlo"} {
		c.say("MAIL FROM:<>", "250")
		c.say("RCPT TO:<panic@example.org>", "250")
		go io.WriteString(c.Conn, chunks)
		if strings.Count(chunks, "BDAT") == 2 {
			c.expect("250 2.0.0 3 octets")
		}
		c.expect("451 4.3.0 <panic@example.org>")
	}
	c.say("QUIT", "221")
}

// A hang-up after any octet of a session keeps nothing but what was whole, and ends the session.
func TestHangUpAnywhere(t *testing.T) {
	const said = "LHLO x\r\nMAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nSubject: x\r\n\r\nx\r\n.\r\n" +
		"MAIL FROM:<>\r\nRCPT TO:<ann@example.org>\r\nBDAT 3\r\n\r\nxBDAT 2 LAST\r\n\r\nQUIT\r\n"
	first, second := strings.Index(said, "\r\n.\r\n")+5, strings.Index(said, "QUIT")
	for n := range len(said) {
		k := &keeper{}
		s, l := server.New(config(k)), newPipeListener()
		start(t, s, l, lmtp())
		c := l.dial()
		go io.Copy(io.Discard, c)
		io.WriteString(c, said[:n])
		c.Close()
		if err := s.Shutdown(t.Context()); err != nil {
			t.Fatal(err)
		}
		want := 0
		for _, end := range []int{first, second} {
			if n >= end {
				want++
			}
		}
		if kept, _ := k.counts(); kept != want {
			t.Fatalf("after %d octets %d messages were kept, want %d", n, kept, want)
		}
	}
}
