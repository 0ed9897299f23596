package auth_test

import (
	"log/slog"
	"net/netip"
	"strconv"
	"testing"
	"time"

	"lmtpd/auth"
)

// BenchmarkPlain is what an exchange costs beside the password's hash, with the guard before it.
func BenchmarkPlain(b *testing.B) {
	guard := auth.Guard(newServer(""), auth.NewThrottle(time.Now, nil), slog.New(slog.DiscardHandler))
	ch := bound()
	ch.Peer = netip.MustParseAddr("192.0.2.9")
	response := []byte("\x00ann\x00secret")
	b.ReportAllocs()
	for b.Loop() {
		if _, account, err := guard.Begin("PLAIN", ch).Next(b.Context(), response); account != "ann" {
			b.Fatal(err)
		}
	}
}

// BenchmarkThrottle is what a failure costs when as many are remembered as can be.
func BenchmarkThrottle(b *testing.B) {
	th := auth.NewThrottle(time.Now, nil)
	var i uint32
	for b.Loop() {
		i++
		th.Fail(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), strconv.Itoa(int(i)))
	}
}
