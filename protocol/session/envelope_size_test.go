package session_test

import (
	"context"
	"strings"
	"testing"

	"lmtpd/protocol/session"
)

// What the recipients of a transaction take is bounded, by their number and by their octets; and a transaction of a
// thousand addresses of usual length is within that.
func TestEnvelopeIsBounded(t *testing.T) {
	for _, tc := range []struct {
		name, local string
		least, most int
	}{
		{"usual", strings.Repeat("a", 64), 1000, 1000},
		{"longest", strings.Repeat("a", 800), 300, 400},
	} {
		ctx := context.Background()
		s := session.New(config(session.LMTP()), &mute{}, session.Peer{})
		s.Start()
		s.Line(ctx, []byte("LHLO c"))
		s.Line(ctx, []byte("MAIL FROM:<>"))
		taken := 0
		for range 1200 {
			if step := s.Line(ctx, []byte("RCPT TO:<"+tc.local+"@example.org>")); step.Replies[0].Positive() {
				taken++
			} else if step.Replies[0].Code != 452 {
				t.Fatal(step.Replies)
			}
		}
		if taken < tc.least || taken > tc.most {
			t.Errorf("%s: %d recipients were taken, want %d to %d", tc.name, taken, tc.least, tc.most)
		}
		s.Close()
	}
}
