package smtptest

import (
	"context"
	"log/slog"
	"testing"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/passdb"
)

// logins is where those are looked up who log in on a stage of SASL. Most are of the examples in RFCs, with what is stored of
// their passwords:
//
//	tim@example.org      {PLAIN}tanstaaftanstaaf (RFC 2195 §2, RFC 4616 §4)
//	kurt@example.org     {PLAIN}xipj3plmq (RFC 4616 §4); ursel@ is there too
//	user@example.org     {SCRAM-SHA-1} of "pencil" (RFC 5802 §5)
//	user@office.example  {SCRAM-SHA-256} of "pencil" (RFC 7677 §3)
//	user@example.com     none (RFC 7628 §4)
//	ann@example.org      {SSHA256} of "secret"
//	admin@example.org    {PLAIN}root; may act as others
//	gone@example.org     {PLAIN}secret; may not log in
//	later@example.org    cannot be looked up
type logins struct{}

// Lookup returns an account.
func (logins) Lookup(_ context.Context, name string) (account.Account, error) {
	a := account.Account{Name: name, UID: -1, GID: -1}
	switch name {
	case "tim@example.org":
		a.Password = "{PLAIN}tanstaaftanstaaf"
	case "kurt@example.org":
		a.Password = "{PLAIN}xipj3plmq"
	case "user@example.org":
		a.Password = "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE="
	case "user@office.example":
		a.Password = "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
	case "ann@example.org":
		a.Password = "{SSHA256}pBFKVQdg8aaZi2INYzmnxxLtStvyMgIOC7TahNLLqCIBAgME"
	case "admin@example.org":
		a.Password = "{PLAIN}root"
	case "gone@example.org":
		a.Password, a.Disabled.Login = "{PLAIN}secret", true
	case "ursel@example.org", "user@example.com":
	case "later@example.org":
		return account.Account{}, errUnknown
	default:
		return account.Account{}, account.ErrNotFound
	}
	return a, nil
}

// tokens are those that somebody has issued.
type tokens struct{}

// Token returns the name that a token was issued for: that of RFC 7628 §4.1, and one for Ann. Who has "later" cannot be told.
func (tokens) Token(_ context.Context, token string) (string, error) {
	switch token {
	case "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==":
		return "user@example.com", nil
	case "for-ann":
		return "ann@example.org", nil
	case "later":
		return "", errUnknown
	}
	return "", auth.ErrCredentials
}

// SASL returns an auth.Server of all mechanisms, whose names without a domain are in the one given. Its nonces are all the same,
// and so is its clock, which shows that of RFC 2195 §2.
func SASL(t testing.TB, domain, nonce string) *auth.Server {
	t.Helper()
	first, _ := logins{}.Lookup(t.Context(), "user@example.org")
	db, err := passdb.New(passdb.Config{
		Blocks: []passdb.Block{{
			Domains:  []string{homeDomain, office, "example.com"},
			Accounts: logins{},
			Known:    []account.Account{first},
		}},
		Domain: domain,
		Secret: []byte("what is made up is always the same"),
		Now:    now,
		Log:    slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	return auth.NewServer(auth.Config{
		Mechanisms: auth.Mechanisms(),
		Hostname:   "postoffice.reston.mci.net",
		Accounts:   db,
		Tokens:     tokens{},
		Authorize:  func(account, _ string) bool { return account == "admin@example.org" },
		Nonce:      func() string { return nonce },
		Now:        now,
	})
}
