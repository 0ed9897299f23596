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
	url    string
	before func(n int) // unless nil, called before a connection's message number n is answered, counted from 1

	mu   sync.Mutex
	said []string // all lines from clients, content too
}

func startTaker(t *testing.T, network, address string) *taker {
	t.Helper()
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	k := &taker{url: "lmtp://" + l.Addr().String()}
	if network == "unix" {
		k.url = "lmtp+unix:" + address
	}
	var sessions sync.WaitGroup
	sessions.Go(func() {
		for {
			nc, err := l.Accept()
			if err != nil {
				return
			}
			sessions.Go(func() { k.session(nc) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		sessions.Wait()
	})
	return k
}

func (k *taker) lines() string {
	k.mu.Lock()
	defer k.mu.Unlock()
	return strings.Join(k.said, "\n")
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
		k.mu.Lock()
		defer k.mu.Unlock()
		k.said = append(k.said, in.Text())
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
