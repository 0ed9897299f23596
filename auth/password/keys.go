package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// ErrNoKey says that in the way a password is stored there is nothing for a mechanism.
var ErrNoKey = errors.New("what is stored of the password has no key for the mechanism")

// keys are the schemes that store what a mechanism needs in place of a password.
var keys = map[string][]string{
	"CRAM-MD5":      {"CRAM-MD5", "HMAC-MD5"},
	"SCRAM-SHA-1":   {"SCRAM-SHA-1"},
	"SCRAM-SHA-256": {"SCRAM-SHA-256"},
}

// Permits says whether an account whose password is stored in a scheme can use a mechanism of those that prove a password:
// PLAIN and LOGIN with every scheme that is kept here, the others with those that store the password as it is, and with their
// own. The -PLUS of a mechanism makes no difference. Both names are in upper case.
func Permits(mechanism, scheme string) bool {
	if mechanism == "PLAIN" || mechanism == "LOGIN" {
		_, ok := schemes[scheme]
		return ok
	}
	own, ok := keys[strings.TrimSuffix(mechanism, "-PLUS")]
	return ok && (isPlain(scheme) || slices.Contains(own, scheme))
}

// isPlain says whether a scheme stores the password as it is.
func isPlain(scheme string) bool {
	return scheme == "PLAIN" || scheme == "CLEAR" || scheme == "CLEARTEXT"
}

// noKey is the error of what is stored in a way that has no key. Of an unknown scheme that could not be told.
func noKey(stored string) error {
	if Scheme(stored) != Unknown {
		return ErrNoKey
	}
	_, _, err := parse(stored)
	return err
}

// Plain returns a password that is stored as it is, and ErrNoKey if it is not so stored, or can be no password.
func Plain(stored string) (string, error) {
	if !isPlain(Scheme(stored)) {
		return "", noKey(stored)
	}
	_, text, err := parse(stored)
	if err != nil {
		return "", err
	}
	if check(text) != nil {
		return "", ErrNoKey
	}
	return text, nil
}

// CRAMKey returns what CRAM-MD5 needs (RFC 2195 §2): the states of MD5 after the outer and the inner pad of HMAC with the
// password as its key (RFC 2104 §4), as an MD5 unmarshals them. ErrNoKey says that what is stored has none; any other error is
// one of Verify's.
func CRAMKey(stored string) (outer, inner []byte, err error) {
	states, err := storedStates(stored)
	if err != nil {
		return nil, nil, err
	}
	return marshalState(states[:md5.Size]), marshalState(states[md5.Size:]), nil
}

func storedStates(stored string) ([]byte, error) {
	if slices.Contains(keys["CRAM-MD5"], Scheme(stored)) {
		_, text, err := parse(stored)
		return []byte(text), err
	}
	password, err := Plain(stored)
	if err != nil {
		return nil, err
	}
	return cramStates(password)
}

// SCRAMKey returns what is stored for a mechanism, SCRAM-SHA-1 or SCRAM-SHA-256, in the scheme of its name. ErrNoKey says that
// something else is stored: of what is Plain, DeriveSCRAM makes a key. Any other error is one of Verify's.
func SCRAMKey(mechanism, stored string) (SCRAM, error) {
	newHash, err := hashOf(mechanism)
	if err != nil {
		return SCRAM{}, err
	}
	if Scheme(stored) != mechanism {
		return SCRAM{}, noKey(stored)
	}
	_, text, err := parse(stored)
	if err != nil {
		return SCRAM{}, err
	}
	return parseSCRAM(text, newHash().Size())
}

// DeriveSCRAM makes the keys of a password for SCRAM-SHA-1 or SCRAM-SHA-256, which is the work of as many rounds.
func DeriveSCRAM(mechanism, password string, salt []byte, rounds int) (SCRAM, error) {
	newHash, err := hashOf(mechanism)
	if err != nil {
		return SCRAM{}, err
	}
	return deriveSCRAM(newHash, password, SCRAM{Salt: salt, Rounds: rounds})
}

func hashOf(mechanism string) (func() hash.Hash, error) {
	switch mechanism {
	case "SCRAM-SHA-1":
		return sha1.New, nil
	case "SCRAM-SHA-256":
		return sha256.New, nil
	}
	return nil, fmt.Errorf("%q is no mechanism of SCRAM that has keys here", mechanism)
}
