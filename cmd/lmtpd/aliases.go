package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account/textfile"
	"lmtpd/delivery"
	"lmtpd/delivery/alias"
)

// openAliases opens the aliases of every block of mailboxes, each file once: opened[i] is that of cfg.Mailboxes[i], nil
// where there are none.
func openAliases(cfg *Config, log *slog.Logger) (opened []*alias.File, err error) {
	byPath := map[string]*alias.File{}
	for _, m := range cfg.Mailboxes {
		f, ok := byPath[m.Aliases]
		if !ok && m.Aliases != "" {
			if f, err = openAliasFile(m.Aliases, log); err != nil {
				return nil, err
			}
			byPath[m.Aliases] = f
		}
		opened = append(opened, f)
	}
	return opened, nil
}

func openAliasFile(path string, log *slog.Logger) (*alias.File, error) {
	f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: time.Now, Log: log})
	var bad textfile.Mistakes
	switch {
	case err == nil:
		return f, nil
	case errors.As(err, &bad):
		return nil, cli.Exit(fmt.Errorf("the aliases have mistakes:\n%w", err), exConfig)
	case errors.Is(err, fs.ErrNotExist):
		return nil, cli.Exit(fmt.Errorf("aliases: %w", err), exConfig)
	}
	return nil, fmt.Errorf("aliases: %w", err)
}

// checkAliases finds what is wrong with the aliases of all blocks together: circles, too many targets, names that nothing
// asks for.
func checkAliases(cfg *Config, opened []*alias.File) error {
	var bad textfile.Mistakes
	for i, f := range opened {
		if f == nil || slices.Index(opened, f) < i { // blocks may share a file
			continue
		}
		var all []string
		for n, m := range cfg.Mailboxes {
			if opened[n] == f {
				all = append(all, m.Domains...)
			}
		}
		bad = append(bad, cfg.aliasDomains(opened).Check(f, all)...)
	}
	if len(bad) == 0 {
		return nil
	}
	return cli.Exit(fmt.Errorf("the aliases have mistakes:\n%w", bad), exConfig)
}

// elsewhere tells of the aliases that would have mail relayed.
func (p printer) elsewhere(found []*alias.Alias, r Relay) {
	meaning := "refused, 550 5.7.1: there is no [relay]"
	if len(r.Routes) > 0 {
		meaning = "sent on, if a route of the relay takes it"
	}
	for _, al := range first(found) {
		p.line("  elsewhere", fmt.Sprintf("alias %s (%s:%d): mail for it is %s", al.Name, al.File, al.Line, meaning))
	}
	if n := len(found); n > maxUnserved {
		p.line("  elsewhere", fmt.Sprintf("and %d more", n-maxUnserved))
	}
}

func aliasesOf(blocks []delivery.Block) (all []*alias.File) {
	for _, b := range blocks {
		all = append(all, b.Aliases)
	}
	return all
}

// aliasDomains says which aliases a domain has.
func (cfg *Config) aliasDomains(opened []*alias.File) alias.Domains {
	return func(name string) (alias.Domain, bool) {
		for i, m := range cfg.Mailboxes {
			if slices.Contains(m.Domains, name) {
				return alias.Domain{Aliases: opened[i], Delimiters: m.Delimiters}, true
			}
		}
		return alias.Domain{}, false
	}
}
