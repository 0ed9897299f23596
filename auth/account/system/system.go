// Package system looks accounts up among the users of the host, for "system".
//
// It asks what getpwnam(3) and getgrouplist(3) ask: the Name Service Switch, and so /etc/passwd, LDAP, SSSD or whatever
// nsswitch.conf(5) names. A recipient's local-part, letters A to Z in lower case, is the name of the user; the domain is
// that of the block of mailboxes, and says nothing about him. Everybody there is found, root and the users of services
// too: who is to have no mail needs an alias or a domain elsewhere.
//
// A module of the switch may take long, or never answer. A lookup is given up when its context ends, or after ten
// seconds, and that is doubt and no answer. What hangs is left alone, at most so many at a time.
//
// Nothing is remembered from one lookup to the next, so a new user has mail at once. nscd(8) and SSSD remember.
//
// What the switch does not say is that there is nobody: missing files and sockets are doubt, and so is whatever else a
// module could not do. Package host tells the two apart, and has the QUIRKs of that: of several services it is the last
// one's failure that shows.
package system

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"lmtpd/auth/account"
	"lmtpd/auth/account/host"
)

const (
	maxLookups = 32               // at once, those that hang included
	patience   = 10 * time.Second // with one lookup
	maxName    = 255              // octets; LOGIN_NAME_MAX of Linux, the largest there is
)

// A Source looks users up.
type Source struct {
	slots chan struct{} // one is taken by each lookup
	find  func(name string) (account.Account, error)
}

// New returns a Source.
func New() *Source {
	return &Source{slots: make(chan struct{}, maxLookups), find: findUser}
}

// Lookup returns the account of a user, by address or name.
func (s *Source) Lookup(ctx context.Context, name string) (account.Account, error) {
	name = account.Fold(name)
	if local, isAddress := account.LocalPart(name); isAddress {
		name = local
	}
	if !isUser(name) {
		return account.Account{}, account.ErrNotFound
	}
	a, err := s.ask(ctx, name)
	if err != nil && !errors.Is(err, account.ErrNotFound) {
		return account.Account{}, fmt.Errorf("look up user %s: %w", name, err)
	}
	return a, err
}

// ask finds a user in a goroutine of its own, which may outlive the question.
func (s *Source) ask(ctx context.Context, name string) (account.Account, error) {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return account.Account{}, fmt.Errorf("as many lookups as may be hang: %w", ctx.Err())
	}
	type answer struct {
		account.Account
		err error
	}
	answered := make(chan answer, 1)
	go func() {
		defer func() { <-s.slots }()
		a, err := s.find(name)
		answered <- answer{a, err}
	}()
	select {
	case got := <-answered:
		return got.Account, got.err
	case <-ctx.Done():
		return account.Account{}, ctx.Err()
	}
}

// isUser says whether a user may be called so. It keeps out what the files of the switch have a meaning for (a colon,
// and + and - at the beginning, as NIS had them), what is a path, and what only quotes or tricks bring into an
// address. Digits alone are a name in some directories, and are asked for as a name.
func isUser(name string) bool {
	switch {
	case name == "" || len(name) > maxName || !utf8.ValidString(name):
		return false
	case name[0] == '-' || name[0] == '+' || name[0] == '~' || strings.Trim(name, ".") == "":
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || strings.ContainsRune(`/:,@"`, r)
	})
}

// findUser asks the host.
func findUser(name string) (account.Account, error) {
	u, err := host.LookupUser(name)
	switch {
	case errors.Is(err, host.ErrUnknown):
		return account.Account{}, account.ErrNotFound
	case err != nil:
		return account.Account{}, err
	}
	groups, err := u.Groups()
	if err != nil {
		return account.Account{}, fmt.Errorf("his groups: %w", err)
	}
	return account.Account{Name: account.Fold(u.Name), UID: u.UID, GID: u.GID, Groups: groups, Home: u.Home}, nil
}
