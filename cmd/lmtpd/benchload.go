package main

import (
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

const (
	// benchTries is how often in a row a session's connection may fail before the session gives up.
	benchTries = 10
	// benchPause is how long a session waits after a failure, so that a server that is away is not hammered.
	benchPause = 100 * time.Millisecond
	// benchGrace is how long messages under way may take after an interrupt.
	benchGrace = 10 * time.Second
)

// A benchLoad is load as it is being made. Its sessions take one message after another from a common sequence.
type benchLoad struct {
	plan    benchPlan
	letters *benchLetters
	dial    func(context.Context) (*client.Conn, error)
	tally   *benchTally

	next  atomic.Int64 // message
	began time.Time

	mu      sync.Mutex
	stopped time.Duration // after which no further message was begun
}

// run makes the load until it is done or ctx ends, when the messages under way still get their time. Connections are made
// before the clock starts. The error is that of the first; what goes wrong later is in the tally.
func (l *benchLoad) run(ctx context.Context) (time.Duration, error) {
	hard, cut := context.WithCancel(context.WithoutCancel(ctx))
	defer cut()
	defer context.AfterFunc(ctx, func() { time.AfterFunc(benchGrace, cut) })()
	sessions, err := l.connect(ctx)
	if err != nil {
		return 0, err
	}
	l.began = time.Now()
	if l.plan.duration > 0 {
		var stop context.CancelFunc
		ctx, stop = context.WithDeadline(ctx, l.began.Add(l.plan.duration))
		defer stop()
	}
	var running, closing sync.WaitGroup
	for _, s := range sessions {
		running.Go(func() { s.run(ctx, hard) })
	}
	running.Wait()
	took := time.Since(l.began)
	for _, s := range sessions {
		closing.Go(func() { s.quit(hard) })
	}
	closing.Wait()
	return took, nil
}

// connect begins all sessions at once, if the first can: a wrong password is not to be tried by all of them.
func (l *benchLoad) connect(ctx context.Context) ([]*benchSession, error) {
	sessions := make([]*benchSession, l.plan.sessions)
	for i := range sessions {
		sessions[i] = &benchSession{
			benchLoad: l,
			rng:       rand.New(rand.NewPCG(2, uint64(i))),
			letter:    benchLetter{all: l.letters},
			to:        make([]smtp.Recipient, 0, l.plan.recipients),
		}
	}
	if err := sessions[0].connect(ctx); err != nil {
		return nil, err
	}
	var others sync.WaitGroup
	for _, s := range sessions[1:] {
		others.Go(func() { _ = s.connect(ctx) }) // it is in the tally, and tried again
	}
	others.Wait()
	return sessions, nil
}

// take returns the next message's number and when it is due, which is now unless there is a rate. It waits until then.
func (l *benchLoad) take(ctx context.Context) (n int64, due time.Time, ok bool) {
	n = l.next.Add(1) - 1
	if l.plan.messages > 0 && n >= l.plan.messages || ctx.Err() != nil || l.plan.over(time.Since(l.began)) {
		return n, due, false
	}
	if l.plan.rate == 0 {
		return n, time.Now(), true
	}
	after, ok := l.plan.dueAt(n)
	if !ok {
		return n, due, false
	}
	due = l.began.Add(after)
	return n, due, pause(ctx, time.Until(due))
}

// stop notes when the first session had no more to begin.
func (l *benchLoad) stop() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.stopped == 0 {
		l.stopped = time.Since(l.began)
	}
}

// behind returns how many messages were due and have not been begun, because all sessions were busy.
func (l *benchLoad) behind(begun int64) int64 {
	within := l.stopped
	if l.plan.duration > 0 {
		within = min(within, l.plan.duration)
	}
	return max(l.plan.due(within)-begun, 0)
}

// pause waits and says whether ctx has let it.
func pause(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A benchSession is one of a load's sessions, each of which has a connection at a time.
type benchSession struct {
	*benchLoad
	rng    *rand.Rand
	conn   *client.Conn // nil: none
	used   int64        // messages sent on conn
	failed int          // times in a row
	letter benchLetter
	to     []smtp.Recipient
}

// run sends messages until ctx ends; hard ends what is under way.
func (s *benchSession) run(ctx, hard context.Context) {
	for s.failed < benchTries {
		n, due, ok := s.take(ctx)
		if !ok {
			s.stop()
			return
		}
		s.send(hard, n, due)
		if s.failed > 0 && !pause(ctx, benchPause) {
			s.stop()
			return
		}
	}
}

// send sends one message, on a new connection if there is none. Its latency counts from when it was due, so that it has in
// it whatever kept this session from sending it in time.
func (s *benchSession) send(ctx context.Context, n int64, due time.Time) {
	m := s.plan.envelope
	m.Recipients = s.plan.choose(s.rng, s.to)
	m.Size = s.plan.size(s.rng)
	s.letter.begin(n, m.Size)
	m.Content = &s.letter
	s.tally.begin()
	if s.connect(ctx) != nil {
		s.tally.end(make([]client.Result, len(m.Recipients)), m.Size, 0)
		return
	}
	results, err := s.conn.Send(ctx, m)
	s.tally.end(results, m.Size, time.Since(due))
	s.used++
	switch {
	case err != nil:
		s.tally.fail(err)
		s.drop()
	case slices.ContainsFunc(results, closing):
		s.drop()
	default:
		s.failed = 0
		if s.used == s.plan.perConnection {
			s.quit(ctx)
		}
	}
}

// closing says whether a reply is one that a server hangs up with (RFC 5321 §3.8).
func closing(r client.Result) bool { return r.Reply.Code == 421 }

// connect makes a connection if there is none. What would be refused again is not tried again.
func (s *benchSession) connect(ctx context.Context) error {
	if s.conn != nil {
		return nil
	}
	conn, err := s.dial(ctx)
	if err != nil {
		if s.failed++; isUseless(err) || isRefused(err) {
			s.failed = benchTries
		}
		s.tally.fail(err)
		return err
	}
	s.conn, s.used = conn, 0
	return nil
}

// drop gives up a connection that is of no more use.
func (s *benchSession) drop() {
	s.failed++
	s.conn.Close()
	s.conn = nil
}

// quit ends the connection, if there is one. How that goes changes nothing of what was measured.
func (s *benchSession) quit(ctx context.Context) {
	if s.conn != nil {
		_ = s.conn.Quit(ctx)
		s.conn = nil
	}
}
