package delivery_test

import (
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/alias"
)

// The mailboxes of one message are limited, so that a list named again and again does not use up the memory. The client
// is to send the rest in another transaction (RFC 5321 §4.5.3.1.10), which an address without an alias does not need.
func TestTooManyTargets(t *testing.T) {
	var names []string
	for i := range 1000 {
		names = append(names, fmt.Sprint("user", i))
	}
	path := filepath.Join(t.TempDir(), "aliases")
	if err := os.WriteFile(path, []byte("all:\n "+strings.Join(names, "\n ")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := newHost(t, func(c *delivery.Config) {
		f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		c.Blocks[0].Aliases, c.Blocks[0].Delimiters, c.Blocks[0].Detail = f, "+", delivery.DetailCreate
		c.Log = slog.New(slog.DiscardHandler)
	})
	env := envelope()
	for i := range 12 {
		want := "250 2.1.5"
		if i >= 10 {
			want = "452 4.5.3"
		}
		if got := h.announce(env, fmt.Sprintf("all+%d@example.org", i), 0); got != want {
			t.Errorf("recipient %d: %s, want %s", i, got, want)
		}
	}
	if got := h.announce(env, "ann@example.org", 0); got != "250 2.1.5" {
		t.Errorf("a mailbox behind them: %s", got)
	}
	h.Abandon(env)
	if got := h.announce(envelope(), "all@example.org", 0); got != "250 2.1.5" {
		t.Errorf("the list in the next transaction: %s", got)
	}
}
