package client

import (
	"bytes"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/smtp"
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

// Whatever a server says, in either dialect, with PRDR and with chunks, there is a result for every recipient, and one that is
// delivered has a reply of 2yz.
func FuzzSend(f *testing.F) {
	f.Add([]byte(serverAll), false, false)
	f.Add([]byte("220 a\r\n250 a\r\n250 a\r\n421 a\r\n"), false, false)
	f.Add([]byte("220 a\r\n250-a\r\n250-PRDR\r\n250 PIPELINING\r\n"+serverCommands+"353 a\r\n250 a\r\n452 b\r\n250 c\r\n"), true, false)
	f.Add([]byte("220 a\r\n500 a\r\n250-a\r\n250 CHUNKING\r\n250 a\r\n250 a\r\n250 a\r\n250 a\r\n"), true, true)
	f.Fuzz(func(t *testing.T, b []byte, esmtp, chunking bool) {
		d := LMTP()
		if esmtp {
			d = ESMTP()
		}
		c, err := New(t.Context(), strangerConn{bytes.NewBuffer(b)}, d, Options{})
		if err != nil {
			return
		}
		for range 2 {
			m := letter("ann", "bob")
			m.PRDR, m.Chunking = true, chunking
			results, err := c.Send(t.Context(), m)
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

// Whatever a server says in an exchange, we are authenticated only after 235, and nothing secret is traced.
func FuzzAuth(f *testing.F) {
	begin := "220 a\r\n250-a\r\n250 AUTH CRAM-MD5 LOGIN DIGEST-MD5 PLAIN\r\n"
	for _, s := range []string{"334 PGE+\r\n235 ok\r\n", "334 \r\n334 \r\n235 ok\r\n", "535 no\r\n", "334 !\r\n501 no\r\n"} {
		for _, mechanism := range []string{"CRAM-MD5", "LOGIN", "PLAIN", ""} {
			f.Add([]byte(begin+s), mechanism)
		}
	}
	f.Fuzz(func(t *testing.T, b []byte, mechanism string) {
		var traced strings.Builder
		c, err := New(t.Context(), strangerConn{bytes.NewBuffer(b)}, ESMTP(), Options{Trace: func(d Direction, line string) {
			if d == Client {
				traced.WriteString(line + "\n")
			}
		}})
		if err != nil {
			return
		}
		err = c.Auth(t.Context(), mechanism, tim)
		if err == nil && !bytes.Contains(b, []byte("235")) {
			t.Errorf("authenticated by %q", b)
		}
		if r, refused := errors.AsType[smtp.Reply](err); refused && r.IsZero() {
			t.Errorf("refused with nothing: %v", err)
		}
		if strings.Contains(traced.String(), tim.Password) || strings.Contains(traced.String(), b64(tim.Password)) {
			t.Errorf("traced %q", traced.String())
		}
	})
}

// The URL of a server is read or refused; what is read is written so that it is read again as the same.
func FuzzParseAddress(f *testing.F) {
	f.Add("smtps://[::1]:465/")
	f.Add("lmtp+unix:///run/lmtpd")
	f.Fuzz(func(t *testing.T, s string) {
		a, err := ParseAddress(s)
		if err != nil {
			return
		}
		if again, err := ParseAddress(a.String()); err != nil || again != a {
			t.Errorf("%q is %+v, and %q is %+v, %v", s, a, a, again, err)
		}
	})
}
