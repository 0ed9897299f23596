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

// envelopeFlags are what MAIL and RCPT say.
func envelopeFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "from", DefaultText: "you at this host", Usage: "reverse-path `ADDRESS`, <> for the null one"},
		&cli.StringSliceFlag{Name: "to", Usage: "recipient `ADDRESS`; repeated, or several divided by commas"},
		&cli.StringFlag{Name: "notify", Usage: "notify the sender of `WHAT` (RFC 3461): never, or success, failure and delay divided by commas"},
		&cli.StringFlag{Name: "ret", Usage: "with how much of the message: `WHAT` is full or hdrs"},
		&cli.StringFlag{Name: "envid", Usage: "and with this `ID`"},
		&cli.StringSliceFlag{Name: "orcpt", Usage: "and of the recipient as `TYPE;ADDRESS`, as in rfc822;ann@example.org; repeated, one for each recipient"},
		&cli.Int64Flag{Name: "size", DefaultText: "that of the message", Usage: "announce so many `OCTETS`"},
		&cli.BoolFlag{Name: "prdr", Usage: "ask for a reply for each recipient, where the server offers PRDR", DisableDefaultText: true},
		&cli.BoolFlag{Name: "chunking", Usage: "send the content with BDAT, where the server offers CHUNKING", DisableDefaultText: true},
		&cli.BoolFlag{Name: "utf8", Usage: "ask for SMTPUTF8 in any case", DisableDefaultText: true},
	}
}

// sendEnvelope reads the flags. SMTPUTF8 is asked for if an address needs it (RFC 6531 §3.4).
func sendEnvelope(c *cli.Context) (client.Message, error) {
	m := client.Message{EnvID: c.String("envid"), Size: c.Int64("size"), PRDR: c.Bool("prdr"), Chunking: c.Bool("chunking")}
	if c.Bool("utf8") {
		m.UTF8 = smtp.UTF8
	}
	if m.Size < 0 {
		return m, usage(c, "--size %d: less than nothing", m.Size)
	}
	from := c.String("from")
	if !c.IsSet("from") {
		from = callersAddress()
	}
	if from != "" && from != "<>" {
		path, err := parseSendAddress(from, &m)
		if err != nil {
			return m, cli.Exit(fmt.Errorf("--from %q: %w", from, err), exDataErr)
		}
		m.From = path
	}
	for _, list := range c.StringSlice("to") {
		for _, to := range splitAddresses(list) {
			path, err := parseSendAddress(to, &m)
			if err != nil {
				return m, cli.Exit(fmt.Errorf("--to %q: %w", to, err), exDataErr)
			}
			m.Recipients = append(m.Recipients, smtp.Recipient{To: path})
		}
	}
	return m, readNotification(c, &m)
}

// readNotification reads the flags of DSN (RFC 3461 §4).
func readNotification(c *cli.Context, m *client.Message) (err error) {
	if _, err := smtp.ParseEnvID(string(smtp.AppendXtext(nil, m.EnvID))); err != nil {
		return usage(c, "--envid %q: %s", m.EnvID, err)
	}
	if c.IsSet("ret") {
		if m.Ret, err = smtp.ParseRet(c.String("ret")); err != nil {
			return usage(c, "--ret %q: full or hdrs", c.String("ret"))
		}
	}
	var notify smtp.Notify
	if c.IsSet("notify") {
		if notify, err = smtp.ParseNotify(c.String("notify")); err != nil {
			return usage(c, "--notify %q: never, or success, failure and delay divided by commas", c.String("notify"))
		}
	}
	originals := c.StringSlice("orcpt")
	if n := len(originals); n > 0 && n != len(m.Recipients) {
		return usage(c, "--orcpt %d times for %d recipients", n, len(m.Recipients))
	}
	for i := range m.Recipients {
		m.Recipients[i].Notify = notify
		if len(originals) == 0 {
			continue
		}
		if m.Recipients[i].Original, err = parseOriginal(originals[i]); err != nil {
			return usage(c, "--orcpt %q: not TYPE;ADDRESS", originals[i])
		}
	}
	return nil
}

// parseOriginal reads TYPE;ADDRESS as people write it: without the encoding of the wire.
func parseOriginal(text string) (smtp.OriginalRecipient, error) {
	kind, address, _ := strings.Cut(text, ";")
	o, err := smtp.ParseOriginalRecipient(kind + ";" + string(smtp.AppendXtext(nil, "x")))
	if err != nil || address == "" {
		return o, smtp.ErrBadParameter
	}
	o.Address = address
	return o, nil
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
