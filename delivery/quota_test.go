package delivery_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// quotaHost has room for 1,000 octets and 10 messages in each mailbox.
func quotaHost(t *testing.T, change ...func(*delivery.Config)) *host {
	return newHost(t, append(change, func(c *delivery.Config) {
		c.Blocks[0].Quota = store.Quota{Usage: store.Usage{Octets: 1000, Messages: 10}, Ignore: []string{"Trash"}}
		c.Blocks[0].Delimiters, c.Blocks[0].Detail = "+", delivery.DetailCreate
	})...)
}

// announce is RCPT for a message of a size.
func (h *host) announce(env *smtp.Envelope, to string, size int64) string {
	env.Size = size
	one := envelope(to).Recipients[0]
	r := h.Recipient(context.Background(), env, one)
	if r.Positive() {
		env.Recipients = append(env.Recipients, one)
	}
	return r.String()[:9]
}

func message(size int) *strings.Reader { return strings.NewReader(strings.Repeat("x", size)) }

// What one transaction has reserved another cannot have, until it is given back or used.
func TestQuotaReservation(t *testing.T) {
	h := quotaHost(t)
	first, second := envelope(), envelope()
	steps := []struct {
		what string
		got  string
		want string
	}{
		{"600 of 1000", h.announce(first, "ann@example.org", 600), "250 2.1.5"},
		{"the same mailbox again in the same message", h.announce(first, "ANN@example.org", 600), "250 2.1.5"},
		{"600 more", h.announce(second, "ann@example.org", 600), "452 4.2.2"},
		{"400 more", h.announce(second, "ann@example.org", 400), "250 2.1.5"},
		{"into an ignored folder", h.announce(second, "ann+Trash@example.org", 5000), "250 2.1.5"},
		{"another mailbox", h.announce(second, "bob@example.org", 1000), "250 2.1.5"},
	}
	h.Abandon(first)
	steps = append(steps, struct{ what, got, want string }{"600 after the first has gone", h.announce(second, "ann@example.org", 600), "250 2.1.5"})
	for _, s := range steps {
		if s.got != s.want {
			t.Errorf("%s: %s, want %s", s.what, s.got, s.want)
		}
	}
	h.Abandon(second)
	if got := h.announce(envelope(), "ann@example.org", 1000); got != "250 2.1.5" {
		t.Errorf("all of it, once everybody has gone: %s", got)
	}
}

func TestOverQuota(t *testing.T) {
	for _, test := range []struct {
		name  string
		block delivery.Block
		size  int64
		rcpt  string
		final string // of a message of 1,100 octets for which RCPT said yes without knowing its size
	}{
		{"defer", delivery.Block{}, 1001, "452 4.2.2", "452 4.2.2"},
		{"refuse", delivery.Block{OverQuota: delivery.Refuse}, 1001, "552 5.2.2", "552 5.2.2"},
		{"grace", delivery.Block{Grace: delivery.OneMessage}, 5000, "250 2.1.5", "250 2.1.5"},
	} {
		h := quotaHost(t, func(c *delivery.Config) {
			c.Blocks[0].OverQuota, c.Blocks[0].Grace = test.block.OverQuota, test.block.Grace
		})
		env := envelope()
		if got := h.announce(env, "ann@example.org", test.size); got != test.rcpt {
			t.Errorf("%s: RCPT %s, want %s", test.name, got, test.rcpt)
		}
		h.Abandon(env)
		env = envelope("ann@example.org")
		if got := h.Deliver(context.Background(), env, message(1100))[0].String()[:9]; got != test.final {
			t.Errorf("%s: content %s, want %s", test.name, got, test.final)
		}
	}
}

// Grace is for one message: while it is on its way, and once it is there, there is none.
func TestGraceIsForOneMessage(t *testing.T) {
	h := quotaHost(t, func(c *delivery.Config) { c.Blocks[0].Grace = delivery.OneMessage })
	first := envelope()
	if got := h.announce(first, "ann@example.org", 5000); got != "250 2.1.5" {
		t.Fatal(got)
	}
	if got := h.announce(envelope(), "ann@example.org", 10); got != "452 4.2.2" {
		t.Errorf("a second one beside it: %s", got)
	}
	h.Deliver(context.Background(), first, message(5000))
	if got := h.announce(envelope(), "ann@example.org", 1); got != "452 4.2.2" {
		t.Errorf("a second one after it: %s", got)
	}
}

// That there is no room but for what is under way is a doubt, and never a reason to return mail.
func TestRefuseOnlyForAFact(t *testing.T) {
	h := quotaHost(t, func(c *delivery.Config) { c.Blocks[0].OverQuota = delivery.Refuse })
	first := envelope()
	h.announce(first, "ann@example.org", 900)
	if got := h.announce(envelope(), "ann@example.org", 200); got != "452 4.2.2" {
		t.Errorf("beside a message under way: %s", got)
	}
	asked := 0
	h.store.Fault = func(op storetest.Op, _ string) error {
		if op != storetest.OpCheck {
			return nil
		}
		if asked++; asked == 2 { // whether there is room for it alone
			return errors.New("too many open files")
		}
		return nil
	}
	if got := h.announce(envelope(), "ann@example.org", 200); got != "451 4.3.0" || asked != 2 {
		t.Errorf("beside a message under way, when the store cannot tell more: %s, asked %d times", got, asked)
	}
	h.store.Fault = nil
	if got := h.announce(envelope(), "ann@example.org", 1001); got != "552 5.2.2" {
		t.Errorf("never any room: %s", got)
	}
}

// The account's own limits go before the block's, and a usage that cannot be told is no quota.
func TestQuotaOfAccount(t *testing.T) {
	h := quotaHost(t, func(c *delivery.Config) {
		c.Blocks[0].Accounts = book{
			"ann@example.org": {UID: -1, GID: -1, Quota: account.Quota{Octets: 5000}},
			"bob@example.org": {UID: -1, GID: -1, Quota: account.Quota{Messages: 1}},
			"cyd@example.org": {UID: 7, GID: -1},
			"dan@example.org": {UID: -1, GID: -1, Mail: "mdbox:~/mail"},
		}
		c.Blocks[0].Store.(*storetest.Memory).Fault = func(op storetest.Op, mailbox string) error {
			if op == storetest.OpCheck && mailbox == "bob@example.org" {
				return errors.New("disk on fire")
			}
			return nil
		}
	})
	for _, test := range []struct {
		to   string
		size int64
		want string
	}{
		{"ann@example.org", 5000, "250 2.1.5"},
		{"ann@example.org", 5001, "452 4.2.2"},
		{"bob@example.org", 1, "451 4.3.0"},
		{"cyd@example.org", 1, "451 4.3.0"},
		{"dan@example.org", 1, "451 4.3.0"},
	} {
		env := envelope()
		if got := h.announce(env, test.to, test.size); got != test.want {
			t.Errorf("%s, %d octets: %s, want %s", test.to, test.size, got, test.want)
		}
		h.Abandon(env)
	}
}
