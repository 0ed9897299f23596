package client

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"lmtpd/protocol/smtp"
)

// agree answers every session at l with yes: each recipient is kept. content, if not nil, is where the content
// goes, final dot and all.
func agree(l net.Listener, content *bytes.Buffer) {
	var sessions sync.WaitGroup
	defer sessions.Wait()
	for {
		nc, err := l.Accept()
		if err != nil {
			return
		}
		sessions.Go(func() {
			defer nc.Close()
			agreeTo(nc, content)
		})
	}
}

func agreeTo(nc net.Conn, content *bytes.Buffer) {
	in, out := bufio.NewReader(nc), bufio.NewWriter(nc)
	fmt.Fprint(out, "220 yes\r\n")
	recipients, data := 0, false
	for {
		if in.Buffered() == 0 {
			out.Flush()
		}
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if data && content != nil {
			content.Write(line)
		}
		switch {
		case data && string(line) != ".\r\n":
		case data:
			for ; recipients > 0; recipients-- {
				fmt.Fprint(out, "250 2.1.5 kept\r\n")
			}
			data = false
		case bytes.HasPrefix(line, []byte("LHLO")):
			fmt.Fprint(out, "250-yes\r\n250-SIZE\r\n250-8BITMIME\r\n250 PIPELINING\r\n")
		case bytes.HasPrefix(line, []byte("DATA")):
			fmt.Fprint(out, "354 go on\r\n")
			data = true
		case bytes.HasPrefix(line, []byte("QUIT")):
			fmt.Fprint(out, "221 bye\r\n")
			out.Flush()
			return
		default:
			if bytes.HasPrefix(line, []byte("RCPT")) {
				recipients++
			}
			fmt.Fprint(out, "250 ok\r\n")
		}
	}
}

// listen starts a server that agrees, and returns its address.
func listen(tb testing.TB, network, name string, content *bytes.Buffer) Address {
	tb.Helper()
	l, err := net.Listen(network, name)
	if err != nil {
		tb.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		agree(l, content)
	}()
	tb.Cleanup(func() {
		l.Close()
		<-done
	})
	return Address{Dialect: LMTP(), Network: network, Name: l.Addr().String()}
}

// talk opens a session over loopback with a server that agrees.
func talk(tb testing.TB, content *bytes.Buffer) *Conn {
	tb.Helper()
	c, err := Dial(tb.Context(), listen(tb, "tcp", "127.0.0.1:0", content), Options{})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { c.Close() })
	return c
}

func TestDial(t *testing.T) {
	for network, name := range map[string]string{"tcp": "127.0.0.1:0", "unix": filepath.Join(t.TempDir(), "s")} {
		c, err := Dial(t.Context(), listen(t, network, name, nil), Options{Hello: "[127.0.0.1]"})
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Greeting(); got.Text != "yes" || !c.Extensions().Has("SIZE") {
			t.Errorf("%s: greeting %v, extensions %v", network, got, c.Extensions())
		}
		if results, err := c.Send(t.Context(), letter("ann")); err != nil || !results[0].Delivered() {
			t.Errorf("%s: %v, %v", network, told(results), err)
		}
		if err := c.Quit(t.Context()); err != nil {
			t.Errorf("%s: %v", network, err)
		}
	}
}

// More recipients than one group holds, over a socket whose buffers are not endless.
func TestManyRecipients(t *testing.T) {
	c := talk(t, nil)
	m := Message{Recipients: recipients(strings.Fields(strings.Repeat("ann ", 5000))...), Content: strings.NewReader("hi")}
	results, err := c.Send(t.Context(), m)
	if err != nil || len(results) != 5000 {
		t.Fatal(len(results), err)
	}
	for i, r := range results {
		if !r.Delivered() {
			t.Fatalf("recipient %d: %v", i, told(results[i:i+1]))
		}
	}
}

func TestDialFails(t *testing.T) {
	nowhere := Address{Dialect: LMTP(), Network: "unix", Name: filepath.Join(t.TempDir(), "none")}
	if _, err := Dial(t.Context(), nowhere, Options{}); err == nil || !strings.Contains(err.Error(), nowhere.String()) {
		t.Errorf("nobody there: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Dial(ctx, listen(t, "tcp", "127.0.0.1:0", nil), Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("ended context: %v", err)
	}
}

func TestSessionRefused(t *testing.T) {
	for _, tt := range []struct {
		name, script string
		options      Options
		dialect      Dialect
		code         int   // of the reply in the error
		err          error // if there is none
	}{
		{"RFC 5321 §3.1 554", "S: 554 5.7.1 not you", Options{}, LMTP(), 554, nil},
		{"421", "S: 421-too\nS: 421 many", Options{}, LMTP(), 421, nil},
		{"not 220", "S: 250 hm", Options{}, LMTP(), 250, nil},
		{"LHLO refused", "S: 220 mx\nC: LHLO localhost\nS: 500 what", Options{}, LMTP(), 500, nil},
		{"spoke before it was asked", "S: 220 mx\nS: 250 me", Options{}, LMTP(), 0, ErrOutOfStep},
		{"garbage", "S: SSH-2.0-OpenSSH_9", Options{}, LMTP(), 0, smtp.ErrBadReply},
		{"empty line", "S: ", Options{}, LMTP(), 0, smtp.ErrBadReply},
		{"hang-up", `S= ""`, Options{}, LMTP(), 0, ErrHungUp},
		{"half a line", `S= "220 mx"`, Options{}, LMTP(), 0, ErrHungUp},
		{"bad name", "SILENCE", Options{Hello: "a\r\nQUIT"}, LMTP(), 0, ErrBadHello},
		{"no dialect", "SILENCE", Options{}, Dialect{}, 0, ErrNoDialect},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := New(t.Context(), serve(t, tt.script), tt.dialect, tt.options)
			var r smtp.Reply
			if errors.As(err, &r); r.Code != tt.code || tt.err != nil && !errors.Is(err, tt.err) || err == nil {
				t.Errorf("error %v, want %d %v", err, tt.code, tt.err)
			}
		})
	}
}

// What a server says before it hangs up is the error of the write that fails.
func TestPartingWords(t *testing.T) {
	c := talk(t, nil)
	w := newWire(goneConn{Conn: c.w.nc, said: strings.NewReader("421 4.3.2 going down\r\n")}, nil)
	var r smtp.Reply
	if err := w.write([]byte("RSET\r\n"), 1); !errors.Is(err, ErrHungUp) || !errors.As(err, &r) || r.Code != 421 {
		t.Errorf("error %v", err)
	}
	w = newWire(goneConn{Conn: c.w.nc, said: strings.NewReader("250 ok\r\n")}, nil)
	if err := w.write([]byte("RSET\r\n"), 1); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("error %v", err)
	}
}

// A goneConn takes nothing any more; what was said before can still be read.
type goneConn struct {
	net.Conn
	said io.Reader
}

func (g goneConn) Write([]byte) (int, error)  { return 0, io.ErrClosedPipe }
func (g goneConn) Read(p []byte) (int, error) { return g.said.Read(p) }
