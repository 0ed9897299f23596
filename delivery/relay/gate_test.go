package relay

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

func TestGate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2)
		enter := func(want error) {
			t.Helper()
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			if err := g.enter(ctx); !errors.Is(err, want) {
				t.Errorf("%v, want %v", err, want)
			}
		}
		enter(nil)
		if g.rest() {
			t.Error("the only place that is taken may rest")
		}
		enter(nil)
		enter(context.DeadlineExceeded)
		if !g.rest() {
			t.Error("one of two may not rest")
		}
		if g.rest() {
			t.Error("the other one may rest too")
		}
		enter(context.DeadlineExceeded)
		g.leave()
		enter(nil)
		time.Sleep(gateRest)
		enter(nil)
		enter(context.DeadlineExceeded)
	})
}
