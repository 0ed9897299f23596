package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// together is a message whose recipients hear one reply.
func together(to ...string) *smtp.Envelope {
	env := envelope(to...)
	env.Answers = smtp.OneForAll
	return env
}

// everything is how many messages there are in the inboxes of some mailboxes.
func (h *host) everything(mailboxes ...string) (n int) {
	for _, m := range mailboxes {
		n += len(h.store.All(m, ""))
	}
	return n
}

// checks are faults that are known before anything is kept.
func checks(faults map[string]error) func(storetest.Op, string) error {
	return func(op storetest.Op, mailbox string) error {
		if op == storetest.OpCheck {
			return faults[mailbox]
		}
		return nil
	}
}

// With one reply for all, what is in the way of one recipient is in the way of all, the client hears of that one, and nobody
// has anything (RFC 5321 §6.1). With one reply for each the others have it.
func TestOneForAll(t *testing.T) {
	for name, tc := range map[string]struct {
		to     []string
		faults map[string]error
		want   string
		status []string // in the log, in the order of recipients
	}{
		"nothing":          {[]string{"ann@example.org", "ben@example.org"}, nil, "", []string{"delivered", "delivered"}},
		"no room":          {[]string{"ann@example.org", "ben@example.org"}, map[string]error{"ben@example.org": store.ErrFull}, "452 4.3.1 <ben@example.org> Insufficient system storage", []string{"deferred", "deferred"}},
		"gone":             {[]string{"ann@example.org", "ben@example.org", "cyd@example.org"}, map[string]error{"ben@example.org": store.ErrNoMailbox}, "550 5.1.1 <ben@example.org> No such mailbox", []string{"bounced", "bounced", "bounced"}},
		"not ours":         {[]string{"ann@example.org", "eve@elsewhere.example"}, nil, "550 5.7.1 <eve@elsewhere.example> Relaying is not permitted", []string{"bounced", "bounced"}},
		"doubt after fact": {[]string{"ben@example.org", "ann@example.org", "cyd@example.org"}, map[string]error{"ben@example.org": store.ErrNoMailbox, "cyd@example.org": errors.New("disk on fire")}, "451 4.3.0 <cyd@example.org> Temporary failure, try again later", []string{"deferred", "deferred", "deferred"}},
		"the same mailbox": {[]string{"ben@example.org", "BEN@example.org"}, map[string]error{"ben@example.org": store.ErrBusy}, "451 4.2.0 <ben@example.org> Mailbox is busy", []string{"deferred", "deferred"}},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			h.store.Fault = checks(tc.faults)
			for i, got := range h.deliver(together(tc.to...), strings.NewReader(letter)) {
				if want := tc.want; want != "" && got != want && tc.to[i] != "BEN@example.org" {
					t.Errorf("reply %d: %s, want %s", i, got, want)
				}
			}
			want := len(tc.to)
			if tc.want != "" {
				want = 0
			}
			if n := h.everything("ann@example.org", "ben@example.org", "cyd@example.org"); n != want {
				t.Errorf("%d copies are kept, want %d", n, want)
			}
			lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
			if len(lines) != len(tc.status) {
				t.Fatalf("%d lines for %d recipients:\n%s", len(lines), len(tc.status), h.log.String())
			}
			for i, status := range tc.status {
				if !strings.Contains(lines[i], "status="+status) || !strings.Contains(lines[i], "to=<"+tc.to[i]+">") {
					t.Errorf("recipient %d is not %s: %s", i, status, lines[i])
				}
			}
		})
	}
}

// The log tells of each recipient its own trouble, and whose it was that it had nothing.
func TestOneForAllIsLogged(t *testing.T) {
	h := newHost(t)
	h.store.Fault = checks(map[string]error{"ben@example.org": store.ErrNoMailbox, "cyd@example.org": errors.New("disk on fire")})
	h.deliver(together("ann@example.org", "ben@example.org", "cyd@example.org"), strings.NewReader(letter))
	for _, want := range []string{
		`cause="kept back for <cyd@example.org>: disk on fire"`,
		`cause="no such mailbox; kept back for <cyd@example.org>: disk on fire"`,
		`cause="disk on fire"`,
	} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("%s is not in\n%s", want, h.log.String())
		}
	}
}

// A single recipient is no company: an alias one of whose mailboxes takes nothing does as it did.
func TestOneForAllWithOneRecipient(t *testing.T) {
	h := aliasHost(t)
	if got := h.deliver(together("half@example.org"), strings.NewReader(letter))[0]; !strings.HasPrefix(got, "550 5.1.1") {
		t.Errorf("reply %s", got)
	}
	if n := h.everything("ann@example.org"); n != 1 {
		t.Errorf("ann has %d copies, want 1", n)
	}
	if got := h.deliver(together("half@example.org", "ben@example.org"), strings.NewReader(letter)); !strings.HasPrefix(got[1], "550 5.1.1 <half") {
		t.Errorf("replies %q", got)
	}
	if n := h.everything("ann@example.org", "ben@example.org"); n != 1 {
		t.Errorf("%d copies, want the one of before", n)
	}
}

