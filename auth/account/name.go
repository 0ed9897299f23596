package account

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"unicode"

	"lmtpd/auth/account/textfile"
)

// LocalPart returns the local-part of a name that is an address, by which sources find accounts without a domain. A
// local-part may have an @ in quotes (RFC 5321 §4.1.2): it is nobody's address because of that.
func LocalPart(name string) (local string, isAddress bool) {
	at := strings.LastIndexByte(name, '@')
	if at < 0 || strings.IndexByte(name, '@') != at {
		return "", false
	}
	return name[:at], true
}

// Check says what is impossible about an account, whatever source it is from: its name, octets that a line of text
// cannot have, an id that is nobody's, a negative quota.
func (a Account) Check() error {
	if err := checkName(a.Name); err != nil {
		return err
	}
	for _, text := range [...]string{a.Name, a.Password, a.Home, a.Mail} {
		if err := textfile.CheckLine(text, ""); err != nil {
			return err
		}
	}
	for _, id := range [...]int{a.UID, a.GID} {
		if id != -1 && !possibleID(id) {
			return fmt.Errorf("uid or gid %d %w", id, errID)
		}
	}
	if a.Quota.Octets < Unlimited || a.Quota.Messages < Unlimited {
		return errors.New("quota is negative")
	}
	return nil
}

// WithoutPlace is the account for a store that keeps mailboxes under their names alone: where its mail would be, and whose,
// means nothing there.
func (a Account) WithoutPlace() Account {
	a.UID, a.GID, a.Groups, a.Home, a.Mail = -1, -1, nil, "", ""
	return a
}

func (a Account) equal(b Account) bool { return reflect.DeepEqual(a, b) }

// checkName says what a name may not be. A blank, at its beginning above all, is most often a comment or a
// continuation that the format does not have. What is behind it is not told: it may be a password.
func checkName(name string) error {
	if name == "" {
		return errors.New("no name before the first colon")
	}
	if before, _, blank := strings.Cut(name, " "); blank {
		return fmt.Errorf("blank in name, behind %q", before)
	}
	if before, _, colon := strings.Cut(name, ":"); colon {
		return fmt.Errorf("colon in name, behind %q", before)
	}
	for _, r := range name {
		if !unicode.IsGraphic(r) {
			return fmt.Errorf("invisible character in name %q", name)
		}
	}
	return nil
}
