package client

import (
	"bytes"
	"net"
	"testing"
	"time"
)

// A strangerConn is a server that says what it says whatever it is told, a line at each read.
type strangerConn struct{ in *bytes.Buffer }

func (s strangerConn) Read(p []byte) (int, error) {
	n := bytes.IndexByte(s.in.Bytes(), '\n') + 1
	if n == 0 {
		n = s.in.Len()
	}
	return s.in.Read(p[:min(n, len(p))])
}

func (s strangerConn) Write(p []byte) (int, error)      { return len(p), nil }
func (s strangerConn) Close() error                     { return nil }
func (s strangerConn) LocalAddr() net.Addr              { return nil }
func (s strangerConn) RemoteAddr() net.Addr             { return nil }
func (s strangerConn) SetDeadline(time.Time) error      { return nil }
func (s strangerConn) SetReadDeadline(time.Time) error  { return nil }
func (s strangerConn) SetWriteDeadline(time.Time) error { return nil }

// Replies of any octets are read or refused; what is read fits the bounds and is no more than was sent.
func FuzzReply(f *testing.F) {
	f.Add([]byte("250-2.1.5 a\r\n250 2.1.5 b\r\n"))
	f.Add([]byte("250\n354-\r\n354 \x00\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		w := newWire(strangerConn{bytes.NewBuffer(b)}, nil)
		for {
			r, err := w.read(time.Minute)
			if err != nil {
				return
			}
			if r.Code < 200 || r.Code > 599 || len(r.Text) > len(b) || len(r.Text) > maxReplyLine*maxReplyLines {
				t.Fatalf("%+v of %q", r, b)
			}
		}
	})
}

// Whatever a server says, there is a result for every recipient, and one that is delivered has a reply of 2yz.
func FuzzSend(f *testing.F) {
	f.Add([]byte(serverAll))
	f.Add([]byte("220 a\r\n250 a\r\n250 a\r\n421 a\r\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := New(t.Context(), strangerConn{bytes.NewBuffer(b)}, LMTP(), Options{})
		if err != nil {
			return
		}
		for range 2 {
			results, err := c.Send(t.Context(), letter("ann", "bob"))
			if len(results) != 2 {
				t.Fatal(results)
			}
			for _, r := range results {
				if r.Delivered() && r.Reply.Code/100 != 2 || (r.Outcome == Known) == r.Reply.IsZero() ||
					err == nil && r.Outcome != Known {
					t.Errorf("%+v, %v of %q", r, err, b)
				}
			}
		}
	})
}
