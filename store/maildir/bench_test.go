package maildir

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// BenchmarkDeliver delivers to 100 mailboxes at random, every message durable before the next. Run it on the disk that the
// mailboxes would be on, and mind that the removal of thousands of files slows the file system down for minutes: with
// LMTPD_BENCH_DIR the mailboxes are made there and left there.
func BenchmarkDeliver(b *testing.B) {
	for _, size := range []int{10 << 10, 1 << 20} {
		for _, placements := range []int{1, 10} {
			for _, sessions := range []int{1, 8, 32, 100} {
				b.Run(fmt.Sprintf("octets=%d/placements=%d/sessions=%d", size, placements, sessions), func(b *testing.B) {
					benchmarkDeliver(b, load{size: size, placements: placements, sessions: sessions})
				})
			}
		}
	}
}

// BenchmarkDeliverCounted does the same with mailboxes that have a quota, and without for comparison.
func BenchmarkDeliverCounted(b *testing.B) {
	for _, sessions := range []int{1, 8, 32} {
		for _, octets := range []int64{0, 1 << 40} {
			b.Run(fmt.Sprintf("sessions=%d/quota=%d", sessions, octets), func(b *testing.B) {
				benchmarkDeliver(b, load{size: 10 << 10, placements: 1, sessions: sessions, quota: store.Quota{Usage: store.Usage{Octets: octets}}})
			})
		}
	}
}

// A load is what a benchmark has the store do.
type load struct {
	size, placements, sessions int
	quota                      store.Quota
}

func benchmarkDeliver(b *testing.B, l load) {
	s := open(b, benchDir(b))
	defer s.Close()
	var to [100]store.Mailbox
	for i := range to {
		to[i] = store.Mailbox{Name: fmt.Sprintf("m%d@example.org", i), Quota: l.quota}
	}
	l.deliver(b, s, to)
}

func (l load) deliver(b *testing.B, s *Store, boxes [100]store.Mailbox) {
	c := message(l.size)
	mailboxes := make([]store.Placement, len(boxes))
	for i := range mailboxes {
		mailboxes[i] = store.Placement{Mailbox: boxes[i], Trace: []byte("Return-Path: <a@b.example>\r\n")}
		if err := s.Deliver(context.Background(), c, mailboxes[i:i+1])[0]; err != nil {
			b.Fatal(err)
		}
		if _, err := s.Usage(context.Background(), mailboxes[i].Mailbox); err != nil { // makes maildirsize
			b.Fatal(err)
		}
	}
	todo := make(chan struct{})
	done := make(chan error, l.sessions)
	for range l.sessions {
		go func() {
			var err error
			to := make([]store.Placement, l.placements)
			for range todo {
				for i := range to {
					to[i] = mailboxes[rand.IntN(len(mailboxes))]
				}
				for _, e := range s.Deliver(context.Background(), c, to) {
					if e != nil {
						err = e
					}
				}
			}
			done <- err
		}()
	}
	b.ReportAllocs()
	cpu := cpuTime(b)
	b.ResetTimer()
	for range b.N {
		todo <- struct{}{}
	}
	close(todo)
	for range l.sessions {
		if err := <-done; err != nil {
			b.Fatal(err)
		}
	}
	deliveries := float64(b.N * l.placements)
	b.ReportMetric(deliveries/b.Elapsed().Seconds(), "deliveries/s")
	b.ReportMetric(float64((cpuTime(b)-cpu).Microseconds())/deliveries, "cpu-µs/delivery")
}

func benchDir(b *testing.B) string {
	keep := os.Getenv("LMTPD_BENCH_DIR")
	if keep == "" {
		return b.TempDir()
	}
	dir, err := os.MkdirTemp(keep, "maildir")
	if err != nil {
		b.Fatal(err)
	}
	return dir
}

// cpuTime is what the process has used of the processors.
func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
