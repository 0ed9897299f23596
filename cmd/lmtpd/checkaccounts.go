package main

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/store"
	"lmtpd/store/maildir"
	"lmtpd/store/rights"
)

// maxUnserved is how many accounts are told that can have no mail.
const maxUnserved = 20

// An unserved account can have no mail, though it is there and not disabled.
type unserved struct {
	name  string // of its mailbox
	cause error
}

// unserved finds the accounts of a block for which why gives a cause. It is given their mailboxes, or why they have none. Those that
// take no mail are none of it, and those of other blocks' domains are theirs. An error is about accounts that cannot be listed.
func (m Mailboxes) unserved(why func(store.Mailbox, error) error) (all []unserved, err error) {
	if m.Accounts == "any" || m.Accounts == "system" {
		return nil, nil // nobody has a list
	}
	list, err := listAccounts(m.Accounts)
	for _, acct := range list {
		name, ours := m.addressOf(acct)
		if !ours || acct.Disabled.Delivery {
			continue
		}
		if cause := why(m.placeOf(acct, name)); cause != nil {
			all = append(all, unserved{name, cause})
		}
	}
	return all, err
}

// placeOf is mailboxOf for a mailbox that has a place.
func (m Mailboxes) placeOf(acct account.Account, name string) (store.Mailbox, error) {
	box, err := m.mailboxOf(acct, name)
	if err == nil {
		_, err = m.Store.Template.Locate(box)
	}
	return box, err
}

// addressOf is the address of an account, in the first domain if it is good in all, and whether it is in one of the block's.
func (m Mailboxes) addressOf(acct account.Account) (name string, ours bool) {
	at := strings.LastIndexByte(acct.Name, '@')
	if at < 0 {
		return acct.Name + "@" + m.Domains[0], true
	}
	return acct.Name, slices.Contains(m.Domains, delivery.FoldDomain(acct.Name[at+1:]))
}

// unreached finds the accounts of a block whose mailboxes this process has no right to touch.
func (m Mailboxes) unreached() (all []unserved, err error) {
	if m.Store.Kind != "maildir" {
		return nil, nil
	}
	own, err := rights.Own(slog.New(slog.DiscardHandler))
	if err != nil {
		return nil, err
	}
	return m.unserved(func(box store.Mailbox, err error) error {
		if err != nil {
			return nil // that is so for every process
		}
		return maildir.Reach(own, m.Store.Template, box)
	})
}

// reach tells whose mail a daemon that runs as this process does would defer.
func (p printer) reach(m Mailboxes) {
	all, err := m.unreached()
	for _, u := range first(all) {
		p.line("  deferred", fmt.Sprintf("mail for %s: %v", u.name, u.cause))
	}
	if n := len(all); n > maxUnserved {
		p.line("  deferred", fmt.Sprintf("and mail for %d more", n-maxUnserved))
	}
	if err != nil && len(all) == 0 {
		p.line("  deferred", "cannot tell whose mail: "+err.Error())
	}
}

// once leaves out what was there before.
func once(lines []string) (all []string) {
	had := map[string]bool{}
	for _, line := range lines {
		if !had[line] {
			all = append(all, line)
		}
		had[line] = true
	}
	return all
}

// first are those of many that are told.
func first[T any](all []T) []T { return all[:min(len(all), maxUnserved)] }

// checkOwners tells of the accounts that can have no mail, whoever runs the daemon.
func checkOwners(cfg *Config) error {
	var lines []string
	for _, m := range cfg.Mailboxes {
		all, err := m.unserved(func(_ store.Mailbox, err error) error { return err })
		for _, u := range all {
			lines = append(lines, fmt.Sprintf("%s: %s: %v", m.Accounts, u.name, u.cause))
		}
		if err != nil {
			lines = append(lines, strings.Split(err.Error(), "\n")...)
		}
	}
	lines = once(lines) // blocks may share a list, and what is wrong with it
	if len(lines) == 0 {
		return nil
	}
	told := first(lines)
	if n := len(lines); n > maxUnserved {
		told = append(told, fmt.Sprintf("and %d more", n-maxUnserved))
	}
	return cli.Exit("accounts that can have no mail:\n"+strings.Join(told, "\n"), exConfig)
}
