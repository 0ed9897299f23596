package smtptest

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"strings"
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

// Agent returns a delivery agent for example.org whose mailboxes are in s.
func Agent(t testing.TB, s store.Store) *delivery.Agent {
	t.Helper()
	a, err := delivery.New(delivery.Config{
		Hostname: Hostname,
		Blocks:   []delivery.Block{{Domains: []string{"example.org", "exämple.org"}, Store: s}},
		TempDir:  t.TempDir(),
		Now:      func() time.Time { return time.Unix(1, 0).UTC() },
		Log:      slog.New(slog.DiscardHandler),
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

// Stored returns what a store keeps in all of its INBOXes, without trace fields.
func Stored(ctx context.Context, s store.Store) ([]Message, error) {
	var all []Message
	for name, err := range s.Mailboxes(ctx) {
		if err != nil {
			return nil, err
		}
		mailbox := store.Mailbox{Name: name}
		list, err := s.Messages(ctx, mailbox, "")
		if err != nil {
			return nil, err
		}
		for _, m := range list {
			content, err := open(ctx, s, mailbox, m.ID)
			if err != nil {
				return nil, err
			}
			all = append(all, Message{Mailbox: name, Content: []byte(content)})
		}
	}
	return all, nil
}

func open(ctx context.Context, s store.Store, mailbox store.Mailbox, id string) (string, error) {
	r, err := s.Open(ctx, mailbox, "", id)
	if err != nil {
		return "", err
	}
	defer r.Close()
	b, err := io.ReadAll(r)
	if err != nil {
		return "", err
	}
	return cutTrace(string(b))
}

// cutTrace takes off the fields that the agent puts before content: the last of them is Received.
func cutTrace(s string) (string, error) {
	for at := 0; ; {
		n := strings.Index(s[at:], "\r\n")
		if n < 0 {
			return "", fmt.Errorf("no Received field before %.100q", s)
		}
		last := strings.HasPrefix(s[at:], "Received:")
		for at += n + 2; at < len(s) && (s[at] == '\t' || s[at] == ' '); {
			at += strings.Index(s[at:], "\r\n") + 2
		}
		if last {
			return s[at:], nil
		}
	}
}
