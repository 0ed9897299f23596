package passdb

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// Stored forms that cost next to nothing, of the password "secret", and one that says so loudly.
const (
	secret  = "secret"
	cheap   = "{SHA256}K7gNU3sdo+OL0wNhqoVWhr3g6s1xYv72ol/pe/Unols="
	costly  = "{CRYPT}$2y$04$KQA8jFF75SEKYB4FuWKr4OBMYDscPOxQUE4buSWavQeAcsNH6ig/2" // of "secret pä"
	scram1  = "{SCRAM-SHA-1}4096,dHjIlfUz27ftl56kSKuVMQ==,GLPR4GIxpvU4butlNYVLKnP4irU=,fOIZ9M4Su6LtO7WaIpftnx/cJag="
	scram2  = "{SCRAM-SHA-256}5000,8aawAVsplFtHz1NmFWBnpdHo,yQ+2hO87TXUyQqJsQy4PZrXd+d+GjY+1/bNGseisn1Y=,lqwA1ek7AHghhaLDEYuyraPVaqrnrVahL5JxL35I3oY="
	foreign = "{NTLM}0123456789abcdef"
)

// names are accounts by name, as a source has them. Its errors are by name, too.
type names struct {
	mu     sync.Mutex
	all    map[string]account.Account
	errs   map[string]error
	lookup []string
}

func (n *names) Lookup(_ context.Context, name string) (account.Account, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lookup = append(n.lookup, name)
	if err := n.errs[name]; err != nil {
		return account.Account{}, err
	}
	local, _ := account.LocalPart(name)
	for _, name := range []string{name, local} {
		if a, ok := n.all[name]; ok {
			return a, nil
		}
	}
	return account.Account{}, account.ErrNotFound
}

func (n *names) set(name, stored string) { n.put(account.Account{Name: name, Password: stored}) }

func (n *names) put(a account.Account) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.all[a.Name] = a
}

func (n *names) list() (all []account.Account) {
	for _, a := range n.all {
		all = append(all, a)
	}
	return all
}

func accounts(all map[string]string) *names {
	n := &names{all: map[string]account.Account{}, errs: map[string]error{}}
	for name, stored := range all {
		n.set(name, stored)
	}
	return n
}

// A fixture is a DB whose hashes are counted and not computed: a password is right if it is "right".
type fixture struct {
	*DB
	now     time.Time
	log     bytes.Buffer
	mu      sync.Mutex
	work    []string // what was compared with, in this order
	derived int
}

func newFixture(t *testing.T, cfg Config) *fixture {
	t.Helper()
	f := &fixture{now: time.Unix(1_700_000_000, 0)}
	cfg.Now = func() time.Time { return f.now }
	cfg.Log = slog.New(slog.NewTextHandler(&f.log, nil))
	db, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f.DB = db
	db.verify = func(stored, pw string) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.work = append(f.work, stored)
		if _, err := password.CostOf(stored); err != nil {
			return err
		}
		if pw != "right" {
			return password.ErrMismatch
		}
		return nil
	}
	derive := db.derive
	db.derive = func(mechanism, pw string, salt []byte, rounds int) (password.SCRAM, error) {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.derived++
		return derive(mechanism, pw, salt, rounds)
	}
	return f
}

// did returns what was compared with since it was asked last.
func (f *fixture) did() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	work := f.work
	f.work = nil
	return work
}

// home is a block of accounts in domains, which are known from the beginning.
func home(source *names, domains ...string) Block {
	return Block{Domains: domains, Accounts: source, Known: source.list()}
}

// login wants somebody to log in.
func login(t *testing.T, db auth.Accounts, name, pw, want string) {
	t.Helper()
	if got, err := db.Verify(t.Context(), name, pw); got != want || err != nil {
		t.Errorf("%s with %q is %q, %v; want %q", name, pw, got, err, want)
	}
}

// refused wants somebody not to log in, for sure.
func refused(t *testing.T, db auth.Accounts, name, pw string) {
	t.Helper()
	if got, err := db.Verify(t.Context(), name, pw); got != "" || !errors.Is(err, auth.ErrCredentials) {
		t.Errorf("%s with %q is %q, %v; want it refused", name, pw, got, err)
	}
}

// untold wants an error that says that it could not be told.
func untold(t *testing.T, what string, err error) {
	t.Helper()
	if err == nil || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("%s: %v; want it untold", what, err)
	}
}

// the same is done, whatever the hashes are.
func sameCosts(t *testing.T, what string, got, want []string) {
	t.Helper()
	cost := func(stored string) password.Cost {
		c, err := password.CostOf(stored)
		if err != nil {
			t.Errorf("%s: %v", what, err)
		}
		return c
	}
	if len(got) != len(want) || !slices.EqualFunc(got, want, func(a, b string) bool { return cost(a) == cost(b) }) {
		t.Errorf("%s: compared with\n\t%s\nwant as much work as\n\t%s", what, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}
