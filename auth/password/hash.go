package password

import (
	"crypto/rand"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

// Default is the scheme for whom no other is asked for. Every Dovecot and every crypt(3) of today verifies it, and
// unlike ARGON2ID it takes no memory worth mentioning when many log in at once.
const Default = "SHA512-CRYPT"

// The work that a new hash demands, which is some 30 to 300 ms. The rounds of the first two are twenty times the
// default of crypt(3), which dates from 2007.
const (
	newRounds      = 100_000
	newCost        = 10 // of bcrypt
	newKiB         = 64 << 10
	newPasses      = 3 // as libsodium's "moderate", with that memory as its "interactive"
	newSCRAMRounds = 16_384
)

// maxBcrypt is what bcrypt takes of a password. What comes behind would not count, and so is refused.
const maxBcrypt = 72

// A maker makes the text of a scheme.
type maker struct {
	scheme string
	make   func(password string) (string, error)
}

// makers are the schemes for new passwords. The last three are for the mechanisms of their names, which cannot do with
// any other hash.
var makers = []maker{
	{"SHA512-CRYPT", makeSHA(shacrypt.VariantSHA512)},
	{"SHA256-CRYPT", makeSHA(shacrypt.VariantSHA256)},
	{"BLF-CRYPT", makeBcrypt},
	{"ARGON2ID", makeArgon2},
	{"SCRAM-SHA-256", makeSCRAM(sha256.New)},
	{"SCRAM-SHA-1", makeSCRAM(sha1.New)},
	{"CRAM-MD5", makeCRAM},
}

// Schemes are the names of those that Hash knows.
func Schemes() []string {
	names := make([]string, len(makers))
	for i, m := range makers {
		names[i] = m.scheme
	}
	return names
}

// Makes says whether Hash knows a scheme.
func Makes(scheme string) bool {
	return slices.ContainsFunc(makers, func(m maker) bool { return strings.EqualFold(m.scheme, scheme) })
}

// Hash makes what is to be stored of a password, "{SCHEME}text". The scheme is one of Schemes, in any case.
func Hash(scheme, password string) (string, error) {
	for _, m := range makers {
		if !strings.EqualFold(m.scheme, scheme) {
			continue
		}
		if err := check(password); err != nil {
			return "", err
		}
		text, err := m.make(password)
		if err != nil {
			return "", fmt.Errorf("hash a password with %s: %w", m.scheme, err)
		}
		return "{" + m.scheme + "}" + text, nil
	}
	return "", fmt.Errorf("no passwords are made with the scheme %q, but with %s", scheme, strings.Join(Schemes(), ", "))
}

func makeSHA(variant shacrypt.Variant) func(string) (string, error) {
	return func(password string) (string, error) {
		h, err := shacrypt.New(shacrypt.WithVariant(variant), shacrypt.WithIterations(newRounds))
		if err != nil {
			return "", err
		}
		return encode(h, password)
	}
}

func makeBcrypt(password string) (string, error) {
	if len(password) > maxBcrypt {
		return "", errors.New("it takes at most 72 octets of a password")
	}
	h, err := bcrypt.New(bcrypt.WithCost(newCost))
	if err != nil {
		return "", err
	}
	return encode(h, password)
}

func makeArgon2(password string) (string, error) {
	h, err := argon2.New(argon2.WithVariantID(), argon2.WithM(newKiB), argon2.WithT(newPasses), argon2.WithP(1))
	if err != nil {
		return "", err
	}
	return encode(h, password)
}

// encode makes a string of crypt(3).
func encode(h algorithm.Hash, password string) (string, error) {
	d, err := h.Hash(password)
	if err != nil {
		return "", err
	}
	return d.Encode(), nil
}

func makeSCRAM(newHash func() hash.Hash) func(string) (string, error) {
	return func(password string) (string, error) {
		k, err := deriveSCRAM(newHash, password, SCRAM{Salt: newSalt(), Rounds: newSCRAMRounds})
		return k.text(), err
	}
}

func makeCRAM(password string) (string, error) {
	states, err := cramStates(password)
	return hex.EncodeToString(states), err
}

func newSalt() []byte {
	salt := make([]byte, 16)
	rand.Read(salt) // never fails
	return salt
}
