package delivery_test

import (
	"context"
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

// However many of them hang, there is a reply for each within the deadline of the message, and whoever can be looked up is
// delivered to. A message that is refused looks nobody up.
func TestLookupsHang(t *testing.T) {
	for content, want := range map[string]struct {
		slow, ann string
		took      time.Duration
	}{
		letter: {"451", "250", 33 * time.Second}, // and a second for each one more
		strings.Repeat("Received: x\r\n", 51) + letter: {"554", "554", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Accounts, c.Deadline = slow{}, time.Minute })
			start := time.Now()
			got := h.deliver(envelope("slow1@example.org", "slow2@example.org", "slow3@example.org", "ann@example.org"), strings.NewReader(content))
			for _, r := range got[:3] {
				if !strings.HasPrefix(r, want.slow) {
					t.Errorf("%s, want %s", r, want.slow)
				}
			}
			if !strings.HasPrefix(got[3], want.ann) {
				t.Errorf("%s, want %s", got[3], want.ann)
			}
			if took := time.Since(start); took != want.took || len(got) != 4 {
				t.Errorf("%d replies, and it took %v, want %v", len(got), took, want.took)
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
