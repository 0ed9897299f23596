package delivery_test

import (
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/delivery/alias"
	"lmtpd/store/storetest"
)

// An alias that came together with a mistake is no fact that there is none: its mail does not bounce, does not go to the
// catch-all and does not make a mailbox of its name. Whatever was known before goes on.
func TestAliasesRefused(t *testing.T) {
	const text = "sales: ann\n@example.net: ann@example.org\n"
	const added = "dave: ann\n"
	for name, accounts := range map[string]account.Source{
		"book": book{"ann@example.org": {UID: -1, GID: -1}, "ben@example.org": {UID: -1, GID: -1}},
		"any":  account.Any{},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "aliases")
			now := time.Now()
			write := func(text string) {
				t.Helper()
				now = now.Add(time.Hour)
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				now = now.Add(time.Minute)
			}
			write(text)
			h := newHost(t, func(c *delivery.Config) {
				f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
				if err != nil {
					t.Fatal(err)
				}
				c.Blocks[0].Accounts, c.Blocks[0].Aliases = accounts, f
			})
			is := func(to, want string) {
				t.Helper()
				env := envelope(to)
				if got := h.Recipient(t.Context(), env, env.Recipients[0]).String(); !strings.HasPrefix(got, want+" <") {
					t.Errorf("RCPT %s: %s, want %s", to, got, want)
				}
				h.Abandon(env)
				if got := h.deliver(env, strings.NewReader(letter))[0]; !strings.HasPrefix(got, want+" <") {
					t.Errorf("content for %s: %s, want %s", to, got, want)
				}
			}
			is("ben@example.org", "250 2.1.5")
			is("sales@example.org", "250 2.1.5")
			write(text + added + "x: |cmd\n")
			is("dave@example.org", "451 4.3.0")
			is("dave@example.net", "451 4.3.0")
			is("ben@example.org", "250 2.1.5")
			is("sales@example.org", "250 2.1.5")
			if name == "any" { // nor is one made when the store cannot tell whether it is there
				h.store.Fault = func(op storetest.Op, _ string) error {
					if op == storetest.OpRead {
						return errors.New("too many open files")
					}
					return nil
				}
				is("dave@example.org", "451 4.3.0")
				h.store.Fault = nil
			}
			if log := h.log.String(); !strings.Contains(log, ":4: |cmd") {
				t.Errorf("the log does not tell why: %s", log)
			}
			write(text + added)
			is("dave@example.org", "250 2.1.5")
			if got := h.kept(t); strings.Contains(got, "dave") {
				t.Errorf("kept in %s", got)
			}
		})
	}
}

// A file that is taken after its aliases were looked up, and before anybody asks whether they can be relied on, makes no mailbox
// of a name that it has.
func TestAliasesTakenInBetween(t *testing.T) {
	path := filepath.Join(t.TempDir(), "aliases")
	now, calls, takeAt := time.Now(), 0, 0
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		now = now.Add(time.Hour)
	}
	write("sales: ann\n")
	h := newHost(t, func(c *delivery.Config) {
		clock := func() time.Time {
			if calls++; calls == takeAt {
				write("sales: ann\ndave: ann\n")
			}
			return now
		}
		f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: clock, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		c.Blocks[0].Accounts, c.Blocks[0].Aliases = account.Any{}, f
	})
	write("sales: ann\ndave: ann\nx: |cmd\n")
	for at := 1; at < 10; at++ {
		h.deliver(envelope("ben@example.org"), strings.NewReader(letter)) // by now it is refused
		calls, takeAt = 0, at
		h.deliver(envelope("dave@example.org"), strings.NewReader(letter))
		takeAt = 0
		if got := h.kept(t); strings.Contains(got, "dave") {
			t.Fatalf("taken at look %d: kept in %s", at, got)
		}
		write("sales: ann\n")
		h.deliver(envelope("ben@example.org"), strings.NewReader(letter))
		write("sales: ann\ndave: ann\nx: |cmd\n")
	}
}
