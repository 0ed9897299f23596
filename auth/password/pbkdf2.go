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
	parts := strings.Split(text, "$")
	if len(parts) != 5 || parts[0] != "" || parts[1] != "1" || parts[2] == "" {
		return false, errMalformed
	}
	rounds, err := parseRounds(parts[3])
	if err != nil {
		return false, err
	}
	sum, err := hex.DecodeString(parts[4])
	if err != nil || len(sum) != sha1.Size {
		return false, errMalformed
	}
	key, err := pbkdf2.Key(sha1.New, password, []byte(parts[2]), rounds, sha1.Size)
	return same(key, sum), err
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
