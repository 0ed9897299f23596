package smtptest

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/submission"
	"lmtpd/protocol/session"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// IDs returns a generator of ID1, ID2 and so on.
func IDs() func() string {
	var n atomic.Int64
	return func() string { return "ID" + strconv.FormatInt(n.Add(1), 10) }
}

// roomy is how large a message there is room for where content is received.
const roomy = 99_000

// newAgent returns a delivery agent for example.org and office.example whose mailboxes are in s, and its queue. Who lives there is
// told in people.go.
func newAgent(t testing.TB, s store.Store, set Settings) (*delivery.Agent, *courier) {
	t.Helper()
	c := &courier{relays: set.Relay}
	a, err := delivery.New(delivery.Config{
		Hostname: Hostname,
		Blocks:   blocks(t, s),
		TempDir:  t.TempDir(),
		Room: func(_ context.Context, size int64) error {
			if size > roomy {
				return store.ErrFull
			}
			return nil
		},
		Now:   now,
		Log:   slog.New(slog.DiscardHandler),
		Queue: c,
		NewID: func() string { return "ON" },
	})
	if err != nil {
		t.Fatal(err)
	}
	c.agent = a
	return a, c
}

// now is the clock of every stage, which shows the time of RFC 2195 §2.
func now() time.Time { return time.Unix(697170952, 0).UTC() }

// InMemory sets the stage for a transcript: a session without a connection, and what is behind it.
func InMemory(t testing.TB, set Settings, segment int) (Wire, func() ([]Message, error)) {
	t.Helper()
	h, kept := Behind(t, set, func() store.Store { return &storetest.Memory{} })
	return newMemory(session.New(set.Config(t, IDs()), h, set.Peer()), segment, set.channel()), kept
}

// Behind returns the Handler of a stage, and what tells what is kept there: an agent that delivers into the store that open
// opens, with faults, the same with submission before it, or a Queue.
func Behind(t testing.TB, set Settings, open func() store.Store) (session.Handler, func() ([]Message, error)) {
	t.Helper()
	if set.Dialect == "esmtp" && !set.Submission {
		q := &Queue{}
		return q, q.Kept
	}
	s := open()
	a, c := newAgent(t, Faults{s}, set)
	kept := func() ([]Message, error) { return c.kept(context.Background(), s) }
	if !set.Submission {
		return a, kept
	}
	return submission.New(submission.Config{
		Agent:    a.MSA(),
		Owners:   a,
		Limits:   set.Limits,
		Hostname: Hostname,
		Now:      now,
		Log:      slog.New(slog.DiscardHandler),
	}), kept
}
