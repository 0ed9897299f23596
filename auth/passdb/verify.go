package passdb

import (
	"context"
	"errors"
	"fmt"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// Verify returns the account of a name, if that is its password and it may log in. What is stored may be of an unknown scheme
// or malformed: that could not be told, and is logged once.
func (db *DB) Verify(ctx context.Context, name, pw string) (string, error) {
	s, err := db.find(ctx, name)
	if err != nil {
		return "", err
	}
	if s.block.Passwords != nil {
		err = s.block.Passwords.Verify(ctx, s.user(), pw)
	} else {
		err = db.compare(ctx, s, pw)
	}
	switch {
	case err != nil && !errors.Is(err, auth.ErrCredentials): // of a name without an account, too: the work could not be done
		return "", fmt.Errorf("verify the password of %q: %w", s.address, err)
	case s.bar != nil:
		return "", s.bar
	case err != nil:
		return "", err
	}
	return s.address, nil
}

// user is the name by which a Verifier knows a subject.
func (s subject) user() string {
	if s.account.Name != "" {
		return s.account.Name
	}
	local, _ := account.LocalPart(s.address)
	return local
}

// compare compares a password with what is stored, or with what is as much work where nothing is that counts.
func (db *DB) compare(ctx context.Context, s subject, pw string) error {
	stored, none := s.account.Password, error(nil)
	if password.Locked(stored) {
		stored, none = s.block.decoys.stored(s.decoy), errNone
	}
	proof := db.recent.proof(s.address, pw, stored)
	if none == nil && db.recent.has(proof) {
		return nil
	}
	if err := db.slots.take(ctx); err != nil {
		return err
	}
	defer db.slots.give()
	err := db.verify(stored, pw)
	switch {
	case errors.Is(err, password.ErrMismatch):
		return errWrong
	case err != nil:
		if none == nil {
			db.report(s, err)
		}
		return err
	case none != nil: // somebody else's password
		return none
	}
	if cost, err := password.CostOf(stored); err == nil && cost.Work != "" {
		db.recent.add(proof)
	}
	return nil
}

// report logs, once for an account and what it has stored, that nobody can log in with it.
func (db *DB) report(s subject, cause error) {
	if db.told.add(db.recent.proof(s.address, "", s.account.Password)) {
		db.log.Warn("what is stored of a password cannot be used", "account", s.address,
			"scheme", password.Scheme(s.account.Password), "cause", cause)
	}
}
