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
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/auth/account/sqlite"
	"lmtpd/auth/account/system"
	"lmtpd/delivery"
	"lmtpd/store/sqldb"
)

// openAccounts opens where the accounts of every block of mailboxes are looked up, each distinct place once:
// opened[i] is that of cfg.Mailboxes[i].
func openAccounts(cfg *Config, log *slog.Logger) (opened []account.Source, err error) {
	byURL := map[string]account.Source{}
	for _, block := range cfg.Mailboxes {
		s, ok := byURL[block.Accounts]
		if !ok {
			if s, err = openSource(block.Accounts, log); err != nil {
				return nil, errors.Join(err, closeSources(opened))
			}
			byURL[block.Accounts] = s
		}
		opened = append(opened, s)
	}
	return opened, nil
}

// closeSources closes those that can be closed, each once.
func closeSources(opened []account.Source) error {
	var errs []error
	for i, s := range opened {
		if c, can := s.(io.Closer); can && slices.Index(opened, s) == i {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

// sourcesOf are where the accounts of blocks are looked up.
func sourcesOf(blocks []delivery.Block) (sources []account.Source) {
	for _, b := range blocks {
		sources = append(sources, b.Accounts)
	}
	return sources
}

// openSource opens one place. This is where a kind of accounts becomes an implementation.
func openSource(url string, log *slog.Logger) (account.Source, error) {
	kind, path, _ := strings.Cut(url, ":")
	switch kind {
	case "file":
		return openFile(path, log)
	case "sqlite":
		return openDatabase(path)
	case "system":
		return system.New(), nil
	}
	return account.Any{}, nil
}

func openFile(path string, log *slog.Logger) (account.Source, error) {
	f, err := account.OpenFile(account.FileConfig{Path: path, Now: time.Now, Log: log})
	var bad account.Mistakes
	switch {
	case err == nil:
		return f, nil
	case errors.As(err, &bad):
		return nil, cli.Exit(fmt.Errorf("the accounts have mistakes:\n%w", err), exConfig)
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Exit(fmt.Errorf("accounts: %w", err), exConfig)
	}
	return nil, fmt.Errorf("accounts: %w", err)
}

func openDatabase(path string) (account.Source, error) {
	s, err := sqlite.Open(context.Background(), path)
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Exit(fmt.Errorf("accounts: %w; lmtpd user add --accounts sqlite:%s makes one", err, path), exConfig)
	case sqldb.IsBusy(err):
		return nil, cli.Exit(fmt.Errorf("accounts: %w", err), exTempFail)
	case sqldb.IsCorrupt(err):
		return nil, cli.Exit(fmt.Errorf("accounts: %w", err), exDataErr)
	}
	return nil, fmt.Errorf("accounts: %w", err)
}

// listAccounts lists who has an account. Where it cannot be said of all, that is an error.
func listAccounts(url string) ([]account.Account, error) {
	switch kind, path, _ := strings.Cut(url, ":"); kind {
	case "file":
		return account.List(path)
	case "sqlite":
		return sqlite.List(path)
	}
	return nil, fmt.Errorf("neither their paths nor the accounts (%s) tell their addresses", url)
}

// accountsMeaning says who has a mailbox. What is wrong with a file is told behind everything else.
func accountsMeaning(url string) string {
	switch url {
	case "any":
		return url + ": every local-part has a mailbox"
	case "system":
		return url + ": every user of this host has a mailbox, root too, and nobody else"
	}
	list, err := listAccounts(url)
	switch {
	case err != nil && len(list) == 0:
		return url + ": cannot be used"
	case err != nil:
		return fmt.Sprintf("%s: %d in it have a mailbox, and others cannot be read", url, len(list))
	}
	return fmt.Sprintf("%s: %d in it have a mailbox, and nobody else", url, len(list))
}
