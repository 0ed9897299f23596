// Package password makes and verifies the hashes of passwords as accounts store them: Dovecot's {SCHEME}text, so that
// one set of accounts serves both, and bare strings of crypt(3).
//
// Kept are the schemes PLAIN, CLEAR and CLEARTEXT; MD5, PLAIN-MD5 and LDAP-MD5; SHA, SHA1, SHA256, SHA512, and with a
// salt SMD5, SSHA, SSHA256, SSHA512 (RFC 2307 §5.3 has the oldest of them); PBKDF2; CRAM-MD5 and HMAC-MD5, the states
// that RFC 2104 §4 lets a server keep; SCRAM-SHA-1 and SCRAM-SHA-256 (RFC 5802 §3); and CRYPT, MD5-CRYPT, SHA256-CRYPT,
// SHA512-CRYPT, BLF-CRYPT, ARGON2I and ARGON2ID, each of which takes any form of crypt(3) that is known here: $1$, $5$,
// $6$, $2a$, $2b$, $2y$, $y$ (yescrypt), $argon2i$ and $argon2id$. A suffix .HEX, .B64 or .BASE64 says how the text is
// encoded. Names of schemes are of any case. What has no scheme is CRYPT, as in Dovecot's passwd-files.
//
// What is not kept: DES-CRYPT and the other old forms of crypt(3); DIGEST-MD5, which is bound to a user's name; the MD4 of
// PLAIN-MD4 and NTLM; one-time passwords.
//
// A password has 1 to 511 octets, none of them NUL, which is all that crypt(3) takes. It is taken as it is: SASLprep
// (RFC 4013) is not applied, and Dovecot does not apply it either.
//
// A hash is meant to be costly: some take 64 MiB of memory and a quarter of a second. But a stranger has it computed, so
// one that takes more than about a second is not, and so cannot be verified: more than 700,000 rounds of $5$ and $6$, and
// fewer of a password of more than 128 octets; more than 1,500,000 of PBKDF2 and SCRAM; a cost of bcrypt above 14; more than
// 256 MiB of argon2 or yescrypt, and of argon2, memory times passes, more than 768 MiB. How many are computed at once is for
// the caller to bound, and so is the time that an account that is not there takes: CostOf tells what takes the same time.
//
// Some mechanisms of SASL need more than a password to compare: a key, which CRAMKey and SCRAMKey read from what is stored
// and DeriveSCRAM makes. Permits says which mechanism goes with which scheme.
package password

import (
	"errors"
	"strings"
)

// ErrMismatch says that the password is not the one that was hashed. Any other error of Verify says that it could not
// be told.
var ErrMismatch = errors.New("wrong password")

// errPassword says what cannot be a password.
var errPassword = errors.New("a password has 1 to 511 octets, and no NUL among them")

// maxPassword is what crypt(3) of libxcrypt takes, CRYPT_MAX_PASSPHRASE_SIZE without the NUL. The work for a hash
// grows with the length of the password, which a stranger chooses, so a limit there must be.
const maxPassword = 511

// Verify compares a password with what is stored of it. The error is nil, ErrMismatch, or says why it cannot be told:
// an unknown scheme, a malformed hash, a hash that demands too much work. No error has the stored hash in it.
func Verify(stored, password string) error {
	if check(password) != nil || Locked(stored) {
		return ErrMismatch
	}
	s, text, err := parse(stored)
	if err != nil {
		return err
	}
	ok, err := s.match(text, password)
	if err != nil {
		return err
	}
	if !ok {
		return ErrMismatch
	}
	return nil
}

// Locked says whether something is stored that no password can match: nothing, or as in shadow(5) what begins with an
// asterisk or an exclamation mark.
func Locked(stored string) bool {
	text := stored
	if name, rest, ok := cutScheme(stored); ok && strings.EqualFold(name, "CRYPT") {
		text = rest
	}
	return text == "" || text[0] == '*' || text[0] == '!'
}

func check(password string) error {
	if password == "" || len(password) > maxPassword || strings.IndexByte(password, 0) >= 0 {
		return errPassword
	}
	return nil
}
