package main_test

import (
	"fmt"
	"io"
	"net"
	"path/filepath"
	"testing"
	"time"
)

// A client that hangs up after any octet of a session leaves nothing behind, unless it was the last octet of the content.
func TestHangUp(t *testing.T) {
	d := startDaemon(t)
	content := "Subject: short\r\n\r\n..\r\nlast line\r\n"
	envelope := "LHLO client.example.net\r\nMAIL FROM:<sender@example.net>\r\nRCPT TO:<ann@example.org>\r\nRCPT TO:<ben@example.org>\r\n"
	for name, dialogue := range map[string]string{
		"DATA": envelope + "DATA\r\n" + content + ".\r\n",
		"BDAT": envelope + fmt.Sprintf("BDAT 10\r\n%sBDAT %d LAST\r\n%s", content[:10], len(content)-10, content[10:]),
	} {
		t.Run(name, func(t *testing.T) {
			for n := range len(dialogue) {
				hangUp(t, d, dialogue[:n])
			}
			if left := append(temporaries(t, d.dir), paths(visible(t, d.root))...); len(left) != 0 {
				t.Fatalf("left behind: %q", left)
			}
			hangUp(t, d, dialogue)
			all := visible(t, filepath.Join(d.root, "example.org"))
			if len(all) != 2 {
				t.Errorf("the whole dialogue left %d messages, want 2", len(all))
			}
			removeAll(t, all)
		})
	}
}

// hangUp sends what the client has said so far, says no more, and waits until the daemon has taken notice.
func hangUp(t *testing.T, d *daemon, said string) {
	t.Helper()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: d.socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, said); err != nil {
		t.Fatal(err)
	}
	if err := conn.CloseWrite(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil {
		t.Fatalf("after %d octets: %v", len(said), err)
	}
}
