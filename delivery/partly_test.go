package delivery_test

import (
	"strings"
	"testing"

	"lmtpd/delivery"
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
