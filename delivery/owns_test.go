package delivery_test

import (
	"context"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store/storetest"
)

// An address is an account's if mail to it goes to the account's mailbox and to no other.
func TestOwns(t *testing.T) {
	h := aliasHost(t)
	for _, tc := range []struct {
		account, address string
		want             bool
	}{
		{"ann@example.org", "ann@example.org", true},
		{"ann@example.org", "Ann@EXAMPLE.org", true},
		{"ann@example.org", "ann+shop@example.org", true},
		{"ann", "ann@example.org", true},
		{"ann@example.org", "ben@example.org", false},
		{"ann@example.org", "ben+ann@example.org", false},
		{"ann@example.org", "nobody@example.org", false},
		{"ann@example.org", "ann@elsewhere.example", false},
		{"eve@elsewhere.example", "eve@elsewhere.example", true},
		{"ben@example.org", "backup@example.org", true},
		{"cyd@example.org", "lea@example.org", true},
		{"ann@example.org", "sales@example.org", false},
		{"ben@example.org", "sales@example.org", false},
		{"ann@example.org", "half@example.org", false},
		{"ann@example.org", "both@example.org", false},
		{"eve@elsewhere.example", "away@example.org", false},
		{"ben@example.net", "ann@example.net", true},
		{"ben@example.org", "ann@example.net", false},
		{"ann@example.net", "ann@example.net", true},
		{"cyd@example.net", "anything@example.net", true},
		{"nobody@example.org", "cyd@example.org", false},
		{"", "cyd@example.org", false},
	} {
		address, err := smtp.ParseMailbox(tc.address, smtp.UTF8)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Owns(t.Context(), tc.account, address); got != tc.want || err != nil {
			t.Errorf("%s owns %s: %t, %v, want %t", tc.account, tc.address, got, err, tc.want)
		}
	}
}

// That the accounts or aliases cannot be looked at is no answer.
func TestOwnsInDoubt(t *testing.T) {
	h := aliasHost(t)
	for _, local := range []string{"unsure", "loop"} {
		if got, err := h.Owns(t.Context(), "ann@example.org", smtp.Path{Local: local, Domain: "example.org"}); got || err == nil {
			t.Errorf("%s: %t, %v", local, got, err)
		}
	}
}

// An account without a domain is the same one in every domain of its block. One that takes no mail may send some.
func TestOwnsOfBareAccount(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks[0].Accounts = bare{Name: "ann", UID: -1, GID: -1, Disabled: account.Disabled{Delivery: true}}
		c.Blocks[0].Delimiters = "+"
		c.Blocks = append(c.Blocks, delivery.Block{Domains: []string{"other.example"}, Store: &storetest.Memory{}, Accounts: bare{Name: "ann"}})
	})
	for address, want := range map[string]bool{"ann@example.org": true, "ann@example.net": true, "ann+x@example.net": true, "ann@other.example": false} {
		p, err := smtp.ParseMailbox(address, smtp.ASCII)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := h.Owns(t.Context(), "ann@example.org", p); got != want || err != nil {
			t.Errorf("%s: %t, %v, want %t", address, got, err, want)
		}
	}
}

// bare is a source with one account, whose name is a local-part.
type bare account.Account

func (b bare) Lookup(_ context.Context, name string) (account.Account, error) {
	if local, _ := account.LocalPart(name); local == b.Name {
		return account.Account(b), nil
	}
	return account.Account{}, account.ErrNotFound
}
