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
	words, indexed             bool
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
	s := openIndexed(b, filepath.Join(benchDir(b), "mail.db"))
	raw := make([]byte, l.size)
	rand.Read(raw)
	text := "XXXXXXXX: x\r\nSubject: benchmark\r\nFrom: Ann <ann@example.org>\r\nDate: Fri, 20 Nov 2026 10:00:00 +0000\r\n" +
		"Message-ID: <1@example.org>\r\n\r\n" + string(raw)
	text = text[:l.size]
	var different [64]string
	for i := range different {
		if different[i] = text; l.words {
			different[i] = wordsOf(l.size)
		}
	}
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
				c := numbered{strings.NewReader(different[mathrand.IntN(len(different))]), 0}
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
	if l.indexed {
		defer keepIndexing(b, s)()
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

// BenchmarkDeliverIndexed delivers mail of words, without an index and with one that is kept up meanwhile.
func BenchmarkDeliverIndexed(b *testing.B) {
	for _, indexed := range []bool{false, true} {
		for _, sessions := range []int{1, 8, 32, 100} {
			b.Run(fmt.Sprintf("indexed=%t/sessions=%d", indexed, sessions), func(b *testing.B) {
				benchmarkDeliver(b, load{size: 10 << 10, placements: 1, sessions: sessions, words: true, indexed: indexed})
			})
		}
	}
}

// BenchmarkIndex catches up with mail that is there.
func BenchmarkIndex(b *testing.B) {
	s := openIndexed(b, filepath.Join(benchDir(b), "mail.db"))
	for i := range b.N {
		if err := s.Deliver(b.Context(), numbered{strings.NewReader(wordsOf(10 << 10)), int64(i)}, []store.Placement{{Mailbox: ann}})[0]; err != nil {
			b.Fatal(err)
		}
	}
	b.ResetTimer()
	if n := index(b, s); n != b.N {
		b.Errorf("%d contents, want %d", n, b.N)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "contents/s")
}

// wordsOf makes a text of so many octets, of 20,000 words, some of them more often than others.
func wordsOf(octets int) string {
	var text strings.Builder
	text.WriteString("XXXXXXXX: x\r\nSubject: benchmark\r\nFrom: Ann <ann@example.org>\r\n\r\n")
	for text.Len() < octets {
		n := mathrand.IntN(1 + mathrand.IntN(20_000))
		fmt.Fprintf(&text, "w%x%s", n, []string{" ", " ", " ", " ", "\r\n"}[n%5])
	}
	return text.String()[:octets]
}

// keepIndexing indexes until stop is called.
func keepIndexing(b *testing.B, s *Store) (stop func()) {
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan struct{})
	n := 0
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			some, err := s.Index(ctx)
			if n += some; err != nil && ctx.Err() == nil {
				b.Error(err)
				return
			}
		}
	}()
	return func() {
		cancel()
		<-done
		b.ReportMetric(float64(n)/float64(b.N), "indexed/op")
	}
}
