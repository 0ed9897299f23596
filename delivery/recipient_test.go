package delivery_test

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
	"lmtpd/auth/account/sqlite"
	"lmtpd/delivery"
	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/maildir"
)

// crowds are the places where many accounts are looked up, by their kind. Each has quotas.
func crowds() map[string]func(t testing.TB, n int) account.Source {
	return map[string]func(t testing.TB, n int) account.Source{"file": crowdFile, "sqlite": crowdDatabase}
}

func crowdFile(t testing.TB, n int) account.Source {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "user%d@example.org:{SHA512-CRYPT}$6$saltsalt$%086d::::::userdb_quota_rule=*:storage=1G\n", i, i)
	}
	path := filepath.Join(t.TempDir(), "users")
	writeOld(t, path, b.String())
	f, err := account.OpenFile(account.FileConfig{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// writeOld writes a file that is too old to be looked at again soon.
func writeOld(t testing.TB, path, text string) {
	t.Helper()
	hourAgo := time.Now().Add(-time.Hour)
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chtimes(path, hourAgo, hourAgo)); err != nil {
		t.Fatal(err)
	}
}

func crowdDatabase(t testing.TB, n int) account.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users.db")
	if err := sqlite.Create(path); err != nil {
		t.Fatal(err)
	}
	err := sqlite.Edit(path, func(d *sqlite.Draft) error {
		for i := range n {
			a := account.Account{Name: fmt.Sprintf("user%d@example.org", i), UID: -1, GID: -1, Quota: account.Quota{Octets: 1 << 30}}
			if err := d.Add(a); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// crowdAgent is an agent for n accounts and as many aliases, with mailboxes on the disk. user0 has mail already, with its
// quota counted.
func crowdAgent(t testing.TB, accounts account.Source, n int) *delivery.Agent {
	t.Helper()
	dir := t.TempDir()
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "alias%d: user%d\n", i, i)
	}
	writeOld(t, filepath.Join(dir, "aliases"), b.String())
	aliases, err := alias.Open(alias.Config{Path: filepath.Join(dir, "aliases"), Fold: delivery.Fold, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	template, err := store.ParseTemplate(filepath.Join(dir, "mail/%d/%n"))
	if err != nil {
		t.Fatal(err)
	}
	mail, err := maildir.Open(maildir.Config{Template: template, Hostname: "mda", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { mail.Close() })
	a, err := delivery.New(delivery.Config{
		Hostname: "mail.example.org",
		Blocks: []delivery.Block{{
			Domains: []string{"example.org"}, Accounts: accounts, Store: mail, Aliases: aliases, Delimiters: "+", Detail: delivery.DetailFolder,
		}},
		TempDir: dir,
		Now:     time.Now,
		Log:     slog.New(slog.NewTextHandler(io.Discard, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	if r := a.Deliver(t.Context(), envelope("user0@example.org"), strings.NewReader(letter)); !r[0].Positive() {
		t.Fatal(r)
	}
	return a
}

// asked are the recipients that are asked for: code is what RCPT answers.
func asked() []struct {
	name, to string
	code     int
} {
	return []struct {
		name, to string
		code     int
	}{
		{"known", "user0@example.org", 250},
		{"detail", "user0+lists@example.org", 250},
		{"alias", "alias0@example.org", 250},
		{"unknown", "nobody@example.org", 550},
	}
}

// ask is RCPT and what gives back what it reserves.
func ask(t testing.TB, a *delivery.Agent, env *smtp.Envelope, code int) {
	if r := a.Recipient(t.Context(), env, env.Recipients[0]); r.Code != code {
		t.Fatal(r)
	}
	a.Abandon(env)
}

func BenchmarkRecipient(b *testing.B) {
	for kind, open := range crowds() {
		for _, n := range []int{1_000, 100_000} {
			a := crowdAgent(b, open(b, n), n)
			for _, bb := range asked() {
				env := envelope(bb.to)
				b.Run(fmt.Sprintf("%s/%d/%s", kind, n, bb.name), func(b *testing.B) {
					b.ReportAllocs()
					for b.Loop() {
						ask(b, a, env, bb.code)
					}
				})
			}
		}
	}
}

// What RCPT allocates does not grow with the number of accounts and aliases.
func TestRecipientAllocates(t *testing.T) {
	for kind, open := range crowds() {
		few, many := crowdAgent(t, open(t, 10), 10), crowdAgent(t, open(t, 5000), 5000)
		for _, r := range asked() {
			env := envelope(r.to)
			of := func(a *delivery.Agent) float64 { return testing.AllocsPerRun(100, func() { ask(t, a, env, r.code) }) }
			if f, m := of(few), of(many); m > 1.5*f+2 {
				t.Errorf("%s, %s: %v times among 10 and %v times among 5,000", kind, r.name, f, m)
			}
		}
	}
}
