package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
)

// openAccounts opens where the accounts of every block of mailboxes are looked up, each distinct place once:
// opened[i] is that of cfg.Mailboxes[i].
func openAccounts(cfg *Config, log *slog.Logger) (opened []account.Source, err error) {
	byURL := map[string]account.Source{}
	for _, block := range cfg.Mailboxes {
		s, ok := byURL[block.Accounts]
		if !ok {
			if s, err = openSource(block.Accounts, log); err != nil {
				return nil, err
			}
			byURL[block.Accounts] = s
		}
		opened = append(opened, s)
	}
	return opened, nil
}

// openSource opens one place. This is where a kind of accounts becomes an implementation.
func openSource(url string, log *slog.Logger) (account.Source, error) {
	path, isFile := strings.CutPrefix(url, "file:")
	if !isFile {
		return account.Any{}, nil
	}
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
