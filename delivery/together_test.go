package delivery_test

import (
	"strings"
	"testing"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// submitted is an envelope for which there is one reply.
func submitted(to ...string) *smtp.Envelope {
	env := envelope(to...)
	env.Answers = smtp.OneForAll
	return env
}

// RFC 5321 §4.2.5: with one reply for all, either all have the message or nobody, and the reply is true for each of them.
func TestTogether(t *testing.T) {
	for _, test := range []struct {
		name  string
		fault error
		op    storetest.Op
		want  string
	}{
		{"all well", nil, storetest.OpCheck, "250 2.0.0 Delivered "},
		{"gone since RCPT", store.ErrNoMailbox, storetest.OpCheck, "550 5.1.1 "},
		{"full", store.ErrFull, storetest.OpCheck, "452 4.3.1 "},
		{"busy", store.ErrBusy, storetest.OpCheck, "451 4.2.0 "},
	} {
		t.Run(test.name, func(t *testing.T) {
			h := newHost(t)
			h.store.Fault = func(op storetest.Op, mailbox string) error {
				if op == test.op && mailbox == "bob@example.org" {
					return test.fault
				}
				return nil
			}
			for i, got := range h.deliver(submitted("ann@example.org", "bob@example.org", "ann@example.org"), strings.NewReader(letter)) {
				if !strings.HasPrefix(got, test.want) {
					t.Errorf("reply %d is %s, want %s", i+1, got, test.want)
				}
			}
			want := 1
			if test.fault != nil {
				want = 0
			}
			for _, mailbox := range []string{"ann@example.org", "bob@example.org"} {
				if n := len(h.store.All(mailbox, "")); n != want {
					t.Errorf("%s has %d copies, want %d", mailbox, n, want)
				}
			}
		})
	}
}

// What fails only when it is placed cannot be undone: the message comes again, and nobody has it twice.
func TestTogetherAgain(t *testing.T) {
	h := newHost(t)
	fault := store.ErrFull
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		if op == storetest.OpDeliver && mailbox == "bob@example.org" {
			return fault
		}
		return nil
	}
	for _, want := range []int{0, 0, 1, 2} {
		if want == 1 {
			fault = nil
		}
		h.deliver(submitted("ann@example.org", "bob@example.org"), strings.NewReader(letter))
		if n := len(h.store.All("bob@example.org", "")); n != want {
			t.Errorf("bob has %d copies, want %d", n, want)
		}
		if n := len(h.store.All("ann@example.org", "")); n != max(1, want) {
			t.Errorf("ann has %d copies, want %d", n, max(1, want))
		}
	}
	if n := h.Remembered(); n != 0 {
		t.Errorf("%d copies are remembered of what is done", n)
	}
}

// Where a client that has authenticated is, its recipients learn only if the host's admin wants them to.
func TestTraceOfAccounts(t *testing.T) {
	for clients, told := range map[delivery.ClientTrace]bool{delivery.HideClients: false, delivery.TellClients: true} {
		h := newHost(t, func(c *delivery.Config) { c.Clients = clients })
		env := submitted("ann@example.org")
		env.Account = "ann@example.org"
		env.Peer.Hello = "client.example.net"
		h.deliver(env, strings.NewReader(letter))
		kept := h.store.All("ann@example.org", "")[0]
		if strings.Contains(kept, "client.example.net") != told || strings.Contains(kept, "\r\nReceived: by ") == told {
			t.Errorf("told should be %v in %q", told, kept)
		}
	}
}
