package main

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// A userLine is one account in a list. There is no hash in it.
type userLine struct {
	Account       string `json:"account"`
	Scheme        string `json:"scheme"` // "" is no password, "unknown" none that is known
	UID           *int   `json:"uid"`
	GID           *int   `json:"gid"`
	Home          string `json:"home"`
	Mail          string `json:"mail"`
	QuotaOctets   int64  `json:"quota_octets"` // 0 is not said, -1 no limit
	QuotaMessages int64  `json:"quota_messages"`
	Login         bool   `json:"login"`
	Delivery      bool   `json:"delivery"`
}

func newUserLine(a account.Account) userLine {
	return userLine{
		Account: a.Name, Scheme: password.Scheme(a.Password), UID: said(a.UID), GID: said(a.GID), Home: a.Home, Mail: a.Mail,
		QuotaOctets: a.Quota.Octets, QuotaMessages: a.Quota.Messages, Login: !a.Disabled.Login, Delivery: !a.Disabled.Delivery,
	}
}

// said is an ID, or nil where an account says none.
func said(id int) *int {
	if id == -1 {
		return nil
	}
	return &id
}

// listUsers lists the accounts of all places, in their order. Places without a list count only if there is no other.
func listUsers(c *cli.Context) error {
	named, err := accountPlaces(c)
	if err != nil {
		return err
	}
	lines, listed := []userLine{}, false
	var unlisted error
	for _, p := range named {
		book, err := openBook(p.url)
		if err != nil {
			unlisted = cmp.Or(unlisted, err)
			continue
		}
		all, err := book.accounts()
		if err != nil {
			return err
		}
		listed = true
		for _, a := range all {
			lines = append(lines, newUserLine(a))
		}
	}
	if !listed {
		return unlisted
	}
	return printList(c, lines, userLine.columns)
}

func (l userLine) columns() []any {
	var disabled []string
	if !l.Login {
		disabled = append(disabled, "login")
	}
	if !l.Delivery {
		disabled = append(disabled, "delivery")
	}
	return []any{l.Account, orDash(l.Scheme), limitText(l.QuotaOctets), limitText(l.QuotaMessages), orDash(strings.Join(disabled, ","))}
}

// orDash writes a dash for nothing, so that every line has its columns.
func orDash(s string) string { return cmp.Or(s, "-") }

func limitText(n int64) string {
	switch n {
	case 0:
		return "-"
	case account.Unlimited:
		return "unlimited"
	}
	return strconv.FormatInt(n, 10)
}
