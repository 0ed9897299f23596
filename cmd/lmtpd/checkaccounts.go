package main

import (
	"fmt"
	"log/slog"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/store"
	"lmtpd/store/maildir"
	"lmtpd/store/rights"
)

// maxUnserved is how many accounts are told that can have no mail.
const maxUnserved = 20

// An unserved account has its mail deferred, though it is there.
type unserved struct {
	name  string // of its mailbox
	cause error
}

// unserved finds the accounts of a block for which why gives a cause. It is given their mailboxes, or why they have none. An error
// is about accounts that cannot be listed.
func (m Mailboxes) unserved(why func(store.Mailbox, error) error) (all []unserved, err error) {
	if m.Accounts == "any" || m.Accounts == "system" {
		return nil, nil // nobody has a list
	}
	list, err := listAccounts(m.Accounts)
	for _, acct := range list {
		name := m.addressOf(acct)
		if cause := why(m.mailboxOf(acct, name)); cause != nil {
			all = append(all, unserved{name, cause})
		}
	}
	return all, err
}

// addressOf is the address of an account, in the first domain if it is good in all.
func (m Mailboxes) addressOf(acct account.Account) string {
	if strings.Contains(acct.Name, "@") {
		return acct.Name
	}
	return acct.Name + "@" + m.Domains[0]
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
	if len(lines) == 0 {
		return nil
	}
	told := first(lines)
	if n := len(lines); n > maxUnserved {
		told = append(told, fmt.Sprintf("and %d more", n-maxUnserved))
	}
	return cli.Exit("accounts whose mail would be deferred:\n"+strings.Join(told, "\n"), exConfig)
}
