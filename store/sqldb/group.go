package sqldb

import (
	"context"
	"slices"
	"sync"
)

// A Group is where changes wait to be committed together. No goroutine waits for work: who brings some when nobody is at it
// leads, and makes one commit with what waits by then. Whoever comes meanwhile shares the next one, which a goroutine makes, for he
// who led has what he came for. So one change alone wakes nobody up. Its methods may be called from many goroutines at once.
type Group[J any] struct {
	commit func(context.Context)

	mu      sync.Mutex
	queue   []J
	led     bool // somebody leads
	leaders sync.WaitGroup
}

// NewGroup makes a Group. commit takes what waits, and is never called twice at once. Its context ends the waiting of the one who
// leads; it may leave what waits where it is then, and is called again.
func NewGroup[J any](commit func(context.Context)) *Group[J] { return &Group[J]{commit: commit} }

// Enqueue hands a job over. If there is nobody who leads, a goroutine does.
func (g *Group[J]) Enqueue(j J) {
	if g.join(j) {
		g.leaders.Go(g.leadOn)
	}
}

// EnqueueAndLead is Enqueue for a caller who leads himself if nobody does. When ctx ends, he waits for a lock no longer.
func (g *Group[J]) EnqueueAndLead(ctx context.Context, j J) {
	if !g.join(j) {
		return
	}
	g.leaders.Add(1)
	defer g.leaders.Done()
	g.commit(ctx)
	if g.more() {
		g.leaders.Go(g.leadOn)
	}
}

// Take takes what waits, in order, until enough says so of the last that was taken.
func (g *Group[J]) Take(enough func(J) bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	n := 0
	for n < len(g.queue) {
		n++
		if enough(g.queue[n-1]) {
			break
		}
	}
	g.queue = slices.Delete(g.queue, 0, n)
}

// Len is how many wait.
func (g *Group[J]) Len() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return len(g.queue)
}

// Wait waits until all that waits has been committed. Nobody may be bringing anything who does not wait for it.
func (g *Group[J]) Wait() { g.leaders.Wait() }

// join puts a job into the queue, and says whether the caller is the one to lead.
func (g *Group[J]) join(j J) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.queue = append(g.queue, j)
	first := !g.led
	g.led = true
	return first
}

// more says whether there is work left. If not, nobody leads any more.
func (g *Group[J]) more() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.led = len(g.queue) > 0
	return g.led
}

// leadOn makes commits as long as there is work.
func (g *Group[J]) leadOn() {
	for {
		g.commit(context.Background())
		if !g.more() {
			return
		}
	}
}
