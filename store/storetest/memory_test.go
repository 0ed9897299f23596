package storetest

import (
	"errors"
	"strings"
	"testing"

	"lmtpd/store"
)

func TestMemory(t *testing.T) {
	Run(t, func(*testing.T) store.Store { return &Memory{} })
}

func TestMemoryFault(t *testing.T) {
	broken := errors.New("broken")
	m := &Memory{Fault: func(op Op, mailbox string) error {
		if op == OpDeliver && mailbox == "bob@example.org" {
			return broken
		}
		return nil
	}}
	errs := m.Deliver(t.Context(), strings.NewReader("x\r\n"), []store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}}, {Mailbox: store.Mailbox{Name: "bob@example.org"}}})
	if errs[0] != nil || errs[1] != broken {
		t.Errorf("Deliver: %v, want only the second to fail", errs)
	}
	if got := m.All("ann@example.org", ""); len(got) != 1 || got[0] != "x\r\n" {
		t.Errorf("kept %q", got)
	}
}

func TestMemoryQuota(t *testing.T) {
	m := &Memory{Quota: 4}
	if err := m.Check(t.Context(), store.Mailbox{Name: "ann@example.org"}, store.Usage{Octets: 5}); !errors.Is(err, store.ErrOverQuota) {
		t.Errorf("Check of 5 octets of 4: %v", err)
	}
	for _, want := range []error{nil, store.ErrOverQuota} {
		errs := m.Deliver(t.Context(), strings.NewReader("x\r\n"), []store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}}})
		if !errors.Is(errs[0], want) {
			t.Errorf("Deliver: %v, want %v", errs[0], want)
		}
	}
}
