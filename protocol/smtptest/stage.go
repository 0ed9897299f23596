package smtptest

import (
	"context"
	"log/slog"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"lmtpd/delivery"
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

// Agent returns a delivery agent for example.org and office.example whose mailboxes are in s. Who lives there is told in
// people.go.
func Agent(t testing.TB, s store.Store) *delivery.Agent {
	t.Helper()
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
		Now: func() time.Time { return time.Unix(1, 0).UTC() },
		Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// InMemory sets the stage for a transcript: a session without a connection, and what is behind it.
func InMemory(t testing.TB, set Settings, segment int) (Wire, func() ([]Message, error)) {
	t.Helper()
	var h session.Handler
	var kept func() ([]Message, error)
	if set.Dialect == "esmtp" {
		q := &Queue{}
		h, kept = q, q.Kept
	} else {
		h, kept = Deliver(t, &storetest.Memory{})
	}
	return NewMemory(session.New(set.Config(IDs()), h, set.Peer()), segment), kept
}

// Deliver returns a Handler that delivers into s, with faults, and what tells what is kept there.
func Deliver(t testing.TB, s store.Store) (session.Handler, func() ([]Message, error)) {
	t.Helper()
	return Agent(t, Faults{s}), func() ([]Message, error) { return Stored(context.Background(), s) }
}
