package client

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/smtp"
)

// program finds a program of Postfix, or skips where it need not be there.
func program(tb testing.TB, name string) string {
	tb.Helper()
	for _, dir := range []string{"/usr/sbin", "/usr/local/sbin"} {
		if path := filepath.Join(dir, name); exec.Command("test", "-x", path).Run() == nil {
			return path
		}
	}
	if os.Getenv("LMTPD_PEERS") == "required" {
		tb.Fatalf("there is no %s", name)
	}
	tb.Skipf("there is no %s", name)
	return ""
}

// sink starts Postfix's smtp-sink with these options on a unix socket, and returns the socket's name.
func sink(tb testing.TB, options ...string) string {
	tb.Helper()
	name := filepath.Join(tb.TempDir(), "sink")
	if os.Geteuid() == 0 {
		options = append(options, "-u", "nobody")
	}
	cmd := exec.Command(program(tb, "smtp-sink"), append(options, "unix:"+name, "100")...)
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		defer close(exited)
		_ = cmd.Wait() // it was killed
	}()
	tb.Cleanup(func() {
		cmd.Process.Kill()
		<-exited
	})
	patience := time.NewTimer(20 * time.Second)
	defer patience.Stop()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		nc, err := net.Dial("unix", name)
		if err == nil {
			nc.Close()
			return name
		}
		select {
		case <-exited:
			tb.Fatalf("smtp-sink: %s", said.String())
		case <-patience.C:
			tb.Fatalf("smtp-sink does not listen: %v", err)
		case <-tick.C:
		}
	}
}

// text is content of about that many octets, in lines of 80, as smtp-source makes it.
func text(octets int) string {
	line := strings.Repeat("X", 78) + "\r\n"
	const head = "From: <a@example.org>\r\nTo: <b@example.org>\r\nDate: Sat, 28 Nov 2026 12:00:00 +0000\r\nMessage-Id: <1@example.org>\r\n\r\n"
	return head + strings.Repeat(line, max(1, octets/len(line)))
}

// What is known of a recipient when smtp-sink does as it is told: takes mail, refuses, puts off, goes.
func TestSink(t *testing.T) {
	for options, want := range map[string]string{
		"":        "250",
		"-p":      "250", // no PIPELINING
		"-e":      "250", // no EHLO, and none of its extensions
		"-f MAIL": "500",
		"-r RCPT": "450",
		"-f DATA": "500",
		"-f .":    "500",
		"-r .":    "450",
		"-q MAIL": "not sent",
		"-q DATA": "not sent",
		"-q .":    "unknown",
		"-Q RCPT": "421",
		"-Q .":    "421",
		"-p -q .": "unknown",
		"-p -Q .": "421",
	} {
		for _, d := range []Dialect{LMTP(), ESMTP()} {
			args := strings.Fields(options)
			if d == LMTP() {
				args = append(args, "-L")
				if options == "-e" {
					continue // LMTP has no hello but one
				}
			}
			c, err := Dial(t.Context(), Address{Dialect: d, Network: "unix", Name: sink(t, args...)}, Options{})
			if err != nil {
				t.Errorf("%q: %v", args, err)
				continue
			}
			m := letter("ann")
			m.Content = strings.NewReader(text(10 << 10))
			results, err := c.Send(t.Context(), m)
			if got := told(results)[0]; !strings.HasPrefix(got, want) {
				t.Errorf("%q: %q, %v; want %q", args, got, err, want)
			}
			c.Close()
		}
	}
}

// What Postfix's smtp-sink takes from this client, and from Postfix's own smtp-source, in turn.
func BenchmarkSink(b *testing.B) {
	for _, sessions := range []int{1, 8, 32} {
		for _, octets := range []int{100, 10 << 10} {
			b.Run(fmt.Sprintf("%02d sessions/%05d octets/client", sessions, octets), func(b *testing.B) { loadOurs(b, sessions, octets) })
			b.Run(fmt.Sprintf("%02d sessions/%05d octets/smtp-source", sessions, octets), func(b *testing.B) { loadTheirs(b, sessions, octets) })
		}
	}
}

func loadOurs(b *testing.B, sessions, octets int) {
	a := Address{Dialect: LMTP(), Network: "unix", Name: sink(b, "-L")}
	content, conns := text(octets), make([]*Conn, sessions)
	for i := range conns {
		c, err := Dial(b.Context(), a, Options{})
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		conns[i] = c
	}
	b.ReportAllocs()
	b.ResetTimer()
	done := make(chan error, sessions)
	for i, c := range conns {
		go func() { done <- load(b.Context(), c, content, share(b.N, sessions, i)) }()
	}
	for range conns {
		if err := <-done; err != nil {
			b.Error(err)
		}
	}
	report(b)
}

// share returns how many of n messages the session number i sends.
func share(n, sessions, i int) int {
	if i < n%sessions {
		return n/sessions + 1
	}
	return n / sessions
}

func load(ctx context.Context, c *Conn, content string, n int) error {
	m := Message{From: smtp.Path{Local: "a", Domain: "example.org"}, Recipients: recipients("b"), LineEnds: AsIs, Body: smtp.Body8Bit}
	r := strings.NewReader("")
	for range n {
		r.Reset(content)
		m.Content = r
		results, err := c.Send(ctx, m)
		if err != nil {
			return err
		}
		if !results[0].Delivered() {
			return results[0].Reply
		}
	}
	return nil
}

func loadTheirs(b *testing.B, sessions, octets int) {
	source, name := program(b, "smtp-source"), sink(b, "-L")
	n := max(b.N, sessions) // it opens all of the sessions
	cmd := exec.Command(source, "-L", "-d", "-s", strconv.Itoa(sessions), "-m", strconv.Itoa(n), "-l", strconv.Itoa(octets),
		"-f", "a@example.org", "-t", "b@example.org", "unix:"+name)
	b.ResetTimer()
	if out, err := cmd.CombinedOutput(); err != nil {
		b.Fatalf("smtp-source: %v: %s", err, out)
	}
	report(b)
}

func report(b *testing.B) {
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
	b.ReportMetric(0, "ns/op")
}
