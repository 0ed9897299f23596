package auth_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"lmtpd/auth"
)

// careless are Accounts that believe everybody, know nobody's name and have keys that are no keys.
type careless struct{ account string }

func (c careless) Verify(context.Context, string, string) (string, error) { return c.account, nil }
func (c careless) Named(context.Context, string) (string, error)          { return "", nil }

func (c careless) Key(_ context.Context, name, _ string) (auth.Key, error) {
	k := auth.Key{Account: name, Inner: []byte("md5"), Outer: []byte("md5")}
	if name == "stored" {
		k.Salt, k.Rounds, k.ServerKey = []byte("salt"), 4096, make([]byte, 20)
	}
	return k, nil
}

func (c careless) Token(context.Context, string) (string, error) { return "ann", nil }

func trusting(account string) *auth.Server {
	return auth.NewServer(auth.Config{Mechanisms: auth.Mechanisms(), Accounts: careless{account}, Tokens: careless{}})
}

// Whoever the accounts take a client for, it has a name, and no doubt about that is the client's fault.
func TestNobody(t *testing.T) {
	for mechanism, responses := range map[string][]string{
		"PLAIN":       {"\x00ann\x00secret"},
		"LOGIN":       {"ann", "secret"},
		"CRAM-MD5":    {none, "ann b913a602c7eda7a495b4e6e7334d3890"},
		"SCRAM-SHA-1": {"n,,n=ann,r=x"},
		"EXTERNAL":    {""},
		"OAUTHBEARER": {"n,,\x01auth=Bearer x\x01\x01"},
	} {
		e := trusting("").Begin(mechanism, bound("ann"))
		var account string
		var err error
		for _, r := range responses {
			response := []byte(r)
			if r == none {
				response = nil
			}
			_, account, err = e.Next(t.Context(), response)
		}
		if account != "" || err == nil || errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%s: %q, %v", mechanism, account, err)
		}
	}
	if _, _, err := trusting("").Begin("SCRAM-SHA-1", bound()).Next(t.Context(), []byte("n,,n=stored,r=x")); err == nil || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("a key of salt alone: %v", err)
	}
}

// An empty password is nobody's, even if the accounts would take it.
func TestNoPassword(t *testing.T) {
	for _, password := range []string{"", "\x00"} {
		e := trusting("ann").Begin("LOGIN", bound())
		account, err := play(t, e, []turn{{"ann", "Password:"}, {password, ""}})
		if account != "" || !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%q: %q, %v", password, account, err)
		}
	}
}

// Who acts as himself by the name he has given needs no look-up: accounts that verify passwords may know no more.
func TestAsItself(t *testing.T) {
	account, err := play(t, trusting("ann@example.org").Begin("PLAIN", bound()), []turn{{"ann\x00ann\x00secret", ""}})
	if account != "ann@example.org" || err != nil {
		t.Errorf("%q, %v", account, err)
	}
}

// A channel that has no data of a known binding is not to be bound.
func TestNoBinding(t *testing.T) {
	ch := bound()
	ch.Binding = func(string) ([]byte, error) { return nil, errors.New("not here") }
	if list := newServer("").Mechanisms(ch); slices.Contains(list, "SCRAM-SHA-1-PLUS") {
		t.Errorf("offered are %q", list)
	}
	client := scramClient{"y,,", "user", "pencil", ""}
	if account, err := client.run(t, newServer("server").Begin("SCRAM-SHA-1", ch), nil); account != "user" {
		t.Errorf("who says that there is none: %v", err)
	}
}
