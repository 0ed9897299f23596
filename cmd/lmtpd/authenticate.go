package main

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/dovecot"
	"lmtpd/auth/pam"
	"lmtpd/auth/passdb"
	"lmtpd/auth/token"
	"lmtpd/delivery"
	"lmtpd/delivery/submission/senders"
	"lmtpd/protocol/server/certificate"
	"lmtpd/protocol/smtp"
)

// openAuth makes what clients authenticate with. accounts[i] is where those of cfg.Mailboxes[i] are looked up.
// closeIt is nil if there is nothing to close.
func openAuth(cfg *Config, accounts []account.Source, throttle *auth.Throttle, log *slog.Logger) (a auth.Authenticator, closeIt func() error, err error) {
	if cfg.Auth.Backend.Kind == "dovecot" {
		var c *dovecot.Client
		if c, err = openDovecot(cfg, log); err == nil {
			a, closeIt = c, c.Close
		}
	} else {
		a, err = openServer(cfg, accounts, log)
	}
	if err != nil {
		return nil, nil, err
	}
	return auth.Guard(a, throttle, log), closeIt, nil
}

// openDovecot connects to Dovecot, which knows mechanisms and accounts.
func openDovecot(cfg *Config, log *slog.Logger) (*dovecot.Client, error) {
	c, err := dovecot.New(dovecot.Config{Address: cfg.Auth.Backend.Arg, Service: "smtp", Log: log})
	if err != nil {
		return nil, cli.Exit(fmt.Errorf("auth: %w", err), exConfig)
	}
	return c, nil
}

// openServer makes the mechanisms of our own, over the accounts of the mailboxes.
func openServer(cfg *Config, accounts []account.Source, log *slog.Logger) (auth.Authenticator, error) {
	lists := cfg.listings()
	db, err := openPasswords(cfg, accounts, lists, log)
	if err != nil {
		return nil, err
	}
	tokens, err := openTokens(cfg.Auth.OAuth, log)
	if err != nil {
		return nil, err
	}
	return auth.NewServer(auth.Config{
		Mechanisms: cfg.mechanisms(surveyOf(lists)),
		Hostname:   cfg.Hostname,
		Accounts:   db,
		Tokens:     tokens,
		Authorize: func(account, _ string) bool {
			return slices.ContainsFunc(cfg.Auth.Masters, func(m string) bool { return cfg.login(m) == account })
		},
	}), nil
}

// openPasswords makes the accounts of the mailboxes those that authenticate.
func openPasswords(cfg *Config, accounts []account.Source, lists []listing, log *slog.Logger) (*passdb.DB, error) {
	secret, err := readSecret(cfg.Data)
	if err != nil {
		return nil, fmt.Errorf("keep a secret for made-up keys: %w", err)
	}
	var blocks []passdb.Block
	for i, m := range cfg.Mailboxes {
		b := passdb.Block{Domains: m.Domains, Accounts: accounts[i], Known: lists[i].accounts}
		switch m.Accounts {
		case "any":
			b.Accounts = nil
		case "system":
			b.Passwords = pam.New(pam.Config{})
		}
		blocks = append(blocks, b)
	}
	return passdb.New(passdb.Config{
		Blocks: blocks,
		Domain: cfg.Auth.Domain,
		Fold:   foldAddress,
		Secret: secret,
		Now:    time.Now,
		Log:    log,
	})
}

// login makes of a name that somebody logs in with the one of the account: an address, with the default domain if it has none.
func (cfg *Config) login(name string) string {
	if !strings.Contains(name, "@") {
		name += "@" + cmp.Or(cfg.Auth.Domain, cfg.Mailboxes[0].Domains[0])
	}
	return foldAddress(name)
}

// foldAddress makes of a login name the one that accounts are looked up by, as delivery does.
func foldAddress(address string) string {
	p, err := smtp.ParseMailbox(address, smtp.UTF8)
	if err != nil {
		return account.Fold(address)
	}
	folded := delivery.Fold(p)
	return folded.Local + "@" + folded.Domain
}

// A listing is who has an account in a block, as far as that can be listed.
type listing struct {
	url      string
	accounts []account.Account
	err      error // not all can
}

