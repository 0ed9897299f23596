package dovecot

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
)

// An address is a path or HOST:PORT, whatever marks it.
func TestWhere(t *testing.T) {
	for _, test := range []struct{ network, address, want string }{
		{"", "/run/dovecot/auth-client", "unix /run/dovecot/auth-client"},
		{"", "unix:/run/dovecot/auth-client", "unix /run/dovecot/auth-client"},
		{"", "unix:auth", "unix auth"},
		{"unix", "auth", "unix auth"},
		{"", "127.0.0.1:12345", "tcp 127.0.0.1:12345"},
		{"tcp", "[::1]:12345", "tcp [::1]:12345"},
		{"", "", ""},
		{"", "unix:", ""},
		{"unix", "", ""},
		{"", "auth", ""},
		{"", "localhost:", ""},
		{"tcp", "/run/dovecot/auth-client", ""},
		{"udp", "127.0.0.1:12345", ""},
	} {
		network, address, err := where(test.network, test.address)
		if got := strings.TrimSpace(network + " " + address); got != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%q, %q: %q, %v", test.network, test.address, got, err)
		}
	}
	if _, err := New(Config{Address: "nowhere"}); err == nil {
		t.Error("a client of nowhere")
	}
}

// New connects over a unix socket, and over TCP.
func TestNew(t *testing.T) {
	for _, network := range []string{"unix", "tcp"} {
		address := "127.0.0.1:0"
		if network == "unix" {
			address = filepath.Join(t.TempDir(), "auth")
		}
		l, err := net.Listen(network, address)
		if err != nil {
			t.Fatal(err)
		}
		served := make(chan struct{})
		go func() {
			defer close(served)
			conn, err := l.Accept()
			if err != nil {
				return
			}
			defer conn.Close()
			p := newPeer(t, conn)
			p.shake(handshakeLines)
			p.play(authPLAIN, "S: OK\t1\tuser=ann")
			for range p.lines {
			}
		}()
		c, err := New(Config{Address: l.Addr().String(), Log: fakeLog()})
		if err != nil {
			t.Fatal(err)
		}
		account, err := login(t, c.Begin("PLAIN", auth.Channel{Secured: true}), said("\x00ann\x00secret"))
		if account != "ann" || err != nil {
			t.Errorf("over %s: %q, %v", network, account, err)
		}
		c.Close()
		l.Close()
		<-served
	}
}

// dialled returns a Client whose attempts to connect go as dial says, of which it is told the number, and the times of all.
func dialled(t *testing.T, log *slog.Logger, dial func(n int) (net.Conn, error)) (*Client, func() []time.Duration) {
	t.Helper()
	began := time.Now()
	var mu sync.Mutex
	var times []time.Duration
	c := start(Config{Log: log}, func(context.Context) (net.Conn, error) {
		mu.Lock()
		defer mu.Unlock()
		times = append(times, time.Since(began))
		return dial(len(times))
	})
	t.Cleanup(func() { c.Close() })
	return c, func() []time.Duration {
		mu.Lock()
		defer mu.Unlock()
		return slices.Clone(times)
	}
}

// serving returns a connection to a server that does the handshake and plays a script, and its end of it.
func serving(t *testing.T, handshake string, script ...string) (net.Conn, *peer) {
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	p := newPeer(t, theirs)
	go func() {
		p.shake(handshake)
		p.play(script...)
	}()
	return ours, p
}

// Attempts to connect are made ever more rarely, and logged once.
func TestPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		c, times := dialled(t, slog.New(slog.NewTextHandler(&log, nil)), func(int) (net.Conn, error) {
			return nil, errors.New("connection refused")
		})
		time.Sleep(10 * time.Second)
		ms := time.Millisecond
		want := []time.Duration{0, 100 * ms, 300 * ms, 700 * ms, 1500 * ms, 3100 * ms, 5100 * ms, 7100 * ms, 9100 * ms}
		if got := times(); !slices.Equal(got, want) {
			t.Errorf("attempts at %v", got)
		}
		if got := c.Mechanisms(auth.Channel{Secured: true}); got != nil {
			t.Errorf("mechanisms: %q", got)
		}
		began := time.Now()
		if err := c.Ready(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") || time.Since(began) != patience {
			t.Errorf("ready: %v after %v", err, time.Since(began))
		}
		c.Close()
		if strings.Count(log.String(), "\n") != 1 || !strings.Contains(log.String(), "level=ERROR") {
			t.Errorf("the log:\n%s", log.String())
		}
	})
}

