package password

import (
	"crypto/md5"
	"strconv"
	"strings"
)

// A Cost is what it takes to verify a password: where it is the same, so is the time. It can be compared.
type Cost struct {
	Way  string // the scheme, or the prefix of a form of crypt(3)
	Work string // its rounds, cost or memory, as they stand; "" is next to none
}

// CostOf returns what it takes to verify a password with what is stored, without doing it. The error is one of Verify's, or
// ErrMismatch for what no password matches.
func CostOf(stored string) (Cost, error) {
	if Locked(stored) {
		return Cost{}, ErrMismatch
	}
	s, text, err := parse(stored)
	if err != nil {
		return Cost{}, err
	}
	if s.work == nil {
		_, err := s.match(text, "x") // which says whether it is well-formed
		return Cost{Way: Scheme(stored)}, err
	}
	way, work, err := s.work(text)
	if way == "" {
		way = Scheme(stored)
	}
	return Cost{way, work}, err
}

func workOfCrypt(text string) (way, work string, err error) {
	f, groups, err := formOf(text)
	if err != nil {
		return "", "", err
	}
	if err := f.checks(groups, "x"); err != nil {
		return "", "", err
	}
	switch work = strings.Join(groups, ","); {
	case len(groups) == 0:
		work = fixedRounds
	case work == "":
		work = defaultRounds
	}
	return f.prefix, work, nil
}

const (
	fixedRounds   = "1000" // of $1$
	defaultRounds = "5000" // of $5$ and $6$, where none are said
)

// workOfMD5 tells the two that are called MD5 apart.
func workOfMD5(text string) (way, work string, err error) {
	if strings.HasPrefix(text, "$1$") {
		return workOfCrypt(text)
	}
	if sum, err := inHex.decode(text); err != nil || len(sum) != md5.Size {
		return "", "", errMalformed
	}
	return "", "", nil
}

func workOfPBKDF2(text string) (way, work string, err error) {
	_, rounds, _, err := parsePBKDF2(text)
	return "", strconv.Itoa(rounds), err
}

func workOfSCRAM(size int) func(text string) (way, work string, err error) {
	return func(text string) (way, work string, err error) {
		k, err := parseSCRAM(text, size)
		return "", strconv.Itoa(k.Rounds), err
	}
}
