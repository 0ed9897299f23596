package delivery_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/delivery/alias"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// A message that one of an alias's mailboxes could not take comes again, and the others do not have it twice. Another
// message they do have, and the same one again once all have had it.
func TestPartlyDelivered(t *testing.T) {
	h := aliasHost(t)
	full := "full+X@example.org" // ann and quota
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		if op == storetest.OpDeliver && mailbox == "quota@example.org" {
			return store.ErrFull
		}
		return nil
	}
	send := func(to, content, want string, copies int) {
		t.Helper()
		if got := h.deliver(envelope(to), strings.NewReader(content))[0]; !strings.HasPrefix(got, want) {
			t.Errorf("reply %s, want %s", got, want)
		}
		if n := len(h.store.All("ann@example.org", "X")); n != copies {
			t.Errorf("ann has %d copies, want %d", n, copies)
		}
	}
	send(full, letter, "452 4.3.1", 1)
	send(full, letter, "452 4.3.1", 1)
	send(full, letter+"another\r\n", "452 4.3.1", 2)
	send("ann+X@example.org", letter, "250 2.1.5", 3)
	h.store.Fault = nil
	send(full, letter, "250 2.1.5", 3)
	if n := len(h.store.All("quota@example.org", "X")); n != 1 {
		t.Errorf("quota has %d copies, want 1", n)
	}
	send(full, letter, "250 2.1.5", 4)
}

// Who takes the mailbox that is in the way out of the alias does not have the others get the message again.
func TestPartlyDeliveredToAliasThatShrinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aliases")
	people := book{"ann@example.org": {UID: -1, GID: -1}, "quota@example.org": {UID: -1, GID: -1}}
	clock := time.Now()
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		clock = clock.Add(time.Minute)
	}
	write("full: ann, quota\n")
	h := newHost(t, func(c *delivery.Config) {
		f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: func() time.Time { return clock }, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		c.Blocks[0].Accounts, c.Blocks[0].Aliases = people, f
	})
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		if op == storetest.OpDeliver && mailbox == "quota@example.org" {
			return store.ErrFull
		}
		return nil
	}
	for _, want := range []string{"452 4.3.1", "250 2.1.5"} {
		if got := h.deliver(envelope("full@example.org"), strings.NewReader(letter))[0]; !strings.HasPrefix(got, want) {
			t.Errorf("reply %s, want %s", got, want)
		}
		write("full: ann\n# without quota\n")
	}
	if n := len(h.store.All("ann@example.org", "")); n != 1 {
		t.Errorf("ann has %d copies, want 1", n)
	}
	if n := h.Remembered(); n != 0 {
		t.Errorf("%d copies are remembered of what is done", n)
	}
}

// The memory for that is bounded: the oldest goes first.
func TestPartlyDeliveredIsBounded(t *testing.T) {
	h := aliasHost(t)
	for i := range 2*delivery.MaxPartly + 10 {
		h.deliver(envelope("full@example.org"), strings.NewReader(strings.Repeat("x", i%1000)+"\r\n"+strings.Repeat("y", i/1000)))
	}
	if n := h.Remembered(); n > 2*delivery.MaxPartly || n < delivery.MaxPartly {
		t.Errorf("%d copies are remembered", n)
	}
}
