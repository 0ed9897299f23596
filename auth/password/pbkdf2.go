package password

import (
	"crypto/pbkdf2"
	"crypto/sha1"
	"encoding/hex"
	"strconv"
	"strings"
)

// matchPBKDF2 reads Dovecot's "$1$salt$rounds$hash": HMAC-SHA-1, the salt as it stands, the hash in hex.
func matchPBKDF2(text, password string) (bool, error) {
	salt, rounds, sum, err := parsePBKDF2(text)
	if err != nil {
		return false, err
	}
	key, err := pbkdf2.Key(sha1.New, password, []byte(salt), rounds, sha1.Size)
	return same(key, sum), err
}

func parsePBKDF2(text string) (salt string, rounds int, sum []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 5 || parts[0] != "" || parts[1] != "1" || parts[2] == "" {
		return "", 0, nil, errMalformed
	}
	if rounds, err = parseRounds(parts[3]); err != nil {
		return "", 0, nil, err
	}
	sum, err = hex.DecodeString(parts[4])
	if err != nil || len(sum) != sha1.Size {
		return "", 0, nil, errMalformed
	}
	return parts[2], rounds, sum, nil
}

func parseRounds(digits string) (int, error) {
	rounds, err := strconv.Atoi(digits)
	switch {
	case err != nil || rounds < 1:
		return 0, errMalformed
	case rounds > maxIterations:
		return 0, errWork
	}
	return rounds, nil
}
