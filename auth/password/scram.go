package password

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"encoding/base64"
	"fmt"
	"hash"
	"strconv"
	"strings"
)

// A scramKey is what RFC 5802 §3 has a server store.
type scramKey struct {
	salt           []byte
	rounds         int
	stored, server []byte
}

// scram is Dovecot's "rounds,salt,StoredKey,ServerKey", all but the first in base64.
func scram(newHash func() hash.Hash) func(text, password string) (bool, error) {
	return func(text, password string) (bool, error) {
		k, err := parseSCRAM(text, newHash().Size())
		if err != nil {
			return false, err
		}
		got, err := deriveSCRAM(newHash, password, k)
		return same(got.stored, k.stored), err
	}
}

func parseSCRAM(text string, size int) (k scramKey, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return k, errMalformed
	}
	if k.rounds, err = parseRounds(parts[0]); err != nil {
		return k, err
	}
	for i, to := range []*[]byte{&k.salt, &k.stored, &k.server} {
		if *to, err = base64.StdEncoding.DecodeString(parts[i+1]); err != nil {
			return k, errMalformed
		}
	}
	if len(k.salt) == 0 || len(k.stored) != size || len(k.server) != size {
		return k, errMalformed
	}
	return k, nil
}

// deriveSCRAM computes the keys of a password for the salt and the rounds of k.
func deriveSCRAM(newHash func() hash.Hash, password string, k scramKey) (scramKey, error) {
	salted, err := pbkdf2.Key(newHash, password, k.salt, k.rounds, newHash().Size())
	if err != nil {
		return k, fmt.Errorf("derive SCRAM keys: %w", err)
	}
	sum := newHash()
	sum.Write(keyed(newHash, salted, "Client Key"))
	k.stored = sum.Sum(nil)
	k.server = keyed(newHash, salted, "Server Key")
	return k, nil
}

func (k scramKey) String() string {
	b64 := base64.StdEncoding.EncodeToString
	return strings.Join([]string{strconv.Itoa(k.rounds), b64(k.salt), b64(k.stored), b64(k.server)}, ",")
}

func keyed(newHash func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(newHash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
