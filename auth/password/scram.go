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

// A SCRAM is what RFC 5802 §3 has a server store.
type SCRAM struct {
	Salt           []byte
	Rounds         int
	Stored, Server []byte // StoredKey and ServerKey
}

// scram is Dovecot's "rounds,salt,StoredKey,ServerKey", all but the first in base64.
func scram(newHash func() hash.Hash) func(text, password string) (bool, error) {
	return func(text, password string) (bool, error) {
		k, err := parseSCRAM(text, newHash().Size())
		if err != nil {
			return false, err
		}
		got, err := deriveSCRAM(newHash, password, k)
		return same(got.Stored, k.Stored), err
	}
}

func parseSCRAM(text string, size int) (k SCRAM, err error) {
	parts := strings.Split(text, ",")
	if len(parts) != 4 {
		return k, errMalformed
	}
	if k.Rounds, err = parseRounds(parts[0]); err != nil {
		return k, err
	}
	for i, to := range []*[]byte{&k.Salt, &k.Stored, &k.Server} {
		if *to, err = base64.StdEncoding.DecodeString(parts[i+1]); err != nil {
			return k, errMalformed
		}
	}
	if len(k.Salt) == 0 || len(k.Stored) != size || len(k.Server) != size {
		return k, errMalformed
	}
	return k, nil
}

// deriveSCRAM computes the keys of a password for the salt and the rounds of k.
func deriveSCRAM(newHash func() hash.Hash, password string, k SCRAM) (SCRAM, error) {
	salted, err := pbkdf2.Key(newHash, password, k.Salt, k.Rounds, newHash().Size())
	if err != nil {
		return k, fmt.Errorf("derive SCRAM keys: %w", err)
	}
	sum := newHash()
	sum.Write(keyed(newHash, salted, "Client Key"))
	k.Stored = sum.Sum(nil)
	k.Server = keyed(newHash, salted, "Server Key")
	return k, nil
}

// text is the inverse of parseSCRAM. It is no String, for what prints a key is not to tell it.
func (k SCRAM) text() string {
	b64 := base64.StdEncoding.EncodeToString
	return strings.Join([]string{strconv.Itoa(k.Rounds), b64(k.Salt), b64(k.Stored), b64(k.Server)}, ",")
}

func keyed(newHash func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(newHash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}
