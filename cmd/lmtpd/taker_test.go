package main

import (
	"bufio"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
)

// A taker is an LMTP server for load. It answers for each recipient what their local-part says: "550@x" is refused, "452@x"
// deferred after the content, "421@x" too, and then it hangs up as it does for "hangup@x" without a word; anybody else is
// delivered.
type taker struct {
	notes
	url    string
	before func(n int) // unless nil, called before a connection's message number n is answered, counted from 1
}

func startTaker(t *testing.T, network, address string) *taker {
	t.Helper()
	k := &taker{}
	k.url = serveLMTP(t, network, address, k.session)
	return k
}

// serveLMTP serves connections until the test is over, and returns where.
func serveLMTP(t *testing.T, network, address string, session func(net.Conn)) (url string) {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { session(nc) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		sessions.Wait()
	})
	if network == "unix" {
		return "lmtp+unix:" + address
	}
	return "lmtp://" + l.Addr().String()
}

// notes are all lines from clients, content too.
type notes struct {
	mu   sync.Mutex
	said []string
}

func (n *notes) note(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.said = append(n.said, line)
}

func (n *notes) lines() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return strings.Join(n.said, "\n")
}

// session serves one connection.
func (k *taker) session(nc net.Conn) {
	defer nc.Close()
	in, messages, accepted := bufio.NewScanner(nc), 0, []string(nil)
	fmt.Fprint(nc, "220 here\r\n")
	for k.read(in) {
		switch line := in.Text(); {
		case strings.HasPrefix(line, "LHLO"):
			fmt.Fprint(nc, "250-here\r\n250-SIZE\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
		case strings.HasPrefix(line, "RCPT TO:<550"):
			fmt.Fprint(nc, "550 5.1.1 <550@x> no such mailbox\r\n")
		case strings.HasPrefix(line, "RCPT"):
			accepted = append(accepted, strings.TrimPrefix(line, "RCPT TO:"))
			fmt.Fprint(nc, "250 2.1.5 ok\r\n")
		case strings.HasPrefix(line, "DATA") && accepted == nil:
			fmt.Fprint(nc, "503 5.5.1 nobody\r\n")
		case strings.HasPrefix(line, "DATA"):
			fmt.Fprint(nc, "354 go on\r\n")
			for k.read(in) && in.Text() != "." {
			}
			if messages++; k.before != nil {
				k.before(messages)
			}
			if !answer(nc, accepted) {
				return
			}
			accepted = nil
		case strings.HasPrefix(line, "QUIT"):
			fmt.Fprint(nc, "221 bye\r\n")
			return
		default: // MAIL, RSET
			accepted = nil
			fmt.Fprint(nc, "250 2.0.0 ok\r\n")
		}
	}
}

// read reads a line and notes it.
func (k *taker) read(in *bufio.Scanner) bool {
	ok := in.Scan()
	if ok {
		k.note(in.Text())
	}
	return ok
}

// answer answers for each recipient, and says whether the session goes on.
func answer(nc net.Conn, accepted []string) bool {
	for _, to := range accepted {
		switch {
		case strings.HasPrefix(to, "<hangup"):
			return false
		case strings.HasPrefix(to, "<421"):
			fmt.Fprint(nc, "421 4.3.2 going down\r\n")
			return false
		case strings.HasPrefix(to, "<452"):
			fmt.Fprintf(nc, "452 4.2.2 %s full\r\n", to)
		default:
			fmt.Fprintf(nc, "250 2.1.5 %s Delivered\r\n", to)
		}
	}
	return true
}
