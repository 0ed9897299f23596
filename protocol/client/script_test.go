package client

import (
	"bufio"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
)

// hello is how most scripts begin.
const hello = `S: 220 mx.example.org ready
C: LHLO localhost
S: 250-mx.example.org
S: 250-ENHANCEDSTATUSCODES
S: 250 PIPELINING
`

// plainHello is the same without PIPELINING.
const plainHello = `S: 220 mx.example.org ready
C: LHLO localhost
S: 250 mx.example.org
`

// serve plays a server by script on one end of a pipe and returns the other end. The script is made of lines:
//
//	C: LINE      this line must come from the client
//	C= "TEXT"    these octets must come
//	S: LINE      is sent, together with those that follow it
//	S= "TEXT"    these octets are sent
//	SILENCE      nothing is said until the client goes
//	TLS          a handshake is held; what follows goes over TLS
//
// At its end the server hangs up. The test fails if the client says anything else.
func serve(t *testing.T, script string) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	perform(t, ours, theirs, script, nil)
	return ours
}

// serveTLS is serve for a script with a handshake. It needs a connection that has buffers: in a handshake that fails both sides write
// at once.
func serveTLS(t *testing.T, script string, cfg *tls.Config) net.Conn {
	t.Helper()
	ours, theirs := pair(t)
	perform(t, ours, theirs, script, cfg)
	return ours
}

// pair returns both ends of a connection over loopback.
func pair(t *testing.T) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if ours, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if theirs, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// perform plays the server for as long as the test lasts.
func perform(t *testing.T, ours, theirs net.Conn, script string, cfg *tls.Config) {
	t.Helper()
	done := make(chan error, 1)
	go func() {
		defer theirs.Close()
		done <- play(theirs, script, cfg)
	}()
	t.Cleanup(func() {
		ours.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func play(nc net.Conn, script string, cfg *tls.Config) error {
	in, out := bufio.NewReaderSize(nc, 1<<16), ""
	for n, line := range strings.Split(strings.TrimSuffix(script, "\n"), "\n") {
		kind, rest, _ := strings.Cut(line, " ")
		if kind[0] != 'S' || kind == "SILENCE" {
			if _, err := io.WriteString(nc, out); err != nil {
				return nil // the client has given up: the test asks it why
			}
			out = ""
		}
		var err error
		switch kind {
		case "C:":
			err = expect(in, rest+"\r\n")
		case "C=":
			err = expect(in, unquote(rest))
		case "S:":
			out += rest + "\r\n"
		case "S=":
			out += unquote(rest)
		case "SILENCE":
			_, err = io.Copy(io.Discard, in)
		case "TLS":
			over := tls.Server(nc, cfg)
			if over.Handshake() != nil {
				return nil // the client may not have liked it: the test asks it why
			}
			nc = over
			in.Reset(nc)
		default:
			err = fmt.Errorf("what is %q?", line)
		}
		if err != nil {
			return fmt.Errorf("line %d of the script: %w", n+1, err)
		}
	}
	io.WriteString(nc, out)
	return nil
}

func expect(in io.Reader, want string) error {
	got := make([]byte, len(want))
	n, err := io.ReadFull(in, got)
	if string(got) != want {
		return fmt.Errorf("client sent %q (%v), want %q", got[:n], err, want)
	}
	return nil
}

func unquote(s string) string {
	v, err := strconv.Unquote(s)
	if err != nil {
		panic(err)
	}
	return v
}

// begin opens a session with a server that plays script.
func begin(t *testing.T, script string, o Options) *Conn {
	t.Helper()
	c, err := New(t.Context(), serve(t, script), LMTP(), o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
