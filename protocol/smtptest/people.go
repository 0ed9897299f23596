package smtptest

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/delivery/alias"
	"lmtpd/store"
)

// people is where the accounts of the stage are looked up. At example.org everybody has one whose local-part has no plus
// sign, and these are special, at office.example too:
//
//	stranger   has none
//	away       takes no mail
//	lost       cannot be looked up
//	small      has room for 2,000 octets
//	single     has room for one message
//
// At office.example only they, ann and bob have accounts.
type people struct{}

// Lookup returns an account.
func (people) Lookup(_ context.Context, name string) (account.Account, error) {
	a := account.Account{Name: name, UID: -1, GID: -1}
	local, isAtOffice := strings.CutSuffix(name, "@"+office)
	if !isAtOffice {
		local, _ = account.LocalPart(name)
	}
	switch local {
	case "lost":
		return account.Account{}, errUnknown
	case "away":
		a.Disabled.Delivery = true
	case "small":
		a.Quota.Octets = 2000
	case "single":
		a.Quota.Messages = 1
	case "ann", "bob":
	default:
		if isAtOffice || local == "stranger" || strings.Contains(local, "+") {
			return account.Account{}, account.ErrNotFound
		}
	}
	return a, nil
}

// homeDomain is the domain of names that have none.
const homeDomain = "example.org"

// office is the domain where mail over a quota is refused, details make no folders, and a catch-all is.
const office = "office.example"

// aliases are those of the stage, in both blocks.
const aliases = `
sales:    ann, bob
team:     sales, cyd+Team, Ann
lists+go: cyd+Go
mixed:    ann, stranger, full
partly:   ann, away
former:   stranger
partner:  sue@example.com
friends:  ann, sue@example.com
ring:     circle
circle:   ring

info@office.example: ann@example.org
@office.example:     bob
`

// blocks are those of the stage, with their mailboxes in s: one of domains where mail over a quota is deferred and details
// make folders, and one of office.
func blocks(t testing.TB, s store.Store) []delivery.Block {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aliases")
	if err := os.WriteFile(path, []byte(aliases), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	home := delivery.Block{
		Domains:    []string{homeDomain, "exämple.org"},
		Accounts:   people{},
		Store:      s,
		Aliases:    f,
		Delimiters: "+",
		Detail:     delivery.DetailCreate,
	}
	work := home
	work.Domains, work.OverQuota, work.Detail = []string{office}, delivery.Refuse, delivery.DetailFolder
	return []delivery.Block{home, work}
}
