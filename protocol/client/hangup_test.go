package client

import (
	"bufio"
	"net"
	"strings"
	"testing"
)

// The octets of a server in a whole session with two recipients, by what they answer.
const (
	serverHello    = "220 mx\r\n250-mx\r\n250 PIPELINING\r\n"
	serverCommands = "250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n"
	serverFinal    = "250-2.1.5 a\r\n250 2.1.5 a\r\n"
	serverSecond   = "452 4.2.2 b\r\n"
	serverAll      = serverHello + serverCommands + serverFinal + serverSecond
)

// A server that closes after any octet leaves every recipient with what is true of them and no more.
func TestHangUpAtEveryOctet(t *testing.T) {
	for n := range len(serverAll) + 1 {
		ours, theirs := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			sayFirst(theirs, n)
		}()
		c, err := New(t.Context(), ours, LMTP(), Options{})
		if (err == nil) != (n >= len(serverHello)) {
			t.Fatalf("%d octets: session: %v", n, err)
		}
		if err == nil {
			checkCut(t, c, n)
		}
		ours.Close()
		<-done
	}
}

// sayFirst plays the server up to the octet n.
func sayFirst(nc net.Conn, n int) {
	defer nc.Close()
	in := bufio.NewReader(nc)
	for _, turn := range []struct{ say, until string }{
		{"220 mx\r\n", "LHLO"},
		{"250-mx\r\n250 PIPELINING\r\n", "DATA"},
		{serverCommands, "."},
		{serverFinal + serverSecond, ""},
	} {
		say := turn.say[:min(n, len(turn.say))]
		n -= len(say)
		if _, err := nc.Write([]byte(say)); err != nil || len(say) < len(turn.say) || turn.until == "" {
			return
		}
		for {
			line, err := in.ReadString('\n')
			if err != nil {
				return
			}
			if strings.HasPrefix(line, turn.until) {
				break
			}
		}
	}
}

func checkCut(t *testing.T, c *Conn, n int) {
	t.Helper()
	const proceed = len(serverHello + serverCommands)
	want := []Outcome{NotSent, NotSent}
	if n >= proceed {
		want = []Outcome{Unknown, Unknown}
	}
	if n >= proceed+len(serverFinal) {
		want[0] = Known
	}
	if n == len(serverAll) {
		want[1] = Known
	}
	results, err := c.Send(t.Context(), letter("ann", "bob"))
	if (err == nil) != (n == len(serverAll)) {
		t.Errorf("%d octets: %v", n, err)
	}
	for i, r := range results {
		if r.Outcome != want[i] || r.Delivered() != (i == 0 && want[0] == Known) {
			t.Errorf("%d octets: recipient %d is %v (%v), want %v", n, i, r.Outcome, r.Reply, want[i])
		}
	}
}
