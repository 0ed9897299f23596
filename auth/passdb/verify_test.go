package passdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// A login name is an address, in any case, or a name in the default domain; who it is, is told by the address.
func TestVerifyNames(t *testing.T) {
	one := accounts(map[string]string{"ann": costly, "bob@example.net": costly})
	other := accounts(map[string]string{"cat@example.com": costly})
	db := newFixture(t, Config{Blocks: []Block{home(one, "example.org", "EXAMPLE.net"), home(other, "example.com")}})
	for name, want := range map[string]string{
		"ann":             "ann@example.org",
		"ANN":             "ann@example.org",
		"ann@example.org": "ann@example.org",
		"Ann@Example.NET": "ann@example.net",
		"bob@example.net": "bob@example.net",
		"cat@example.com": "cat@example.com",
	} {
		login(t, db, name, "right", want)
		refused(t, db, name, "wrong")
		if got, err := db.Named(t.Context(), name); got != want || err != nil {
			t.Errorf("%s is named %q, %v; want %q", name, got, err, want)
		}
	}
	for _, name := range []string{
		"", "@", "@example.org", "ann@", "ann@elsewhere", "bob", "bob@example.org", "cat", "ann@example.com", "a@b@example.org",
		`"ann@x"@example.org`, "ann+detail", "ann@example.org\x00", "\xff", strings.Repeat("x", maxName+1), "ann@example.org.",
	} {
		refused(t, db, name, "right")
		if got, err := db.Named(t.Context(), name); got != "" || !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%q is named %q, %v", name, got, err)
		}
	}
}

// The default domain and how names are folded are for the caller to say.
func TestVerifyConfigured(t *testing.T) {
	one, other := accounts(nil), accounts(map[string]string{"ann@example.com": costly})
	db := newFixture(t, Config{
		Blocks: []Block{home(one, "example.org"), home(other, "example.COM")},
		Domain: "example.com",
		Fold:   func(address string) string { return strings.ToLower(strings.ReplaceAll(address, "_", "")) },
	})
	login(t, db, "A_n_N", "right", "ann@example.com")
}

// Unknown, locked, disabled and wrong are one answer after the same work.
func TestSameWork(t *testing.T) {
	all := accounts(map[string]string{"ann": costly, "locked": "!" + costly, "empty": "", "crypt": "{CRYPT}*"})
	all.put(account.Account{Name: "barred", Password: costly, Disabled: account.Disabled{Login: true}})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	for _, name := range []string{
		"ann", "nobody", "nobody@example.org", "ann@elsewhere", "", "a@b@c", "\xff", strings.Repeat("x", 1000), "locked", "empty", "crypt", "barred",
	} {
		refused(t, db, name, "wrong")
		sameCosts(t, name, db.did(), []string{costly})
		if name != "ann" {
			refused(t, db, name, "right")
			sameCosts(t, name, db.did(), []string{costly})
		}
	}
	if log := db.log.String(); log != "" {
		t.Errorf("logged: %s", log)
	}
}

// While no account has been seen, names without one are compared with a hash as made for new accounts, and then as real ones.
func TestSameWorkLearned(t *testing.T) {
	all := accounts(map[string]string{"ann": costly})
	db := newFixture(t, Config{Blocks: []Block{{Domains: []string{"example.org"}, Accounts: all}}})
	refused(t, db, "nobody", "wrong")
	if got := db.did(); len(got) != 1 || password.Scheme(got[0]) != password.Default {
		t.Errorf("compared with %q", got)
	}
	refused(t, db, "ann", "wrong")
	refused(t, db, "nobody", "wrong")
	sameCosts(t, "nobody", db.did(), []string{costly, costly})
}

// Where accounts differ, a name without one is always like one of them, and which others there are makes no difference to it.
func TestSameWorkMixed(t *testing.T) {
	all := accounts(map[string]string{"ann": costly, "bob": cheap})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}, Secret: []byte("a secret")})
	before := map[string]string{}
	count := map[string]int{}
	for i := range 200 {
		name := fmt.Sprintf("nobody%d", i)
		for range 2 {
			refused(t, db, name, "wrong")
			got := db.did()[0]
			if was, ok := before[name]; ok && was != got {
				t.Errorf("%s was compared with %s and %s", name, was, got)
			}
			before[name] = got
		}
		count[before[name]]++
	}
	if count[costly] < 50 || count[cheap] < 50 {
		t.Errorf("names are unevenly divided: %v", count)
	}
	all.set("cat", "{PLAIN}secret")
	refused(t, db, "cat", "wrong")
	db.did()
	moved := 0
	for name, was := range before {
		refused(t, db, name, "wrong")
		switch got := db.did()[0]; got {
		case was:
		case "{PLAIN}secret":
			moved++
		default:
			t.Errorf("%s was compared with %s, and now with %s", name, was, got)
		}
	}
	if moved < 30 || moved > 110 {
		t.Errorf("%d of 200 names are like the new account", moved)
	}
}

