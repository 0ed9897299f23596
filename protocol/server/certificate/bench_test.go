package certificate_test

import (
	"crypto/tls"
	"fmt"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// A whole handshake, of both sides, with a P-256 certificate; TLS 1.3 as clients have it today.
func BenchmarkHandshake(b *testing.B) {
	a := newAuthority(b, time.Now())
	s := open(b, certificate.Config{Pairs: []certificate.Pair{a.issue(a.forHosts("a.example")).save(b, b.TempDir(), "a")}})
	server, client := s.TLSConfig(), &tls.Config{ServerName: "a.example", RootCAs: pool(a.cert)}
	for b.Loop() {
		handshake(b, server, client).expect(b)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "handshakes/s")
}

// What a hello costs beyond a configuration that never changes, with a hundred names.
func BenchmarkHello(b *testing.B) {
	a, dir := newAuthority(b, time.Now()), b.TempDir()
	var pairs []certificate.Pair
	for i := range 100 {
		name := fmt.Sprintf("host%d.example", i)
		pairs = append(pairs, a.issue(a.forHosts(name)).save(b, dir, name))
	}
	now := time.Now()
	cfg := open(b, certificate.Config{Pairs: pairs, Now: func() time.Time { return now }}).TLSConfig() // files are not looked at
	hello := &tls.ClientHelloInfo{ServerName: "Host77.example"}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := cfg.GetConfigForClient(hello); err != nil {
			b.Fatal(err)
		}
		if _, err := cfg.GetCertificate(hello); err != nil {
			b.Fatal(err)
		}
	}
}
