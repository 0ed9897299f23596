package sqldb

import (
	"context"
	"slices"
	"sync"
	"testing"
)

// Who comes while a commit is under way shares the next one, and no more than a commit takes goes into it.
func TestGroup(t *testing.T) {
	entered, goOn := make(chan struct{}), make(chan struct{})
	var once sync.Once
	var commits [][]int
	var g *Group[int]
	g = NewGroup[int](func(context.Context) {
		var now []int
		g.Take(func(n int) bool {
			now = append(now, n)
			return len(now) == 4
		})
		commits = append(commits, now)
		once.Do(func() { close(entered); <-goOn })
	})
	g.Enqueue(0)
	<-entered
	for n := range 6 {
		g.EnqueueAndLead(t.Context(), n+1) // somebody leads already
	}
	if n := g.Len(); n != 6 {
		t.Errorf("%d wait, want 6", n)
	}
	close(goOn)
	g.Wait()
	g.EnqueueAndLead(t.Context(), 7)
	if want := [][]int{{0}, {1, 2, 3, 4}, {5, 6}, {7}}; !slices.EqualFunc(commits, want, slices.Equal) {
		t.Errorf("commits were %v, want %v", commits, want)
	}
}

// What the one who leads leaves where it is when his context ends is taken by another.
func TestGroupLeft(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var taken []int
	var g *Group[int]
	g = NewGroup[int](func(ctx context.Context) {
		if ctx.Err() == nil {
			g.Take(func(n int) bool { taken = append(taken, n); return false })
		}
	})
	g.EnqueueAndLead(ctx, 1)
	g.Wait()
	if !slices.Equal(taken, []int{1}) {
		t.Errorf("taken were %v", taken)
	}
}