// A quota that somebody else has used since RCPT is seen before anything is kept, and what was reserved is free again.
func TestOneForAllQuota(t *testing.T) {
	h := quotaHost(t)
	env := together()
	for _, to := range []string{"ann@example.org", "ben@example.org"} {
		if got := h.announce(env, to, 600); got != "250 2.1.5" {
			t.Fatalf("RCPT %s: %s", to, got)
		}
	}
	h.store.Fault = checks(map[string]error{"ben@example.org": fmt.Errorf("%w: by another program", store.ErrOverQuota)})
	for i, got := range h.deliver(env, message(600)) {
		if got != "452 4.2.2 <ben@example.org> Mailbox is over quota" {
			t.Errorf("reply %d: %s", i, got)
		}
	}
	h.store.Fault = nil
	if got := h.announce(together(), "ann@example.org", 1000); got != "250 2.1.5" {
		t.Errorf("ann after that: %s", got)
	}
	if n := h.everything("ann@example.org", "ben@example.org"); n != 0 {
		t.Errorf("%d copies are kept", n)
	}
}

// What only the store's own attempt shows cannot be undone for the others: they have the message, hear so, and do not have it
// twice when the client sends it again, even if that is held up by yet another trouble in between.
func TestOneForAllPartly(t *testing.T) {
	for name, trouble := range map[string]error{"doubt": store.ErrFull, "fact": store.ErrNoMailbox} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			fault := func(at storetest.Op) func(storetest.Op, string) error {
				return func(op storetest.Op, mailbox string) error {
					if op == at && mailbox == "ben@example.org" {
						return trouble
					}
					return nil
				}
			}
			send := func(want ...string) {
				t.Helper()
				got := h.deliver(together("ann@example.org", "ben@example.org"), strings.NewReader(letter))
				for i := range got {
					got[i] = got[i][:3]
				}
				if !slices.Equal(got, want) {
					t.Errorf("replies %q, want %q", got, want)
				}
			}
			bad := "452"
			if name == "fact" {
				bad = "550"
			}
			h.store.Fault = fault(storetest.OpDeliver)
			send("250", bad)
			h.store.Fault = fault(storetest.OpCheck)
			send("250", bad)
			h.store.Fault = nil
			send("250", "250")
			if a, b := h.everything("ann@example.org"), h.everything("ben@example.org"); a != 1 || b != 1 {
				t.Errorf("ann has %d copies and ben %d", a, b)
			}
			if n := h.Remembered(); n != 0 {
				t.Errorf("%d copies are remembered of what is done", n)
			}
			send("250", "250")
			if n := h.everything("ann@example.org", "ben@example.org"); n != 4 {
				t.Errorf("the same message once more makes %d copies of 4", n)
			}
		})
	}
}

// Two stores: what one of them would not take, the other is not given.
func TestOneForAllTwoStores(t *testing.T) {
	other := &storetest.Memory{Fault: checks(map[string]error{"cy@other.example": store.ErrFull})}
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks = append(c.Blocks, delivery.Block{Domains: []string{"other.example"}, Store: other})
	})
	for i, got := range h.deliver(together("ann@example.org", "cy@other.example"), strings.NewReader(letter)) {
		if !strings.HasPrefix(got, "452 4.3.1 <cy@other.example>") {
			t.Errorf("reply %d: %s", i, got)
		}
	}
	if n := h.everything("ann@example.org"); n != 0 {
		t.Errorf("ann has %d copies", n)
	}
}

// A content that is refused is refused for all, whoever they are.
func TestOneForAllContentRefused(t *testing.T) {
	h := newHost(t)
	refusal := smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "Not your address"}
	r := h.Deliver(context.Background(), together("ann@example.org", "eve@elsewhere.example"), failing{strings.NewReader(letter), refusal})
	for i, got := range r {
		if got.Code != 550 || got.Status != smtp.StatusNotAuthorized {
			t.Errorf("reply %d: %s", i, got)
		}
	}
	if n := h.everything("ann@example.org"); len(r) != 2 || n != 0 {
		t.Errorf("%d replies, %d copies", len(r), n)
	}
}

// failing is content that ends in an error.
type failing struct {
	*strings.Reader
	err error
}

func (f failing) Read(p []byte) (int, error) {
	if f.Len() == 0 {
		return 0, f.err
	}
	return f.Reader.Read(p)
}
