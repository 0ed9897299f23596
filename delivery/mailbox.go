package delivery

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"lmtpd/auth/account"
	"lmtpd/store"
)

// MailboxOf says where the mail of an account is and on what terms. What the account does not limit itself, quota does.
// An error says that the account tells a place or an owner that cannot be used: nobody's mail is to bounce for that.
func MailboxOf(acct account.Account, name string, quota store.Quota) (store.Mailbox, error) {
	m := store.Mailbox{Name: name, Home: acct.Home, Quota: quota}
	if acct.Quota.Octets != 0 {
		m.Quota.Octets = max(acct.Quota.Octets, 0) // account.Unlimited is less
	}
	if acct.Quota.Messages != 0 {
		m.Quota.Messages = max(acct.Quota.Messages, 0)
	}
	switch {
	case acct.UID >= 0 && acct.GID < 0:
		return m, fmt.Errorf("account %s has a uid and no gid", acct.Name)
	case acct.UID < 0 && acct.GID >= 0:
		return m, fmt.Errorf("account %s has a gid and no uid", acct.Name)
	case acct.UID >= 0:
		m.Owner = &store.Owner{UID: acct.UID, GID: acct.GID, Groups: acct.Groups}
	}
	var err error
	if acct.Mail != "" {
		if m.Path, err = mailPath(acct, name); err != nil {
			return m, fmt.Errorf("account %s: mail %q: %w", acct.Name, acct.Mail, err)
		}
	}
	return m, nil
}

// mailPath reads an account's place of mail, as Dovecot writes it: maildir:PATH, which may begin with ~/ or %h/ for the
// home and name the address with %u, %n and %d. The options behind it are for Dovecot's indexes; others say that
// the maildir is laid out in a way we do not keep.
func mailPath(acct account.Account, name string) (string, error) {
	path, ok := strings.CutPrefix(acct.Mail, "maildir:")
	if !ok {
		return "", errors.New("only maildir:PATH can be used")
	}
	path, options, _ := strings.Cut(path, ":")
	for o := range strings.SplitSeq(options, ":") {
		if key, _, _ := strings.Cut(o, "="); key != "" && key != "INDEX" && key != "INDEXPVT" && key != "VOLATILEDIR" {
			return "", fmt.Errorf("option %s cannot be used", key)
		}
	}
	home := ""
	if rest, ok := cutHome(path); ok {
		if home, path = acct.Home, rest; home == "" {
			return "", errors.New("the account has no home")
		}
	}
	if !strings.HasPrefix(path, "/") {
		return "", errors.New("not an absolute path")
	}
	if slices.Contains(strings.Split(path, "/"), "..") {
		return "", errors.New("a .. in it")
	}
	if strings.Contains(path, "%") {
		t, err := store.ParseTemplate(path)
		if err != nil {
			return "", err
		}
		at, err := t.Locate(store.Mailbox{Name: name})
		if err != nil { // that the name can be no path does not say that there is no such account
			return "", errors.New(err.Error())
		}
		path = at.Path()
	}
	return filepath.Join(home, path), nil
}

// cutHome takes ~ or %h from the front of a path.
func cutHome(path string) (rest string, ok bool) {
	for _, home := range []string{"~", "%h"} {
		if rest, ok = strings.CutPrefix(path, home); ok && (rest == "" || rest[0] == '/') {
			return "/" + strings.TrimPrefix(rest, "/"), true
		}
	}
	return path, false
}
