package srs_test

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery/srs"
)

// TestPostsrsd has postsrsd take back what we rewrote and rewrites what it takes back of us: both are libsrs2's addresses.
func TestPostsrsd(t *testing.T) {
	if _, err := exec.LookPath("postsrsd"); err != nil {
		if os.Getenv("LMTPD_PEERS") == "required" {
			t.Fatal("postsrsd is missing: apt-get install postsrsd")
		}
		t.Skip("postsrsd is missing")
	}
	forward, reverse := startPostsrsd(t, "tops3cret", "forwarder.example")
	r, err := srs.New(srs.Config{Domain: "forwarder.example", Secrets: []string{"new", "tops3cret"}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	older, err := srs.New(srs.Config{Domain: "forwarder.example", Secrets: []string{"tops3cret"}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for in, want := range map[string]string{
		"ann@example.org":                             "",
		"Ann=B+c@Example.ORG":                         "",
		"SRS0=AbCd=JR=z.example=ann@first.example":    "",
		"SRS1=x=first.example==h=t=z.example=a@two":   "SRS0=h=t=z.example=a@first.example",
		"SRS0+AbCd=JR=z.example=ann@first.example":    "",
		strings.Repeat("a", 64) + "@" + "example.org": "",
	} {
		if want == "" {
			want = in
		}
		if got := lookUp(t, reverse, older.Forward(path(t, in)).String()); got != want {
			t.Errorf("postsrsd takes %s back as %q", older.Forward(path(t, in)), got)
		}
		theirs := lookUp(t, forward, in)
		if got, err := r.Reverse(path(t, theirs)); err != nil || got.String() != want {
			t.Errorf("%s of postsrsd's is %s, %v; want %s", theirs, got, err, want)
		}
	}
}

// startPostsrsd starts postsrsd and returns where its two tables are.
func startPostsrsd(t *testing.T, secret, domain string) (forward, reverse string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	f, r := freePort(t), freePort(t)
	cmd := exec.Command("postsrsd", "-4", "-s"+file, "-d"+domain, "-f"+f, "-r"+r)
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return net.JoinHostPort("127.0.0.1", f), net.JoinHostPort("127.0.0.1", r)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// lookUp asks a table of Postfix's tcp_table(5), when it is there, and returns what it has for a key.
func lookUp(t *testing.T, addr, key string) string {
	t.Helper()
	conn, err := net.Dial("tcp", addr)
	for deadline := time.Now().Add(20 * time.Second); err != nil && time.Now().Before(deadline); {
		conn, err = net.Dial("tcp", addr)
	}
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "get %s\n", key)
	line, err := bufio.NewReader(conn).ReadString('\n')
	value, ok := strings.CutPrefix(line, "200 ")
	if err != nil || !ok {
		t.Fatalf("%s: %q, %v", key, line, err)
	}
	return strings.TrimSpace(value)
}
