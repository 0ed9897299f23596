// Package passdb is auth.Accounts for accounts that keep their own passwords: those of package account, with hashes of
// package password.
//
// A login name is an address; a name without a domain is at home in the default one. Whoever the account belongs to is named
// by that address, whether the source has the account with its domain or without.
//
// Nothing here tells a stranger which names have an account. A name that has none, one that may not log in and a wrong
// password are one error and take the same work: where there is no hash to compare with, one is taken that costs what those of
// real accounts cost, and where they differ, always the same for one name. Keys for CRAM-MD5 and SCRAM (RFC 5802 §9 says what
// a made-up salt has to do) are made up as real accounts have them: of the same rounds and length of salt, always the same for
// one name, after a restart too if the caller keeps the secret.
//
// Hashes are computed a few at once, and whoever waits too long for that is told that it could not be told (ErrBusy). A
// password that was right is remembered for a minute, as a digest under a key of this process, for clients come back with every
// message; a changed password, or an account that is gone or disabled, counts at once all the same.
//
// Keys that are derived from a password that is stored as it is are not remembered. It takes a millisecond, less than
// comparing a password with a hash does; the same goes for made-up ones, and a key that came quicker because somebody has just
// logged in would tell that there is somebody.
//
// What it does not do: no SASLprep (RFC 4013), as package password does none; it makes nobody a new hash; and it stands against
// no guessing, which is for its callers.
package passdb

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"strings"
	"sync"
	"time"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// Defaults of Config.
const (
	defaultWait     = 10 * time.Second
	defaultRemember = time.Minute
)

// Config is what a DB needs.
type Config struct {
	Blocks []Block // a domain belongs to one of them
	Domain string  // of names that have none; "": the first of the first block

	// Fold makes of an address the one by which accounts are looked up. nil: letters A to Z in lower case.
	Fold func(address string) string

	// Secret makes what is made up unpredictable. 32 octets or more that outlive the process; nil: of this process alone.
	Secret []byte

	Max      int           // computations at once; 0: as many as there are processors for Go
	Wait     time.Duration // for one of them to be over; 0: 10 s
	Remember time.Duration // how long a password that was right is remembered; 0: a minute, negative: not at all
	Now      func() time.Time
	Log      *slog.Logger
}

// A Block is a set of domains whose accounts are looked up in one place.
type Block struct {
	Domains  []string
	Accounts account.Source // nil: every name has an account, and none a password

	// Known are the accounts that can be listed, for what is made up to be like them from the beginning. It is like those that
	// are asked for later, too.
	Known []account.Account

	// Passwords is where passwords are verified, if not with what accounts have stored, which then counts for nothing.
	Passwords Verifier
}

// A Verifier verifies the passwords of accounts that are kept elsewhere. Its methods may be called from many goroutines.
type Verifier interface {
	// Verify says whether that is the password of the account of a name, and it may log in: nil. An error wraps
	// auth.ErrCredentials, or says that it could not be told. It is asked for names that no account has, too, and takes as long.
	Verify(ctx context.Context, name, password string) error
}

// A block is a Block, and what is made up for the names in it that have no account.
type block struct {
	Block
	decoys *decoys
}

// A DB is auth.Accounts.
type DB struct {
	domain    string
	blocks    map[string]*block // by domain
	strangers *block            // what names of other domains are compared with
	fold      func(string) string
	slots     slots
	recent    *recent
	log       *slog.Logger
	told      *told

	// verify is password.Verify, and derive password.DeriveSCRAM.
	verify func(stored, password string) error
	derive func(mechanism, password string, salt []byte, rounds int) (password.SCRAM, error)
}

var _ auth.Accounts = (*DB)(nil)

// New returns a DB. It takes as long as it takes to make a hash, unless accounts are known.
func New(cfg Config) (*DB, error) {
	if len(cfg.Blocks) == 0 || len(cfg.Blocks[0].Domains) == 0 {
		return nil, errors.New("no accounts are there to log in with")
	}
	if cfg.Secret == nil {
		cfg.Secret = randomKey()
	}
	cfg.defaults()
	db := &DB{
		domain: cfg.Domain,
		blocks: map[string]*block{},
		fold:   cfg.Fold,
		slots:  slots{taken: make(chan struct{}, cfg.Max), wait: cfg.Wait},
		recent: newRecent(cfg.Remember, cfg.Now),
		log:    cfg.Log,
		told:   newTold(),
		verify: password.Verify,
		derive: password.DeriveSCRAM,
	}
	first := sync.OnceValues(firstStored)
	for _, b := range cfg.Blocks {
		if err := db.add(b, cfg.Secret, first); err != nil {
			return nil, err
		}
	}
	return db, nil
}

// add adds a block. What is compared with a password while none of its accounts has been seen is in first.
func (db *DB) add(cfg Block, secret []byte, first func() (string, error)) (err error) {
	b := &block{cfg, newDecoys(digest(secret, cfg.Domains...))}
	if b.Accounts == nil {
		b.Accounts = account.Any{}
	}
	for _, a := range b.Known {
		b.decoys.learn(a)
	}
	b.Known = nil
	if len(b.decoys.costs) == 0 {
		if b.decoys.first, err = first(); err != nil {
			return err
		}
	}
	for _, domain := range b.Domains {
		address := db.fold("x@" + domain)
		db.blocks[address[strings.LastIndexByte(address, '@')+1:]] = b
	}
	if db.strangers == nil {
		db.strangers = &block{decoys: b.decoys} // whose passwords nobody else is asked about
	}
	return nil
}

// firstStored is what is stored of a password that nobody knows, by default.
func firstStored() (string, error) {
	stored, err := password.Hash(password.Default, hex.EncodeToString(randomKey()))
	if err != nil {
		return "", fmt.Errorf("make a hash for names without an account: %w", err)
	}
	return stored, nil
}

func (c *Config) defaults() {
	if c.Domain == "" {
		c.Domain = c.Blocks[0].Domains[0]
	}
	if c.Fold == nil {
		c.Fold = account.Fold
	}
	if c.Max == 0 {
		c.Max = runtime.GOMAXPROCS(0)
	}
	if c.Wait == 0 {
		c.Wait = defaultWait
	}
	if c.Remember == 0 {
		c.Remember = defaultRemember
	}
}

func randomKey() []byte {
	key := make([]byte, 32)
	rand.Read(key) // never fails
	return key
}
