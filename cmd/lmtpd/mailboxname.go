package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
)

// findMailbox turns an argument into the name of a mailbox and the number of the block it belongs to. An
// address without domain belongs to the only domain there is.
func (cfg *Config) findMailbox(arg string) (block int, name string, err error) {
	path, err := cfg.parseAddress(arg)
	if err != nil {
		return 0, "", err
	}
	if name, err = delivery.MailboxName(path, cfg.Mailboxes[0].Domains[0]); err != nil {
		return 0, "", fmt.Errorf("%q: %w", arg, err)
	}
	domain := name[strings.LastIndexByte(name, '@')+1:]
	for i, m := range cfg.Mailboxes {
		if slices.Contains(m.Domains, domain) {
			return i, name, nil
		}
	}
	return 0, "", cli.Exit(fmt.Errorf("the domain %s is not configured; there is %s", domain, strings.Join(cfg.domains(), ", ")), exNoUser)
}

// parseAddress reads an address. One without a domain is in the only domain there is; postmaster needs none (RFC 5321
// §4.5.1).
func (cfg *Config) parseAddress(arg string) (smtp.Path, error) {
	if p := (smtp.Path{Local: arg}); p.IsPostmaster() {
		return p, nil
	}
	if !strings.Contains(arg, "@") {
		return cfg.inOnlyDomain(arg)
	}
	path, err := smtp.ParseMailbox(arg, smtp.UTF8)
	if err != nil {
		return path, cli.Exit(fmt.Errorf("%q is not an address: %w", arg, err), exDataErr)
	}
	return path, nil
}

func (cfg *Config) inOnlyDomain(local string) (smtp.Path, error) {
	domains := cfg.domains()
	if len(domains) != 1 {
		return smtp.Path{}, cli.Exit(fmt.Errorf("%q needs a domain: there is %s", local, strings.Join(domains, ", ")), exUsage)
	}
	return smtp.Path{Local: local, Domain: domains[0]}, nil
}

// domains lists the domains of all blocks.
func (cfg *Config) domains() []string {
	var all []string
	for _, m := range cfg.Mailboxes {
		all = append(all, m.Domains...)
	}
	return all
}
