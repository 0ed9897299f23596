package password

import (
	"errors"
	"regexp"
	"strconv"
	"strings"

	"github.com/go-crypt/crypt/algorithm"
	"github.com/go-crypt/crypt/algorithm/argon2"
	"github.com/go-crypt/crypt/algorithm/bcrypt"
	"github.com/go-crypt/crypt/algorithm/md5crypt"
	"github.com/go-crypt/crypt/algorithm/scrypt"
	"github.com/go-crypt/crypt/algorithm/shacrypt"
)

var (
	errForm = errors.New("the form of the stored password is unknown")
	errWork = errors.New("the stored password demands too much work: its rounds, cost or memory are above what is done for one")
)

// The work that is done for one password, which is about a second of a core of 2020 and 256 MiB. What demands more is a
// mistake, or is meant to bring the host down. Defaults of other programs are below: 656,000 rounds of SHA-512-crypt with
// passlib, 1,300,000 of PBKDF2 with OWASP, and libsodium's "moderate" of argon2.
const (
	maxRounds      = 700_000         // of SHA-crypt
	maxRoundOctets = 128 * maxRounds // of SHA-crypt, times octets of the password, which go into each
	maxIterations  = 1_500_000       // of PBKDF2, in SCRAM too
	maxCost        = 14              // of bcrypt: 2^14 rounds
	maxKiB         = 256 << 10       // of argon2 and yescrypt
	maxKiBTimes    = 768 << 10       // KiB of argon2, times passes
)

// A form is one of crypt(3): its grammar, the octets of salt and hash included, for the library takes nearly anything.
type form struct {
	prefix  string
	grammar *regexp.Regexp
	checks  func(parameters []string, password string) error // the groups of the grammar
	decode  algorithm.DecodeFunc
}

// forms are those that are known. There is no "$2x$", which is what a mistake in an old bcrypt has left behind.
var forms = []form{
	newForm("$6$", `(?:rounds=([1-9][0-9]{3,8})\$)?[^$:\n]{0,16}\$[./0-9A-Za-z]{86}`, checkRounds, shacrypt.DecodeVariant(shacrypt.VariantSHA512)),
	newForm("$5$", `(?:rounds=([1-9][0-9]{3,8})\$)?[^$:\n]{0,16}\$[./0-9A-Za-z]{43}`, checkRounds, shacrypt.DecodeVariant(shacrypt.VariantSHA256)),
	newForm("$2a$", bcryptGrammar, checkCost, bcrypt.DecodeVariant(bcrypt.VariantStandard)),
	newForm("$2b$", bcryptGrammar, checkCost, bcrypt.DecodeVariant(bcrypt.VariantStandard)),
	newForm("$2y$", bcryptGrammar, checkCost, bcrypt.DecodeVariant(bcrypt.VariantStandard)),
	newForm("$argon2id$", argon2Grammar, checkArgon2, argon2.DecodeVariant(argon2.VariantID)),
	newForm("$argon2i$", argon2Grammar, checkArgon2, argon2.DecodeVariant(argon2.VariantI)),
	newForm("$y$", `j([./0-9A-Za-z])([./0-9A-Za-z])\$[./0-9A-Za-z]{0,86}\$[./0-9A-Za-z]{43}`, checkYescrypt, scrypt.DecodeVariant(scrypt.VariantYescrypt)),
	newForm("$1$", `[^$:\n]{0,8}\$[./0-9A-Za-z]{22}`, noParameters, md5crypt.DecodeVariant(md5crypt.VariantStandard)),
}

const (
	bcryptGrammar = `([0-9]{2})\$[./0-9A-Za-z]{53}`
	argon2Grammar = `v=19\$m=([0-9]{1,9}),t=([0-9]{1,9}),p=([0-9]{1,3})\$[+/0-9A-Za-z]{2,}\$[+/0-9A-Za-z]{6,}`
)

func newForm(prefix, rest string, checks func([]string, string) error, decode algorithm.DecodeFunc) form {
	return form{prefix, regexp.MustCompile(`^` + regexp.QuoteMeta(prefix) + rest + `$`), checks, decode}
}

// matchCrypt compares a password with a string of crypt(3).
func matchCrypt(text, password string) (bool, error) {
	d, err := parseCrypt(text, password)
	if err != nil {
		return false, err
	}
	return d.MatchAdvanced(password)
}

// parseCrypt reads a string of crypt(3) without doing its work, which must not be too much for a password. The library's
// errors quote what they are about, and so are not passed on.
func parseCrypt(text, password string) (algorithm.Digest, error) {
	f, groups, err := formOf(text)
	if err != nil {
		return nil, err
	}
	if err := f.checks(groups, password); err != nil {
		return nil, err
	}
	d, err := f.decode(text)
	if err != nil {
		return nil, errMalformed
	}
	return d, nil
}

// formOf finds the form of a string of crypt(3), and its parameters.
func formOf(text string) (form, []string, error) {
	for _, f := range forms {
		if !strings.HasPrefix(text, f.prefix) {
			continue
		}
		groups := f.grammar.FindStringSubmatch(text)
		if groups == nil {
			return form{}, nil, errMalformed
		}
		return f, groups[1:], nil
	}
	return form{}, nil, errForm
}

func noParameters([]string, string) error { return nil }

// checkRounds reads how many rounds there are; none is the default, which is low.
func checkRounds(parameters []string, password string) error {
	rounds, _ := strconv.Atoi(parameters[0]) // the grammar has but digits, and few
	if rounds > maxRounds || rounds*len(password) > maxRoundOctets {
		return errWork
	}
	return nil
}

func checkCost(parameters []string, _ string) error {
	switch cost, _ := strconv.Atoi(parameters[0]); {
	case cost < 4:
		return errMalformed
	case cost > maxCost:
		return errWork
	}
	return nil
}

func checkArgon2(parameters []string, _ string) error {
	var n [3]int // memory in KiB, passes, lanes
	for i, digits := range parameters {
		n[i], _ = strconv.Atoi(digits)
	}
	switch memory, passes, lanes := n[0], n[1], n[2]; {
	case passes < 1, lanes < 1, memory < 8*lanes: // RFC 9106 §3.1
		return errMalformed
	case memory > maxKiB, passes > maxKiBTimes/memory:
		return errWork
	}
	return nil
}

// checkYescrypt reads what memory is demanded: 128 octets, times 2^N, times r.
func checkYescrypt(parameters []string, _ string) error {
	const digits = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	n, r := strings.Index(digits, parameters[0])+1, strings.Index(digits, parameters[1])+1
	if n > 24 || r<<n > maxKiB*1024/128 {
		return errWork
	}
	return nil
}
