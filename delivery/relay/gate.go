package relay

import (
	"context"
	"sync/atomic"
	"time"
)

// gateRest is for how long a place at a gate is not given to anybody after the server has refused another connection.
const gateRest = time.Minute

// A gate lets so many be with a server at once.
type gate struct {
	places  chan struct{} // those that are free
	resting atomic.Int32
}

func newGate(places int) *gate {
	g := &gate{places: make(chan struct{}, places)}
	for range places {
		g.places <- struct{}{}
	}
	return g
}

// enter waits for a place.
func (g *gate) enter(ctx context.Context) error {
	select {
	case <-g.places:
		return nil
	default:
	}
	select {
	case <-g.places:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// leave gives the place back.
func (g *gate) leave() { g.places <- struct{}{} }

// rest is leave after a while, if others have places: the server will have no more of us at once than it has now. It says whether
// there are others.
func (g *gate) rest() bool {
	if cap(g.places)-len(g.places) <= int(g.resting.Add(1)) {
		g.resting.Add(-1)
		return false
	}
	time.AfterFunc(gateRest, func() {
		g.resting.Add(-1)
		g.leave()
	})
	return true
}
