package sqlite

import (
	"context"
	"time"
)

// A pace leaves the processors and the writer to deliveries: the more messages come in, the longer an index rests after its work.
// With little mail it keeps up, with much it takes a fiftieth of the time and catches up later.
type pace struct {
	worked time.Duration // in the last turn
	since  time.Time     // when the turn began; zero: there was none
	newest int64         // copy then
}

const (
	// calm is how many messages a second make an index rest as long as it works; of twice as many it rests twice as long.
	calm = 50
	// longest is how many times as long it rests at most.
	longest = 50
)

// rest begins another turn, and says how long to rest first.
func (p *pace) rest(now time.Time, newest int64) time.Duration {
	before := *p
	p.since, p.newest = now, newest
	if before.since.IsZero() || newest <= before.newest {
		return 0
	}
	rate := float64(newest-before.newest) / max(now.Sub(before.since), time.Millisecond).Seconds()
	return min(time.Duration(float64(before.worked)*min(rate/calm, longest)), 5*time.Second)
}

func pause(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
