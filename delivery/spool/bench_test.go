package spool

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"lmtpd/protocol/smtp"
)

// BenchmarkPut puts messages of 10 KB in that nobody attempts.
func BenchmarkPut(b *testing.B) {
	for _, callers := range []int{1, 8, 32} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			s := open(b, config(tempPath(b), &carrier{}))
			defer s.Close()
			putAll(b, s, callers, 10_000)
		})
	}
}

// A sink is a Transport that takes everything.
type sink struct {
	n    atomic.Int64
	last int64
	done chan struct{} // closed when it has taken the last
}

func newSink(n int) *sink { return &sink{last: int64(n), done: make(chan struct{})} }

func (k *sink) Destination(from, to smtp.Path) string { return to.Domain }

func (k *sink) Attempt(_ context.Context, _ string, m *Message) ([]Outcome, error) {
	if k.n.Add(1) == k.last {
		close(k.done)
	}
	return all(m, Delivered, smtp.Reply{}), nil
}

// BenchmarkThrough has them attempted by a transport that does nothing.
func BenchmarkThrough(b *testing.B) {
	for _, callers := range []int{1, 32} {
		b.Run(fmt.Sprint(callers), func(b *testing.B) {
			cfg := config(tempPath(b), nil)
			k := newSink(b.N)
			cfg.Transport = k
			s := open(b, cfg)
			defer run(b, s)()
			putAll(b, s, callers, 10_000)
			<-k.done
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "through/s")
		})
	}
}

// BenchmarkBacklog has messages attempted that were there at the start.
func BenchmarkBacklog(b *testing.B) {
	cfg := config(tempPath(b), nil)
	k := newSink(b.N)
	cfg.Transport = k
	s := open(b, cfg)
	putAll(b, s, 32, 10_000)
	b.ResetTimer()
	defer run(b, s)()
	<-k.done
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "messages/s")
}

func putAll(b *testing.B, s *Spool, callers, size int) {
	content := octets(bytes.Repeat([]byte("0123456789abcdef0123456789abcd\r\n"), size/32))
	b.SetBytes(int64(len(content)))
	b.ResetTimer()
	begun := time.Now()
	var n atomic.Int64
	var all sync.WaitGroup
	for range callers {
		all.Go(func() {
			for n.Add(1) <= int64(b.N) {
				m := mail("ann@here.example", "", "bob@a.example")
				m.Content = content
				if err := s.Put(b.Context(), m); err != nil {
					b.Error(err)
				}
			}
		})
	}
	all.Wait()
	b.ReportMetric(float64(b.N)/time.Since(begun).Seconds(), "messages/s")
}
