package sqlite

import (
	"testing"
	"time"
)

// An index rests as long as it works for every 50 messages a second, up to fifty times that.
func TestPace(t *testing.T) {
	now := time.Unix(1e9, 0)
	p := pace{}
	if d := p.rest(now, 7); d != 0 {
		t.Errorf("rests %v before any work", d)
	}
	for _, turn := range []struct {
		worked, took time.Duration
		came         int64
		want         time.Duration
	}{
		{10 * time.Millisecond, 20 * time.Millisecond, 0, 0},
		{10 * time.Millisecond, time.Second, 50, 10 * time.Millisecond},
		{10 * time.Millisecond, time.Second, 500, 100 * time.Millisecond},
		{10 * time.Millisecond, 100 * time.Millisecond, 50, 100 * time.Millisecond},
		{10 * time.Millisecond, time.Second, 1e6, 500 * time.Millisecond},
		{time.Second, time.Second, 1e6, 5 * time.Second},
		{10 * time.Millisecond, 0, 1, 200 * time.Millisecond},
		{10 * time.Millisecond, time.Second, -3, 0},
	} {
		now = now.Add(turn.took)
		p.worked = turn.worked
		if got := p.rest(now, p.newest+turn.came); got != turn.want {
			t.Errorf("%d messages in %v: rests %v, want %v", turn.came, turn.took, got, turn.want)
		}
	}
}
