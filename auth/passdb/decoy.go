package passdb

import (
	"bytes"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"iter"
	"maps"
	"strings"
	"sync"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// What keys have that are derived from a password: as many rounds as RFC 7677 §4 has at the least, for whoever gets at the
// accounts gets the password itself; and as much salt as Dovecot makes.
const (
	derivedRounds = 4096
	saltOctets    = 16
)

// What is learned from accounts is bounded: as many costs and as many forms, and salt so long.
const (
	maxLearned = 64
	maxSalt    = 256
)

// A decoy is the name that everything is made up from which an account lacks.
type decoy string

// A form is what a client sees of a key for SCRAM, and the work that it is to have one.
type form struct {
	rounds, salt int
	derived      bool // from a password that is stored as it is
}

// decoys make up what names without an account have, as it is with the accounts that have been seen.
type decoys struct {
	secret []byte
	first  string // stored, while no account has been seen

	mu    sync.RWMutex
	costs map[password.Cost]string // what an account has stored that costs so much
	forms map[string]map[form]bool // by mechanism
	homes map[bool]bool            // whether accounts have a domain in their names
}

func newDecoys(secret []byte) *decoys {
	return &decoys{
		secret: secret,
		costs:  map[password.Cost]string{},
		forms:  map[string]map[form]bool{"SCRAM-SHA-1": {}, "SCRAM-SHA-256": {}},
		homes:  map[bool]bool{},
	}
}

// learn takes notice of what an account that is there looks like from outside.
func (d *decoys) learn(a account.Account) {
	cost, err := password.CostOf(a.Password)
	forms := formsOf(a.Password)
	d.mu.RLock()
	known := d.homes[hasDomain(a.Name)] && (err != nil || d.costs[cost] != "")
	for mechanism, f := range forms {
		known = known && d.forms[mechanism][f]
	}
	d.mu.RUnlock()
	if known {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.homes[hasDomain(a.Name)] = true
	if err == nil && len(d.costs) < maxLearned {
		d.costs[cost] = a.Password
	}
	for mechanism, f := range forms {
		if len(d.forms[mechanism]) < maxLearned {
			d.forms[mechanism][f] = true
		}
	}
}

// formsOf returns the forms of the keys that are stored, by mechanism.
func formsOf(stored string) map[string]form {
	switch scheme := password.Scheme(stored); scheme {
	case "SCRAM-SHA-1", "SCRAM-SHA-256":
		if k, err := password.SCRAMKey(scheme, stored); err == nil && len(k.Salt) <= maxSalt {
			return map[string]form{scheme: {rounds: k.Rounds, salt: len(k.Salt)}}
		}
	default:
		if _, err := password.Plain(stored); err == nil {
			return map[string]form{"SCRAM-SHA-1": derivedForm(), "SCRAM-SHA-256": derivedForm()}
		}
	}
	return nil
}

func derivedForm() form { return form{derivedRounds, saltOctets, true} }

func hasDomain(name string) bool { return strings.Contains(name, "@") }

// of is the decoy of an address that no account has. An account without a domain is the same one in every domain, with the same
// salt: if there are such accounts, some of the others are to look like them.
func (d *decoys) of(address string) decoy {
	local, isAddress := account.LocalPart(address)
	if !isAddress {
		return decoy(address)
	}
	d.mu.RLock()
	defer d.mu.RUnlock()
	if whole, ok := choose(d.secret, local, maps.Keys(d.homes)); ok && !whole {
		return decoy(local)
	}
	return decoy(address)
}

// stored is what is compared with a password in place of what is not there.
func (d *decoys) stored(of decoy) string {
	d.mu.RLock()
	defer d.mu.RUnlock()
	cost, ok := choose(d.secret, string(of), maps.Keys(d.costs))
	if !ok {
		return d.first
	}
	return d.costs[cost]
}

// form is that of a key for SCRAM. While no account has been seen that has one, it is as if their passwords were stored.
func (d *decoys) form(of decoy, mechanism string) form {
	d.mu.RLock()
	defer d.mu.RUnlock()
	f, ok := choose(d.secret, string(of), maps.Keys(d.forms[mechanism]))
	if !ok {
		return derivedForm()
	}
	return f
}

// cram is a key for CRAM-MD5.
func (d *decoys) cram(of decoy) (auth.Key, error) {
	return cramKey("{PLAIN}" + d.password(of))
}

// scram is a key for SCRAM that is stored.
func (d *decoys) scram(of decoy, mechanism string, f form) auth.Key {
	size := sha256.Size
	if mechanism == "SCRAM-SHA-1" {
		size = 20
	}
	return auth.Key{
		Salt:      d.salt(of, mechanism, f.salt),
		Rounds:    f.rounds,
		Stored:    d.octets(size, "stored", mechanism, string(of)),
		ServerKey: d.octets(size, "server", mechanism, string(of)),
	}
}

// password is one that nobody knows.
func (d *decoys) password(of decoy) string {
	return hex.EncodeToString(d.octets(sha256.Size, "password", string(of)))
}

// salt is always the same for a name, whether it has an account or not.
func (d *decoys) salt(of decoy, mechanism string, octets int) []byte {
	return d.octets(octets, "salt", mechanism, string(of))
}

// octets are as many as are asked for, and look like chance without the secret.
func (d *decoys) octets(n int, about ...string) []byte {
	octets, err := hkdf.Expand(sha256.New, digest(d.secret, about...), "lmtpd passdb", n)
	if err != nil {
		panic(err) // more than 8160 octets; maxSalt is below
	}
	return octets
}

// choose returns one of what there is, for a name always the same one as long as it is there: what is added takes the place of
// the others for its share of names, and leaves those of the rest alone.
func choose[K comparable](secret []byte, name string, among iter.Seq[K]) (chosen K, ok bool) {
	var most []byte
	for k := range among {
		if lot := digest(secret, "choose", name, fmt.Sprint(k)); bytes.Compare(lot, most) > 0 {
			chosen, most = k, lot
		}
	}
	return chosen, most != nil
}
