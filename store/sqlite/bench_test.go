package sqlite

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	mathrand "math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// BenchmarkDeliver delivers messages that are all different to 100 mailboxes at random, every one durable before the next. Run
// it on the disk that the database would be on: with LMTPD_BENCH_DIR it is made there and left there.
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

// BenchmarkDeliverSame delivers one and the same message: it is there once.
func BenchmarkDeliverSame(b *testing.B) {
	benchmarkDeliver(b, load{size: 10 << 10, placements: 1, sessions: 32, same: true})
}

// A load is what a benchmark has the store do.
type load struct {
	size, placements, sessions int
	same                       bool
}

// A numbered content has its number in its first octets.
type numbered struct {
	*strings.Reader
	number int64
}

func (n numbered) ReadAt(b []byte, off int64) (int, error) {
	got, err := n.Reader.ReadAt(b, off)
	if off == 0 && got >= 8 {
		binary.BigEndian.PutUint64(b, uint64(n.number))
	}
	return got, err
}

func benchmarkDeliver(b *testing.B, l load) {
	s := open(b, filepath.Join(benchDir(b), "mail.db"))
	defer s.Close()
	raw := make([]byte, l.size)
	rand.Read(raw)
	text := "XXXXXXXX: x\r\nSubject: benchmark\r\nFrom: Ann <ann@example.org>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n" +
		"Message-ID: <1@example.org>\r\n\r\n" + string(raw)
	text = text[:l.size]
	mailboxes := make([]store.Placement, 100)
	for i := range mailboxes {
		mailboxes[i] = store.Placement{
			Mailbox: store.Mailbox{Name: fmt.Sprintf("m%d@example.org", i)},
			Trace:   []byte("Return-Path: <a@b.example>\r\nDelivered-To: m@example.org\r\nReceived: from x\r\n" + strings.Repeat(" x\r\n", 40)),
		}
		if err := s.Deliver(context.Background(), strings.NewReader("x"), mailboxes[i:i+1])[0]; err != nil {
			b.Fatal(err)
		}
	}
	var number atomic.Int64
	todo := make(chan struct{})
	done := make(chan error, l.sessions)
	for range l.sessions {
		go func() {
			var err error
			to := make([]store.Placement, l.placements)
			for range todo {
				for i := range to {
					to[i] = mailboxes[mathrand.IntN(len(mailboxes))]
				}
				c := numbered{strings.NewReader(text), 0}
				if !l.same {
					c.number = number.Add(1)
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
	dir, err := os.MkdirTemp(keep, "sqlite")
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