// What cannot be compared because the password is too long for it cannot be for a name without an account either.
func TestSameDoubt(t *testing.T) {
	const many = "$6$rounds=700000$salt$Z6IQ9tt06/JwNECY0sSG6ul0ZqWO128hbK7f/cD3KVi71iAzh0iXAlRoikkRWH1yLN8ZQDjmUn/TE.aMCF4QO/"
	all := accounts(map[string]string{"ann": many})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	db.verify = password.Verify
	for _, name := range []string{"ann", "nobody"} {
		_, err := db.Verify(t.Context(), name, strings.Repeat("x", 500))
		untold(t, name, err)
	}
}

// What the source cannot tell is no refusal.
func TestVerifyUntold(t *testing.T) {
	all := accounts(map[string]string{"ann": costly})
	all.errs["ann@example.org"] = errors.New("the disk is gone")
	all.errs["bob@example.org"] = account.ErrUnsure
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	for _, name := range []string{"ann", "bob"} {
		_, err := db.Verify(t.Context(), name, "right")
		untold(t, name, err)
		_, err = db.Named(t.Context(), name)
		untold(t, name, err)
		_, err = db.Key(t.Context(), name, "CRAM-MD5")
		untold(t, name, err)
	}
}

// What is stored and cannot be used is doubt, and told once for each account, without what is stored.
func TestVerifyCannot(t *testing.T) {
	all := accounts(map[string]string{"ann": foreign, "bob": "{hunter2}x", "cat": costly, "dan": foreign})
	db := newFixture(t, Config{Blocks: []Block{home(all, "example.org")}})
	for range 3 {
		for _, name := range []string{"ann", "bob"} {
			_, err := db.Verify(t.Context(), name, "right")
			untold(t, name, err)
		}
	}
	log := db.log.String()
	if strings.Count(log, "\n") != 2 || !strings.Contains(log, "account=ann@example.org scheme=NTLM") || strings.Contains(log, "hunter2") ||
		strings.Contains(log, "0123456789") {
		t.Errorf("logged:\n%s", log)
	}
	all.set("ann", "{RPA}x")
	_, err := db.Verify(t.Context(), "ann", "right")
	untold(t, "ann", err)
	if log := db.log.String(); strings.Count(log, "\n") != 3 || !strings.Contains(log, "scheme=RPA") {
		t.Errorf("with something else stored, logged:\n%s", log)
	}
}

// elsewhere is a Verifier.
type elsewhere map[string]error

func (e elsewhere) Verify(_ context.Context, name, pw string) error {
	if err, ok := e[name+" "+pw]; ok {
		return err
	}
	return auth.ErrCredentials
}

// Passwords that are kept elsewhere are verified there, for names without an account, too; and there are no keys.
func TestElsewhere(t *testing.T) {
	all := accounts(map[string]string{"ann": costly, "bob@example.org": ""})
	all.put(account.Account{Name: "barred", Disabled: account.Disabled{Login: true}})
	down := errors.New("not now")
	b := home(all, "example.org")
	b.Passwords = elsewhere{"ann pw": nil, "bob@example.org pw": nil, "gone pw": nil, "barred pw": nil, "ann down": down, "gone down": down}
	db := newFixture(t, Config{Blocks: []Block{b}})
	login(t, db, "ann@example.org", "pw", "ann@example.org")
	login(t, db, "bob", "pw", "bob@example.org")
	for _, name := range []string{"ann", "gone", "barred", "ann@elsewhere"} {
		refused(t, db, name, "right")
	}
	for _, name := range []string{"gone", "barred", "ann@elsewhere"} {
		refused(t, db, name, "pw")
	}
	for _, name := range []string{"ann", "gone"} {
		if _, err := db.Verify(t.Context(), name, "down"); !errors.Is(err, down) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := db.did(); len(got) != 2 { // of the other domain
		t.Errorf("compared with %q", got)
	}
	if k, err := db.Key(t.Context(), "ann", "CRAM-MD5"); err != nil || k.Account != "" || k.Outer == nil {
		t.Errorf("key %v, %v", k, err)
	}
}

func TestNew(t *testing.T) {
	for _, cfg := range []Config{{}, {Blocks: []Block{{}}}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("%v is taken", cfg)
		}
	}
	db := newFixture(t, Config{Blocks: []Block{{Domains: []string{"example.org"}}}})
	refused(t, db, "ann", "right")
	if got, err := db.Named(t.Context(), "Ann"); got != "ann@example.org" || err != nil {
		t.Errorf("where every name has an account, Ann is %q, %v", got, err)
	}
}

// Whole, with hashes that are computed.
func TestVerifyReal(t *testing.T) {
	all := accounts(map[string]string{"ann": cheap, "bob": "{PLAIN}secret", "cat": costly})
	db, err := New(Config{Blocks: []Block{home(all, "example.org")}, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	login(t, db, "ann", secret, "ann@example.org")
	login(t, db, "bob", secret, "bob@example.org")
	login(t, db, "cat", "secret pä", "cat@example.org")
	login(t, db, "cat", "secret pä", "cat@example.org")
	for _, name := range []string{"ann", "bob", "cat", "nobody"} {
		for _, pw := range []string{"", "x", "secret\x00", strings.Repeat("x", 600)} {
			refused(t, db, name, pw)
		}
	}
}
