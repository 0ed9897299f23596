package passdb

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"lmtpd/auth"
	"lmtpd/auth/account"
)

// Why somebody does not log in. The client hears the same of all of them.
var (
	errNobody   = fmt.Errorf("%w: no such account", auth.ErrCredentials)
	errDisabled = fmt.Errorf("%w: the account may not log in", auth.ErrCredentials)
	errWrong    = fmt.Errorf("%w: wrong password", auth.ErrCredentials)
	errNone     = fmt.Errorf("%w: the account has no password", auth.ErrCredentials)
)

// maxName is how many octets a login name has at most: an address (RFC 5321 §4.5.3.1), with some to spare.
const maxName = 320

// A subject is whom a login name stands for.
type subject struct {
	address string // by which it is known everywhere
	account account.Account
	block   *block // the first one, if it belongs to none
	decoy   decoy
	bar     error // why it does not log in, whatever it proves; nil: it may
}

// find finds out whom a name stands for. An error says that it could not be told.
func (db *DB) find(ctx context.Context, name string) (subject, error) {
	address, b := db.locate(name)
	if b == nil {
		return subject{address: address, block: db.strangers, decoy: db.strangers.decoys.of(address), bar: errNobody}, nil
	}
	s := subject{address: address, block: b}
	a, err := b.Accounts.Lookup(ctx, address)
	switch {
	case errors.Is(err, account.ErrNotFound):
		s.decoy, s.bar = b.decoys.of(address), errNobody
		return s, nil
	case err != nil:
		return subject{}, fmt.Errorf("look up the account of %q: %w", address, err)
	}
	b.decoys.learn(a)
	s.account, s.decoy = a, decoy(a.Name)
	if a.Disabled.Login {
		s.bar = errDisabled
	}
	return s, nil
}

// locate makes of a name the address by which its account is looked up. What can be no name, or is elsewhere, has no block.
func (db *DB) locate(name string) (address string, b *block) {
	if len(name) > maxName || !utf8.ValidString(name) {
		return name, nil
	}
	if !strings.Contains(name, "@") {
		name += "@" + db.domain
	}
	address = db.fold(name)
	local, isAddress := account.LocalPart(address)
	if !isAddress || local == "" {
		return address, nil
	}
	return address, db.blocks[address[len(local)+1:]]
}

// Named returns the account of a name that is proven otherwise.
func (db *DB) Named(ctx context.Context, name string) (string, error) {
	s, err := db.find(ctx, name)
	if err == nil {
		err = s.bar
	}
	if err != nil {
		return "", err
	}
	return s.address, nil
}
