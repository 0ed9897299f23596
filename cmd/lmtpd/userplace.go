package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"
)

// An accountPlace is where the accounts of some domains are.
type accountPlace struct {
	url     string
	domains []string // nil is all there are
}

// places are those of a configuration, each once.
type places []accountPlace

// accountPlaces are what the flags of a command name.
func accountPlaces(c *cli.Context) (places, error) {
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
		return places{{url: url}}, nil
	}
	cfg, err := o.load()
	if err != nil {
		return nil, err
	}
	return cfg.accountPlaces(), nil
}

func (cfg *Config) accountPlaces() (all places) {
	for _, m := range cfg.Mailboxes {
		i := slices.IndexFunc(all, func(p accountPlace) bool { return p.url == m.Accounts })
		if i < 0 {
			i, all = len(all), append(all, accountPlace{url: m.Accounts})
		}
		all[i].domains = append(all[i].domains, m.Domains...)
	}
	return all
}

// of finds where an account is and what it is called there.
func (all places) of(arg string) (accountPlace, string, error) {
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
	there := strings.Join(domains, ", ")
	if domain == "" {
		return accountPlace{}, "", cli.Exit(fmt.Sprintf("%q needs a domain, for their accounts are in different places: there is %s", arg, there), exUsage)
	}
	return accountPlace{}, "", cli.Exit(fmt.Sprintf("the domain %s is not configured; there is %s", domain, there), exNoUser)
}
