package main

import (
	"cmp"
	"fmt"
	"os/user"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// sendEnvelope reads --from and --to. SMTPUTF8 is asked for if an address needs it (RFC 6531 §3.4).
func sendEnvelope(c *cli.Context) (client.Message, error) {
	m := client.Message{Body: smtp.Body8Bit}
	from := c.String("from")
	if !c.IsSet("from") {
		from = callersAddress()
	}
	if from != "" && from != "<>" {
		path, err := parseSendAddress(from, &m)
		if err != nil {
			return m, fmt.Errorf("--from %q: %w", from, err)
		}
		m.From = path
	}
	for _, list := range c.StringSlice("to") {
		for _, to := range splitAddresses(list) {
			path, err := parseSendAddress(to, &m)
			if err != nil {
				return m, fmt.Errorf("--to %q: %w", to, err)
			}
			m.Recipients = append(m.Recipients, smtp.Recipient{To: path})
		}
	}
	return m, nil
}

// parseSendAddress reads an address, in angle brackets or not, and notes in m whether it needs SMTPUTF8.
func parseSendAddress(s string, m *client.Message) (smtp.Path, error) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "<") && strings.HasSuffix(s, ">") {
		s = s[1 : len(s)-1]
	}
	path, err := smtp.ParseMailbox(s, smtp.UTF8)
	if err == nil && !path.ASCII() {
		m.UTF8 = smtp.UTF8
	}
	return path, err
}

// splitAddresses divides a list at its commas, except inside quotes, where a local-part may hold one.
func splitAddresses(list string) []string {
	var all []string
	start, quoted := 0, false
	for i := 0; i < len(list); i++ {
		switch {
		case quoted && list[i] == '\\':
			i++
		case list[i] == '"':
			quoted = !quoted
		case list[i] == ',' && !quoted:
			all = append(all, list[start:i])
			start = i + 1
		}
	}
	return append(all, list[start:])
}

// callersAddress is the caller at this host, as mail programs have it since ever.
func callersAddress() string {
	name := "nobody"
	if u, err := user.Current(); err == nil {
		name = cmp.Or(u.Username, name)
	}
	return smtp.Path{Local: name, Domain: systemName()}.String()
}
