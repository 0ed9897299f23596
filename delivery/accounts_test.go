package delivery_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/delivery"
)

// book is a source of accounts for tests.
type book map[string]account.Account

func (b book) Lookup(_ context.Context, name string) (account.Account, error) {
	if strings.HasPrefix(name, "unsure@") {
		return account.Account{}, errors.New("disk on fire")
	}
	if a, ok := b[name]; ok {
		return a, nil
	}
	return account.Account{}, account.ErrNotFound
}

// There is one, there is none, it takes no mail, and it could not be looked: at RCPT, and again with the content,
// because accounts come and go.
func TestAccounts(t *testing.T) {
	people := book{
		"ann@example.org":  {Name: "ann@example.org"},
		"left@example.org": {Name: "left@example.org", Disabled: account.Disabled{Delivery: true}},
		"stay@example.org": {Name: "stay@example.org", Disabled: account.Disabled{Login: true}},
	}
	h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Accounts = people })
	for to, want := range map[string]string{
		"Ann@Example.ORG":    "250 2.1.5 <Ann@Example.ORG>",
		"stay@example.org":   "250 2.1.5 <stay@example.org>",
		"eve@example.org":    "550 5.1.1 <eve@example.org> No such mailbox",
		"left@example.org":   "550 5.2.1 <left@example.org> Mailbox is disabled",
		"unsure@example.org": "451 4.3.0 <unsure@example.org> Temporary failure",
		"x@example.com":      "550 5.7.1 <x@example.com>",
	} {
		env := envelope(to)
		if got := h.Recipient(t.Context(), env, env.Recipients[0]).String(); !strings.HasPrefix(got, want) {
			t.Errorf("RCPT %s: %s, want %s", to, got, want)
		}
		if got := h.deliver(env, strings.NewReader(letter)); !strings.HasPrefix(got[0], want) {
			t.Errorf("content for %s: %s, want %s", to, got[0], want)
		}
	}
	if !strings.Contains(h.log.String(), `cause="look up account: disk on fire"`) {
		t.Errorf("the cause is not in the log: %s", h.log.String())
	}
}
