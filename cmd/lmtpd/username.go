package main

import (
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
)

// parseAccountName turns an argument into the name by which delivery looks an account up, and its domain. A local-part
// without a domain is the name of an account that has none.
func parseAccountName(arg string) (name, domain string, err error) {
	address := arg
	isBare := !strings.Contains(arg, "@")
	if isBare {
		address += "@" + defaultDomain
	}
	path, err := smtp.ParseMailbox(address, smtp.UTF8)
	if err != nil {
		return "", "", cli.Exit(fmt.Errorf("%q is not an address: %w", arg, err), exDataErr)
	}
	if name, err = delivery.MailboxName(path, ""); err != nil {
		return "", "", cli.Exit(fmt.Errorf("%q: %w", arg, err), exDataErr)
	}
	at := strings.LastIndexByte(name, '@')
	if isBare {
		return name[:at], "", nil
	}
	return name, name[at+1:], nil
}
