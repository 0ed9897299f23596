package passdb

import (
	"context"
	"errors"
	"fmt"

	"lmtpd/auth"
	"lmtpd/auth/password"
)

// Key returns what the account of a name keeps for "CRAM-MD5", "SCRAM-SHA-1" or "SCRAM-SHA-256", or what is made up for one
// that keeps nothing for it. A key that is malformed could not be told, and is logged once.
func (db *DB) Key(ctx context.Context, name, mechanism string) (auth.Key, error) {
	s, err := db.find(ctx, name)
	if err != nil {
		return auth.Key{}, err
	}
	var k auth.Key
	switch mechanism {
	case "CRAM-MD5":
		k, err = db.cram(s)
	case "SCRAM-SHA-1", "SCRAM-SHA-256":
		k, err = db.scram(ctx, s, mechanism)
	default:
		return auth.Key{}, fmt.Errorf("%q has no keys", mechanism)
	}
	if err != nil {
		return auth.Key{}, fmt.Errorf("key of %q for %s: %w", s.address, mechanism, err)
	}
	return k, nil
}

// keeps says whether what the account has stored counts.
func (s subject) keeps() bool { return s.bar == nil && s.block.Passwords == nil }

func (db *DB) cram(s subject) (auth.Key, error) {
	err := password.ErrNoKey
	if s.keeps() {
		var k auth.Key
		if k, err = cramKey(s.account.Password); err == nil {
			k.Account = s.address
			return k, nil
		}
	}
	if !errors.Is(err, password.ErrNoKey) {
		db.report(s, err)
		return auth.Key{}, err
	}
	return s.block.decoys.cram(s.decoy)
}

func cramKey(stored string) (auth.Key, error) {
	outer, inner, err := password.CRAMKey(stored)
	return auth.Key{Outer: outer, Inner: inner}, err
}

func (db *DB) scram(ctx context.Context, s subject, mechanism string) (auth.Key, error) {
	err := password.ErrNoKey
	if s.keeps() {
		var k password.SCRAM
		if k, err = password.SCRAMKey(mechanism, s.account.Password); err == nil {
			return scramKey(s.address, k), nil
		}
		var plain string
		if errors.Is(err, password.ErrNoKey) {
			plain, err = password.Plain(s.account.Password)
		}
		if err == nil {
			return db.derived(ctx, s, mechanism, plain)
		}
	}
	if !errors.Is(err, password.ErrNoKey) {
		db.report(s, err)
		return auth.Key{}, err
	}
	s.address = "" // from here on it is nobody's
	if f := s.block.decoys.form(s.decoy, mechanism); !f.derived {
		return s.block.decoys.scram(s.decoy, mechanism, f), nil
	}
	return db.derived(ctx, s, mechanism, s.block.decoys.password(s.decoy))
}

// derived is a key that is derived from a password, which is work.
func (db *DB) derived(ctx context.Context, s subject, mechanism, plain string) (auth.Key, error) {
	if err := db.slots.take(ctx); err != nil {
		return auth.Key{}, err
	}
	defer db.slots.give()
	f := derivedForm()
	k, err := db.derive(mechanism, plain, s.block.decoys.salt(s.decoy, mechanism, f.salt), f.rounds)
	return scramKey(s.address, k), err
}

func scramKey(account string, k password.SCRAM) auth.Key {
	return auth.Key{Account: account, Salt: k.Salt, Rounds: k.Rounds, Stored: k.Stored, ServerKey: k.Server}
}
