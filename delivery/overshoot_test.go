package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"lmtpd/delivery"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// A gate is a store that keeps nothing before it is decided of every message whether it may be kept: so much at once as
// there can be.
type gate struct {
	store.Store
	undecided *sync.WaitGroup
}

func (g gate) Deliver(ctx context.Context, c store.Content, to []store.Placement) []error {
	g.undecided.Done()
	g.undecided.Wait()
	return g.Store.Deliver(ctx, c, to)
}

// Deliveries at the same time cannot bring a mailbox over its quota together, whatever SIZE= said, and when they are over
// nothing stays reserved.
func TestQuotaConcurrent(t *testing.T) {
	for _, quota := range []store.Usage{{Octets: 3000}, {Messages: 7}, {Octets: 1500, Messages: 4}} {
		for name, open := range map[string]func(*testing.T) store.Store{
			"memory":  func(*testing.T) store.Store { return &storetest.Memory{} },
			"maildir": func(t *testing.T) store.Store { return openMaildir(t, t.TempDir(), "%d/%n") },
		} {
			t.Run(fmt.Sprintf("%s/%d octets, %d messages", name, quota.Octets, quota.Messages), func(t *testing.T) {
				expectNoOvershoot(t, open(t), quota)
			})
		}
	}
}

func expectNoOvershoot(t *testing.T, s store.Store, limit store.Usage) {
	const many = 60
	var undecided, senders sync.WaitGroup
	undecided.Add(many)
	h := newHost(t, func(c *delivery.Config) {
		b := &c.Blocks[0]
		b.Store, b.Quota = gate{s, &undecided}, store.Quota{Usage: limit}
		b.Delimiters, b.Detail = "+", delivery.DetailCreate
	})
	for i := range many {
		senders.Go(func() {
			env := envelope()
			env.ID = fmt.Sprint("ID", i)
			to := []string{"ann@example.org", "ann+x@example.org"}[i%2]
			if h.announce(env, to, int64(i%3*100)) != "250 2.1.5" || h.Deliver(t.Context(), env, message(150))[0].Status == "2.2" {
				undecided.Done()
			}
		})
	}
	senders.Wait()
	quota := store.Quota{Usage: limit}
	used, err := s.Usage(t.Context(), store.Mailbox{Name: "ann@example.org", Quota: quota})
	if err != nil || used.Messages < 1 || limit.Octets > 0 && used.Octets > limit.Octets || limit.Messages > 0 && used.Messages > limit.Messages {
		t.Errorf("%+v of %+v, %v", used, limit, err)
	}
	for _, size := range []int64{1, 500, 1000, 3000} {
		env, want := envelope(), "250 2.1.5"
		if quota.Check(used, store.Usage{Messages: 1, Octets: size}) != nil {
			want = "452 4.2.2"
		}
		if got := h.announce(env, "ann@example.org", size); got != want {
			t.Errorf("%d octets more than %+v: %s, want %s", size, used, got, want)
		}
		h.Abandon(env)
	}
}

// A patient store takes its time when it is asked about much for the first time.
type patient struct {
	store.Store
	once        *atomic.Bool
	asked, goOn chan struct{}
}

func newPatient() patient {
	return patient{&storetest.Memory{}, new(atomic.Bool), make(chan struct{}), make(chan struct{})}
}

func (p patient) Check(ctx context.Context, m store.Mailbox, more store.Usage) error {
	if more.Octets > 1900 && p.once.CompareAndSwap(false, true) {
		close(p.asked)
		<-p.goOn
	}
	return p.Store.Check(ctx, m, more)
}

// What is asked for and will not be granted is in nobody's way meanwhile: many at once would refuse each other everything.
func TestAskingReservesNothing(t *testing.T) {
	p := newPatient()
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks[0].Store, c.Blocks[0].Quota.Octets = p, 2000
	})
	env := envelope()
	if got := h.announce(env, "ann@example.org", 100); got != "250 2.1.5" {
		t.Fatal(got)
	}
	var large sync.WaitGroup
	large.Go(func() {
		if got := h.announce(envelope(), "ann@example.org", 1950); got != "452 4.2.2" {
			t.Errorf("too much: %s", got)
		}
	})
	<-p.asked
	if got := h.deliver(env, message(500))[0]; !strings.HasPrefix(got, "250 2.1.5") {
		t.Errorf("what there is room for: %s", got)
	}
	close(p.goOn)
	large.Wait()
}

// What the store said before somebody else was granted something counts no more.
func TestGrantedMeanwhile(t *testing.T) {
	p := newPatient()
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks[0].Store, c.Blocks[0].Quota.Octets = p, 2000
	})
	var large sync.WaitGroup
	large.Go(func() {
		if got := h.announce(envelope(), "ann@example.org", 1950); got != "452 4.2.2" {
			t.Errorf("what there was room for: %s", got)
		}
	})
	<-p.asked
	if got := h.announce(envelope(), "ann@example.org", 100); got != "250 2.1.5" {
		t.Errorf("what there is room for: %s", got)
	}
	close(p.goOn)
	large.Wait()
}
