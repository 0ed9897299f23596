package account

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"lmtpd/auth/account/textfile"
)

// A lineParser makes accounts of lines and collects what is wrong with them.
type lineParser struct {
	ids    ids
	line   int // the line it is at
	file   string
	bad    Mistakes
	untold error // the first ErrUntold
}

// wrong notes a mistake in the line at hand.
func (p *lineParser) wrong(format string, args ...any) {
	p.bad = append(p.bad, Mistake{File: p.file, Line: p.line, What: fmt.Sprintf(format, args...)})
}

// isAccount says whether a line without its end is meant to be an account.
func isAccount(line string) bool {
	return line != "" && line[0] != '#' && strings.Trim(line, " \t") != ""
}

// parse makes an account of a line. What is wrong with it is noted, and the account then of no use.
func (p *lineParser) parse(line string) Account {
	a := Account{UID: -1, GID: -1}
	if err := textfile.CheckLine(line, ""); err != nil {
		p.wrong("%v", err)
		return a
	}
	f := splitFields(line)
	if err := checkName(f[fieldName]); err != nil {
		p.wrong("%v", err)
	}
	a.Name, a.Password, a.Home = Fold(f[fieldName]), f[fieldPassword], f[fieldHome]
	p.setID(&a.UID, "uid", f[fieldUID])
	p.setID(&a.GID, "gid", f[fieldGID])
	p.extra(&a, f)
	return a
}

// extra reads the extra fields, without making a list of them: there may be very many lines.
func (p *lineParser) extra(a *Account, f fields) {
	if mail, old := strings.CutPrefix(f[fieldExtra], ":"); old {
		a.Mail = mail
		return
	}
	for option := range strings.SplitSeq(f[fieldExtra], " ") {
		key, value, _ := strings.Cut(option, "=")
		p.option(a, key, value)
	}
}

// option takes one extra field.
func (p *lineParser) option(a *Account, key, value string) {
	var err error
	switch key {
	case "userdb_mail":
		a.Mail = value
	case "userdb_home":
		a.Home = value
	case "userdb_uid":
		p.setID(&a.UID, "userdb_uid", value)
	case "userdb_gid":
		p.setID(&a.GID, "userdb_gid", value)
	case "userdb_quota_storage_size":
		a.Quota.Octets, err = parseLimit(value, 1)
	case "userdb_quota_message_count":
		a.Quota.Messages, err = parseLimit(value, 1)
	case optionNoLogin:
		a.Disabled.Login = true
	case optionNoDelivery, "userdb_" + optionNoDelivery:
		a.Disabled.Delivery = true
	default:
		if isQuotaRule(key) {
			err = a.Quota.addRule(value)
		}
	}
	if err != nil {
		p.wrong("%s=%s: %v", key, value, err)
	}
}

// setID sets id unless text is empty. A mistake does not quote it: one colon too many, and it is a password.
func (p *lineParser) setID(id *int, field, text string) {
	if text == "" {
		return
	}
	n, err := p.ids.number(field, text)
	switch {
	case errors.Is(err, ErrUntold):
		p.untold = cmp.Or(p.untold, fmt.Errorf("%s:%d: %s: %w", p.file, p.line, field, err))
	case err != nil:
		p.wrong("%s %v", field, err)
	default:
		*id = n
	}
}
