package relay

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"lmtpd/protocol/client"
)

// BenchmarkSink relays messages of 10 KB to Postfix's smtp-sink, so many at once.
func BenchmarkSink(b *testing.B) {
	program, err := exec.LookPath("smtp-sink")
	if err != nil {
		b.Skip("smtp-sink is missing: apt-get install postfix")
	}
	for _, at := range []int{1, 10, 20} {
		b.Run(fmt.Sprint(at), func(b *testing.B) {
			a := startSink(b, program)
			r := open(b, Config{Routes: []Route{{Servers: []client.Address{a}, Connections: at}}})
			m := letter("bob")
			m.Content = content(strings.Repeat(strings.Repeat("x", 78)+"\r\n", 128))
			destination := r.routes[0].destination
			b.SetBytes(m.Content.Size())
			b.ReportAllocs()
			b.ResetTimer()
			var all sync.WaitGroup
			for n := range at {
				all.Go(func() {
					for i := n; i < b.N; i += at {
						if outcomes, err := r.Attempt(b.Context(), destination, m); err != nil || !outcomes[0].Reply.Positive() {
							b.Errorf("%q, %v", told(outcomes), err)
							return
						}
					}
				})
			}
			all.Wait()
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
		})
	}
}

// startSink starts a smtp-sink that drops what it is given, and waits until it listens.
func startSink(b *testing.B, program string) client.Address {
	b.Helper()
	socket := filepath.Join(b.TempDir(), "sink")
	args := []string{"unix:" + socket, "1000"}
	if os.Getuid() == 0 {
		args = append([]string{"-u", "root"}, args...) // it insists on being told
	}
	cmd := exec.Command(program, args...)
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for range 1000 {
		if nc, err := net.Dial("unix", socket); err == nil {
			nc.Close()
			return client.Address{Dialect: client.ESMTP(), Network: "unix", Name: socket}
		}
		<-tick.C
	}
	b.Fatal("smtp-sink does not listen")
	return client.Address{}
}
