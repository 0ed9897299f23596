package delivery_test

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/store"
)

// A sink takes everything and keeps nothing, so that the agent alone is measured.
type sink struct{ store.Store }

func (sink) Check(context.Context, store.Mailbox, store.Usage) error { return nil }

func (sink) Deliver(_ context.Context, _ store.Content, to []store.Placement) []error {
	return make([]error, len(to))
}

func benchConfig(b *testing.B) delivery.Config {
	return delivery.Config{
		Hostname: "mail.example.org",
		Blocks:   []delivery.Block{{Domains: []string{"example.org"}, Store: sink{}}},
		TempDir:  b.TempDir(),
		Now:      time.Now,
		Log:      slog.New(slog.DiscardHandler),
	}
}
