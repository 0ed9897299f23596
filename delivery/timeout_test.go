package delivery_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// slow is a source of accounts that does not answer for those who are called so, and takes a second for all others.
type slow struct{}

func (slow) Lookup(ctx context.Context, name string) (account.Account, error) {
	answered := time.After(time.Second)
	if strings.HasPrefix(name, "slow") {
		answered = nil
	}
	select {
	case <-answered:
		return account.Account{UID: -1, GID: -1}, nil
	case <-ctx.Done():
		return account.Account{}, ctx.Err()
	}
}

// A lookup that hangs is a doubt in time: at RCPT, and with the content, where the others do not suffer from it.
func TestLookupHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Accounts, c.Lookup = slow{}, 10*time.Second })
		env, start := envelope("slow@example.org", "ann@example.org"), time.Now()
		one := smtp.Recipient{To: env.Recipients[0].To}
		if got := h.Recipient(t.Context(), env, one).String(); !strings.HasPrefix(got, "451 4.3.0 <slow@example.org>") {
			t.Errorf("RCPT: %s", got)
		}
		if took := time.Since(start); took != 10*time.Second {
			t.Errorf("RCPT took %v", took)
		}
		start = time.Now()
		got := h.deliver(env, strings.NewReader(letter))
		if !strings.HasPrefix(got[0], "451 4.3.0 <slow") || !strings.HasPrefix(got[1], "250 2.1.5 <ann") {
			t.Errorf("content: %q", got)
		}
		if took := time.Since(start); took != 11*time.Second {
			t.Errorf("the content took %v", took)
		}
	})
}

// However many of them hang, there is a reply for each within half of the message's deadline, and whoever can be looked up is
// delivered to. A message that is refused looks nobody up.
func TestLookupsHang(t *testing.T) {
	for _, test := range []struct {
		slow      int
		content   string
		hang, ann string
		took      time.Duration
	}{
		{3, letter, "451", "250", 17 * time.Second},  // half of half a minute, and then a second for each one more
		{20, letter, "451", "250", 25 * time.Second}, // but not more than ten
		{3, strings.Repeat("Received: x\r\n", 51) + letter, "554", "554", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, func(c *delivery.Config) {
				block := c.Blocks[0]
				block.Domains, block.Accounts = []string{"other.example"}, slow{}
				c.Blocks = append(c.Blocks, block)
				c.Deadline = time.Minute
			})
			var to []string
			for i := range test.slow {
				to = append(to, fmt.Sprintf("slow%d@other.example", i))
			}
			start := time.Now()
			got := h.deliver(envelope(append(to, "ann@example.org")...), strings.NewReader(test.content))
			for i, r := range got {
				want := test.hang
				if i == test.slow {
					want = test.ann
				}
				if !strings.HasPrefix(r, want) {
					t.Errorf("%s, want %s", r, want)
				}
			}
			if took := time.Since(start); took != test.took || len(got) != test.slow+1 {
				t.Errorf("%d replies, and it took %v, want %v", len(got), took, test.took)
			}
		})
	}
}

// So is a store that does not say whether it would take the message.
func TestCheckHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Store = mute{&storetest.Memory{}} })
		start := time.Now()
		if got := h.announce(envelope(), "ann@example.org", 0); got != "451 4.3.0" {
			t.Errorf("RCPT: %s", got)
		}
		if took := time.Since(start); took != 30*time.Second {
			t.Errorf("RCPT took %v", took)
		}
	})
}

type mute struct{ store.Store }

func (mute) Check(ctx context.Context, _ store.Mailbox, _ store.Usage) error {
	<-ctx.Done()
	return ctx.Err()
}
