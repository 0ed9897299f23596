package main

import (
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
		return nil, b.none(err)
	case errors.As(err, &bad):
		return nil, fmt.Errorf("the accounts have mistakes:\n%w", err)
	case sqldb.IsBusy(err):
		return nil, cli.Exit(err, exTempFail)
	case sqldb.IsCorrupt(err):
		return nil, cli.Exit(err, exDataErr)
	}
	return all, err
}

// none says that there is no place for accounts yet, and so nobody.
func (b accountBook) none(err error) error {
	return cli.Exit(fmt.Errorf("there are no accounts in %s: %w", b.url, err), exNoUser)
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
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return account.Account{}, b.none(err)
	case err != nil:
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
