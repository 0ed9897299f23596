package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/auth/account/sqlite"
	"lmtpd/store/sqldb"
)

// An accountDraft is a set of accounts that is being changed.
type accountDraft interface {
	Account(name string) (account.Account, error)
	Add(account.Account) error
	SetPassword(name, hash string) error
	SetDisabled(name string, to account.Disabled) error
	Remove(name string) error
}

// An accountBook is a set of accounts that can be changed, wherever it is kept.
type accountBook struct {
	url    string
	create func() error
	list   func() ([]account.Account, error)
	edit   func(func(accountDraft) error) error
}

// openBook finds the accounts of a URL. They need not be there yet.
func openBook(url string) (accountBook, error) {
	switch kind, path, _ := strings.Cut(url, ":"); kind {
	case "file":
		return accountBook{
			url:    url,
			create: func() error { return account.Create(path) },
			list:   func() ([]account.Account, error) { return account.List(path) },
			edit: func(change func(accountDraft) error) error {
				return account.Edit(path, func(d *account.Draft) error { return change(d) })
			},
		}, nil
	case "sqlite":
		return accountBook{
			url:    url,
			create: func() error { return sqlite.Create(path) },
			list:   func() ([]account.Account, error) { return sqlite.List(path) },
			edit: func(change func(accountDraft) error) error {
				return sqlite.Edit(path, func(d *sqlite.Draft) error { return change(d) })
			},
		}, nil
	}
	return accountBook{}, cli.Exit(fmt.Sprintf("the accounts are %q, where there is nothing to list or change; a file or a database can be", url), exUnavailable)
}

// make makes a place for accounts that has none, and says so. That somebody else has made it meanwhile is as good.
func (b accountBook) make(c *cli.Context) error {
	switch err := b.create(); {
	case errors.Is(err, fs.ErrExist):
		return nil
	case errors.Is(err, fs.ErrPermission):
		return err
	case err != nil:
		return cli.Exit(err, exCantCreate)
	}
	fmt.Fprintf(c.App.ErrWriter, "lmtpd: made %s; nobody but you may read it (mode 0600) until you let the daemon and others\n", b.url)
	return nil
}

// accounts are those that are there. That there is no place for them yet is fs.ErrNotExist.
func (b accountBook) accounts() ([]account.Account, error) {
	all, err := b.list()
	var bad account.Mistakes
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Exit(fmt.Errorf("there are no accounts in %s: %w", b.url, err), exNoUser)
	case errors.As(err, &bad):
		return nil, fmt.Errorf("the accounts have mistakes:\n%w", err)
	case sqldb.IsBusy(err):
		return nil, cli.Exit(err, exTempFail)
	case sqldb.IsCorrupt(err):
		return nil, cli.Exit(err, exDataErr)
	}
	return all, err
}

// find returns the account of just this name. To change another one that a lookup would find, because it is without
// a domain, would change it for all domains; so it is only mentioned.
func (b accountBook) find(name string) (account.Account, error) {
	all, err := b.accounts()
	if err != nil {
		return account.Account{}, err
	}
	var others []string
	local, _, _ := strings.Cut(name, "@")
	for _, a := range all {
		if a.Name == name {
			return a, nil
		}
		if other, _, _ := strings.Cut(a.Name, "@"); other == local && (a.Name == local || name == local) {
			others = append(others, a.Name)
		}
	}
	err = fmt.Errorf("%s in %s: %w", name, b.url, account.ErrNotFound)
	if others != nil {
		err = fmt.Errorf("%w; there is %s", err, strings.Join(others[:min(len(others), 3)], ", "))
	}
	return account.Account{}, err
}

func hasAccount(all []account.Account, name string) bool {
	return slices.ContainsFunc(all, func(a account.Account) bool { return a.Name == name })
}

// lookup finds the account that a login of this name finds.
func (b accountBook) lookup(ctx context.Context, name string) (account.Account, error) {
	source, err := openSource(b.url, slog.New(slog.DiscardHandler))
	if err != nil {
		return account.Account{}, err
	}
	a, err := source.Lookup(ctx, name)
	if c, can := source.(io.Closer); can {
		err = errors.Join(err, c.Close())
	}
	if err != nil {
		return a, fmt.Errorf("%s in %s: %w", name, b.url, err)
	}
	return a, nil
}

// An accountPlace is where the accounts of some domains are.
type accountPlace struct {
	url     string
	domains []string // nil is all there are
}

// accountPlaces are what the flags of a command name, each place once.
type placesOfAccounts []accountPlace

func accountPlaces(c *cli.Context) (placesOfAccounts, error) {
	o, err := readOverrides(c)
	switch {
	case err != nil:
		return nil, err
	case o.accounts == "" && o.config == "":
		return nil, usage(c, "--accounts URL or --config FILE is missing: where are the accounts?")
	case o.accounts != "" && o.config != "":
		return nil, usage(c, "--accounts and --config name two places: give one of them")
	case o.accounts != "":
		url, err := parseAccounts(o.accounts)
		if err != nil {
			return nil, usage(c, "--accounts: %v", err)
		}
		return placesOfAccounts{{url: url}}, nil
	}
	cfg, err := o.load()
	if err != nil {
		return nil, err
	}
	var all placesOfAccounts
	for _, m := range cfg.Mailboxes {
		i := slices.IndexFunc(all, func(p accountPlace) bool { return p.url == m.Accounts })
		if i < 0 {
			i, all = len(all), append(all, accountPlace{url: m.Accounts})
		}
		all[i].domains = append(all[i].domains, m.Domains...)
	}
	return all, nil
}

// of finds where an account is and what it is called there.
func (all placesOfAccounts) of(arg string) (accountPlace, string, error) {
	name, domain, err := parseAccountName(arg)
	if err != nil {
		return accountPlace{}, "", err
	}
	var domains []string
	for _, p := range all {
		if p.domains == nil || slices.Contains(p.domains, domain) || domain == "" && len(all) == 1 {
			return p, name, nil
		}
		domains = append(domains, p.domains...)
	}
	problem := cmp.Or(domain, fmt.Sprintf("%q", arg))
	there := strings.Join(domains, ", ")
	if domain == "" {
		return accountPlace{}, "", cli.Exit(fmt.Sprintf("%s needs a domain, for their accounts are in different places: there is %s", problem, there), exUsage)
	}
	return accountPlace{}, "", cli.Exit(fmt.Sprintf("the domain %s is not configured; there is %s", problem, there), exNoUser)
}
