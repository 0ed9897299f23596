package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// onPipes makes load on servers at the other end of pipes that take so long for a message. Where plan has no mailboxes, it is
// for ann.
func onPipes(plan benchPlan, slow func(n int) time.Duration) *benchLoad {
	plan.least, plan.most, plan.recipients = 1024, 1024, 1
	if plan.mailboxes == nil {
		plan.mailboxes = []smtp.Recipient{{To: smtp.Path{Local: "ann", Domain: "x"}}}
	}
	server := &taker{before: func(n int) { time.Sleep(slow(n)) }}
	return &benchLoad{
		plan:    plan,
		letters: newLetters("run", "me@x", time.Now()),
		tally:   newBenchTally(),
		dial: func(ctx context.Context) (*client.Conn, error) {
			near, far := net.Pipe()
			go server.session(far)
			return client.New(ctx, near, client.LMTP(), client.Options{})
		},
	}
}

// At a rate, latency counts from when a message was due: a server that stops for a while is not hidden by a client that waits
// with it.
func TestBenchOpenLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		plan := benchPlan{sessions: 1, rate: 10, duration: 4 * time.Second}
		l := onPipes(plan, func(n int) time.Duration {
			if n == 11 { // due after a second
				return 2 * time.Second
			}
			return time.Millisecond
		})
		took, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		// Numbers 12 to 31 were due while it stood still, and were late by 1.9 s, 1.8 s, … 0.
		n, h := l.tally.counts, &l.tally.latency
		if n.messages != 40 || l.behind(n.begun) != 0 {
			t.Errorf("%+v in %s, %d behind", n, took, l.behind(n.begun))
		}
		if p := h.quantile(0.45); p > 2*time.Millisecond {
			t.Errorf("nearly half took %s", p)
		}
		if p := h.quantile(0.75); p < 900*time.Millisecond || p > 1200*time.Millisecond {
			t.Errorf("three quarters took %s", p)
		}
		if h.most != 2*time.Second {
			t.Errorf("the longest took %s", h.most)
		}
	})
}

// Without a rate the same server looks better: it is asked for nothing while it stands still.
func TestBenchClosedLoop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := onPipes(benchPlan{sessions: 2, messages: 100}, func(n int) time.Duration {
			if n == 11 {
				return 2 * time.Second
			}
			return 100 * time.Millisecond
		})
		if _, err := l.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		n, h := l.tally.counts, &l.tally.latency
		if p := h.quantile(0.95); n.messages != 100 || p > 101*time.Millisecond {
			t.Errorf("%+v, the quantile 0.95 is %s", n, p)
		}
	})
}

// What was due and not begun is told: the server does not take the rate.
func TestBenchBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := onPipes(benchPlan{sessions: 2, rate: 10, duration: 10 * time.Second}, func(int) time.Duration { return time.Second })
		took, err := l.run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		n := l.tally.counts
		if behind := l.behind(n.begun); n.begun != n.messages || behind+n.begun != 100 || n.begun < 19 || n.begun > 20 || took < 10*time.Second {
			t.Errorf("%+v in %s, %d behind", n, took, behind)
		}
	})
}

// A message under way has its time after an interrupt, and no more than that.
func TestBenchGrace(t *testing.T) {
	for slow, unknown := range map[time.Duration]int64{benchGrace - time.Second: 0, time.Hour: 1} {
		synctest.Test(t, func(t *testing.T) {
			ctx, interrupt := context.WithTimeout(t.Context(), time.Second)
			defer interrupt()
			l := onPipes(benchPlan{sessions: 1}, func(int) time.Duration { return slow })
			took, err := l.run(ctx)
			if n := l.tally.counts; err != nil || n.begun != 1 || n.unknown != unknown || n.delivered != 1-unknown || took > benchGrace+time.Second {
				t.Errorf("%s: %v, %+v in %s", slow, err, n, took)
			}
			time.Sleep(time.Hour) // of the bubble, so that the server sees the end
		})
	}
}

// A session whose server is away tries again, but neither at once nor for ever.
func TestBenchServerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := onPipes(benchPlan{sessions: 1, perConnection: 1}, func(int) time.Duration { return 0 })
		dial, dialled := l.dial, 0
		l.dial = func(ctx context.Context) (*client.Conn, error) {
			if dialled++; dialled == 1 {
				return dial(ctx)
			}
			return nil, errors.New("connection refused")
		}
		took, err := l.run(t.Context())
		n := l.tally.counts
		if err != nil || n.messages != 1 || n.notSent != benchTries || l.tally.errors["connection refused"] != benchTries || took < benchTries*benchPause/2 {
			t.Errorf("%v, %+v in %s, %v", err, n, took, l.tally.errors)
		}
		if benchExit(newBenchReport(l, took), l.tally.permanent) == nil {
			t.Error("that is no success")
		}
	})
}

// 421 is the server's last word on a connection: the next message gets another, and none is lost on it.
func TestBenchClosing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := []smtp.Recipient{{To: smtp.Path{Local: "421", Domain: "x"}}}
		l := onPipes(benchPlan{sessions: 1, messages: 6, mailboxes: to}, func(int) time.Duration { return 0 })
		if _, err := l.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if n := l.tally.counts; n.deferred != 6 || n.notSent != 0 || len(l.tally.errors) != 0 {
			t.Errorf("%+v, %v", n, l.tally.errors)
		}
	})
}

// What is counted of a hostile server's replies is bounded.
func TestBenchTallyBounded(t *testing.T) {
	tally := newBenchTally()
	for i := range 10 * benchKinds {
		r := smtp.Reply{Code: 450 + i%2, Status: "2.0", Text: fmt.Sprint("word ", i, " for <you", i, "@x>")}
		tally.end([]client.Result{{Outcome: client.Known, Reply: r}}, 1, 1)
		tally.fail(fmt.Errorf("error %d", i))
	}
	var replies, failures int64
	for _, n := range tally.replies {
		replies += n
	}
	for _, n := range tally.errors {
		failures += n
	}
	if replies != 10*benchKinds || failures != 10*benchKinds || len(tally.replies) > benchKinds+2 || len(tally.errors) > benchKinds+1 {
		t.Errorf("%d replies of %d kinds, %d errors of %d", replies, len(tally.replies), failures, len(tally.errors))
	}
}

// Recipients are different mailboxes, and all mailboxes have their turn.
func TestBenchRecipients(t *testing.T) {
	p := benchPlan{recipients: 3}
	for i := range 7 {
		p.mailboxes = append(p.mailboxes, smtp.Recipient{To: smtp.Path{Local: fmt.Sprint("user", i), Domain: "x"}})
	}
	rng, all := rand.New(rand.NewPCG(1, 1)), map[string]bool{}
	for range 200 {
		chosen := map[string]bool{}
		for _, r := range p.choose(rng, nil) {
			chosen[r.To.String()], all[r.To.String()] = true, true
		}
		if len(chosen) != 3 {
			t.Fatalf("chosen: %v", chosen)
		}
	}
	if len(all) != 7 {
		t.Errorf("only %v have had mail", all)
	}
}