// A server that hangs up is connected to again. An exchange that begins meanwhile waits for it; one that was under way is of
// those of which it could not be told. What is offered is then what the new one has.
func TestReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		var first *peer
		c, times := dialled(t, slog.New(slog.NewTextHandler(&log, nil)), func(n int) (net.Conn, error) {
			if n == 2 {
				return nil, errors.New("connection refused")
			}
			if n > 2 {
				ours, _ := serving(t, "VERSION\t1\t2\nMECH\tPLAIN\nDONE\n", authPLAIN, "S: OK\t1\tuser=ann")
				return ours, nil
			}
			ours, p := serving(t, handshakeLines)
			first = p
			return ours, nil
		})
		time.Sleep(time.Minute)
		ch := auth.Channel{Secured: true}
		waiting := make(chan error)
		go func() {
			_, _, err := c.Begin("CRAM-MD5", ch).Next(t.Context(), nil)
			waiting <- err
		}()
		synctest.Wait()
		first.conn.Close()
		if err := <-waiting; !isDoubt(err) {
			t.Errorf("under way: %v", err)
		}
		if got := c.Mechanisms(ch); len(got) != 6 {
			t.Errorf("offered meanwhile: %q", got)
		}
		lost := c.Begin("CRAM-MD5", ch)
		if account, err := login(t, c.Begin("PLAIN", ch), said("\x00ann\x00secret")); account != "ann" || err != nil {
			t.Errorf("meanwhile: %q, %v", account, err)
		}
		if _, _, err := lost.Next(t.Context(), nil); !isDoubt(err) {
			t.Errorf("by a mechanism that is there no longer: %v", err)
		}
		if got := c.Mechanisms(ch); !slices.Equal(got, []string{"PLAIN"}) {
			t.Errorf("offered afterwards: %q", got)
		}
		if got := times(); !slices.Equal(got, []time.Duration{0, time.Minute + firstPause, time.Minute + 3*firstPause}) {
			t.Errorf("attempts at %v", got)
		}
		c.Close()
		if got := levels(log.String()); got != "INFO WARN INFO" {
			t.Errorf("the log: %s\n%s", got, log.String())
		}
	})
}

// levels are those of the lines of a log.
func levels(log string) string {
	var list []string
	for field := range strings.FieldsSeq(log) {
		if level, is := strings.CutPrefix(field, "level="); is {
			list = append(list, level)
		}
	}
	return strings.Join(list, " ")
}

// A server that hangs up after each handshake is not called on all the time.
func TestFlapping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, times := dialled(t, fakeLog(), func(int) (net.Conn, error) {
			ours, theirs := net.Pipe()
			p := newPeer(t, theirs)
			go func() {
				p.shake(handshakeLines)
				theirs.Close()
			}()
			return ours, nil
		})
		time.Sleep(time.Minute)
		if n := len(times()); n > 40 {
			t.Errorf("%d attempts in a minute", n)
		}
	})
}

// A handshake that does not end is given up.
func TestEndlessHandshake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began := time.Now()
		c := fake(t, Config{}, func(p *peer) { p.say("VERSION\t1\t2\nMECH\tX\n") })
		if err := c.Ready(t.Context()); err == nil || time.Since(began) > connecting+patience {
			t.Errorf("%v after %v", err, time.Since(began))
		}
	})
}

// Close ends what is under way, and nothing begins after it.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := scripted(t)
		waiting := make(chan error)
		go func() {
			_, _, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(t.Context(), nil)
			waiting <- err
		}()
		synctest.Wait()
		c.Close()
		if err := <-waiting; !errors.Is(err, ErrClosed) || !isDoubt(err) {
			t.Errorf("under way: %v", err)
		}
		if err := c.Ready(t.Context()); !errors.Is(err, ErrClosed) {
			t.Errorf("ready: %v", err)
		}
		if _, _, err := c.Begin("CRAM-MD5", auth.Channel{}).Next(t.Context(), nil); !errors.Is(err, ErrClosed) || !isDoubt(err) {
			t.Errorf("after it: %v", err)
		}
		c.Close()
	})
}