// listings lists the accounts of every block, those that are kept in one place once.
func (cfg *Config) listings() []listing {
	lists := make([]listing, len(cfg.Mailboxes))
	for i, m := range cfg.Mailboxes {
		if n := slices.IndexFunc(lists[:i], func(l listing) bool { return l.url == m.Accounts }); n >= 0 {
			lists[i] = lists[n]
			continue
		}
		lists[i].url = m.Accounts
		lists[i].accounts, lists[i].err = listAccounts(m.Accounts)
	}
	return lists
}

// surveyOf finds out which mechanisms accounts permit.
func surveyOf(lists []listing) *passdb.Survey {
	s := &passdb.Survey{}
	for _, l := range lists {
		for _, a := range l.accounts {
			s.Add(a)
		}
		if l.err != nil {
			s.AddUnlisted(l.url)
		}
	}
	return s
}

// mechanisms are those that clients are offered, wherever they can work: those of the configuration, or all that the accounts
// permit.
func (cfg *Config) mechanisms(survey *passdb.Survey) []string {
	if len(cfg.Auth.Mechanisms) > 0 {
		return cfg.Auth.Mechanisms
	}
	permitted := survey.Mechanisms()
	var list []string
	for _, m := range auth.Mechanisms() {
		ok := slices.Contains(permitted, strings.TrimSuffix(m, "-PLUS"))
		switch m {
		case "EXTERNAL":
			ok = cfg.TLS.Client != certificate.ClientNone || slices.ContainsFunc(cfg.Listen, func(l Listen) bool { return l.Network == "unix" })
		case "OAUTHBEARER", "XOAUTH2":
			ok = cfg.Auth.OAuth.on()
		}
		if ok {
			list = append(list, m)
		}
	}
	return list
}

// openTokens makes what looks at bearer tokens; nil is none.
func openTokens(o OAuth, log *slog.Logger) (auth.Tokens, error) {
	terms := token.Terms{Issuer: o.Issuer, Audience: o.Audience, Scopes: o.Scope, Member: o.member()}
	var tokens auth.Tokens
	var err error
	switch {
	case o.Introspect != "":
		var secret string
		if secret, err = readLine(o.ClientSecret); err == nil {
			tokens, err = token.NewIntrospection(token.IntrospectionConfig{URL: o.Introspect, ClientID: o.ClientID, ClientSecret: secret, Terms: terms, Now: time.Now})
		}
	case strings.Contains(o.JWKS, "://"):
		tokens, err = token.NewJWT(token.JWTConfig{URL: o.JWKS, Terms: terms, Now: time.Now, Log: log})
	case o.JWKS != "":
		tokens, err = token.NewJWT(token.JWTConfig{File: o.JWKS, Terms: terms, Now: time.Now, Log: log})
	}
	if err != nil {
		return nil, cli.Exit(fmt.Errorf("auth.oauth: %w", err), exConfig)
	}
	return tokens, nil
}

// member is what of a token names the account.
func (o OAuth) member() string {
	switch {
	case o.Claim != "":
		return o.Claim
	case o.Introspect != "":
		return "username"
	}
	return "sub"
}

// readLine reads a secret from a file of one line; without a file there is none.
func readLine(path string) (string, error) {
	if path == "" {
		return "", nil
	}
	data, err := os.ReadFile(path)
	return strings.TrimRight(string(data), "\r\n"), err
}

// userNames is who the other end of a unix socket is, for EXTERNAL.
func userNames(uid uint32) []string {
	u, err := user.LookupId(strconv.FormatUint(uint64(uid), 10))
	if err != nil {
		return nil
	}
	return []string{u.Username}
}

// An owners tells whose an address is: by the table of senders, or by where mail for it goes.
type owners struct {
	agent *delivery.Agent
	table *senders.Table // nil: none
}

// Owns asks both. That one could not be asked matters only if the other says no.
func (o owners) Owns(ctx context.Context, account string, address smtp.Path) (bool, error) {
	owns, err := o.agent.Owns(ctx, account, address)
	if owns || o.table == nil {
		return owns, err
	}
	listed, failed := o.table.Owns(ctx, account, address)
	if listed {
		return true, nil
	}
	if err == nil {
		err = failed
	}
	return false, err
}
