package password

import (
	"crypto/md5"
	"crypto/subtle"
	"hash"
	"strings"
)

// plain is a password that is stored as it is.
func plain(text, password string) (bool, error) { return same([]byte(text), []byte(password)), nil }

// same compares without telling by its time where the two differ.
func same(a, b []byte) bool { return subtle.ConstantTimeCompare(a, b) == 1 }

// digest is the hash of a password and, behind the hash, the salt, if there is one.
func digest(newHash func() hash.Hash) func(text, password string) (bool, error) {
	return func(text, password string) (bool, error) {
		h := newHash()
		if len(text) < h.Size() {
			return false, errMalformed
		}
		sum, salt := text[:h.Size()], text[h.Size():]
		h.Write([]byte(password + salt))
		return same([]byte(sum), h.Sum(nil)), nil
	}
}

// matchMD5 takes both that are called MD5: the one of crypt(3) and a digest in hex.
func matchMD5(text, password string) (bool, error) {
	if strings.HasPrefix(text, "$1$") {
		return matchCrypt(text, password)
	}
	sum, err := inHex.decode(text)
	if err != nil || len(sum) != md5.Size {
		return false, errMalformed
	}
	return digest(md5.New)(sum, password)
}
