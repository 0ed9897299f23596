package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// selfSigned opens a store with a self-signed certificate, by a clock that the test sets.
func selfSigned(t *testing.T, log *slog.Logger) (s *Store, clock *atomic.Int64) {
	t.Helper()
	now := time.Now()
	clock = new(atomic.Int64)
	clock.Store(now.UnixNano())
	p, _, err := SelfSigned(t.TempDir(), "a.example", now)
	if err != nil {
		t.Fatal(err)
	}
	s, err = Open(Config{Pairs: []Pair{p}, Now: func() time.Time { return time.Unix(0, clock.Load()) }, Log: log})
	if err != nil {
		t.Fatal(err)
	}
	return s, clock
}

// A look that hangs keeps the client that began it until it gives up, and no other.
func TestLookHangs(t *testing.T) {
	s, clock := selfSigned(t, slog.New(slog.DiscardHandler))
	hangs, release := make(chan struct{}), make(chan struct{})
	parse := s.pairs[0].parse
	s.pairs[0].parse = func(texts [][]byte) (*tls.Certificate, error) {
		close(hangs)
		<-release
		return parse(texts)
	}
	s.pairs[0].infos = nil // as if the files had changed
	clock.Add(int64(time.Second))
	ctx, cancel := context.WithCancel(t.Context())
	var first sync.WaitGroup
	first.Go(func() { s.refresh(ctx) })
	<-hangs
	s.refresh(t.Context()) // is not the one who waits
	cancel()
	first.Wait()
	if hello := (&tls.ClientHelloInfo{}); s.current.Load().pick(hello) == nil {
		t.Error("no certificate meanwhile")
	}
	close(release)
	s.looking.Lock() // when the look has ended
	defer s.looking.Unlock()
	if age := s.age(s.cfg.Now()); age != 0 {
		t.Errorf("looked %s ago", age)
	}
}

// A panic in what reads the files leaves the old ones, and looks go on.
func TestLookPanics(t *testing.T) {
	var log strings.Builder
	s, _ := selfSigned(t, slog.New(slog.NewTextHandler(&log, nil)))
	s.pairs[0].infos = nil
	parse := s.pairs[0].parse
	s.pairs[0].parse = func([][]byte) (*tls.Certificate, error) { panic("x") }
	s.Look()
	if !strings.Contains(log.String(), `msg="certificates cannot be looked at; the old ones are kept" cause="panic: x"`) {
		t.Error(log.String())
	}
	s.pairs[0].parse = parse
	s.Look()
}

// Clients come while certificates change. Each is shown one that it is told of, and keeps it to the end.
func TestLookBesideClients(t *testing.T) {
	s, clock := selfSigned(t, slog.New(slog.DiscardHandler))
	cfg, first := s.TLSConfig(), s.Leaves()[0]
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 50 {
				clock.Add(int64(time.Second))
				s.refresh(t.Context())
				chosen, err := cfg.GetCertificate(&tls.ClientHelloInfo{ServerName: "a.example"})
				if err != nil || chosen.Leaf == nil || s.NextExpiry().Before(first.NotAfter) {
					t.Errorf("%v", err)
				}
			}
		})
	}
	dir := strings.TrimSuffix(s.cfg.Pairs[0].Key, "/"+selfSignedKey)
	var last *x509.Certificate
	for range 5 {
		if err := makeSelfSigned(SelfSignedPair(dir), "a.example", s.cfg.Now()); err != nil {
			t.Fatal(err)
		}
		var err error
		if last, err = Read(s.cfg.Pairs[0], s.cfg.Now()); err != nil {
			t.Fatal(err)
		}
	}
	all.Wait()
	s.Look()
	if !s.Leaves()[0].Equal(last) {
		t.Error("the last one is not shown")
	}
}
