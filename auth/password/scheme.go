package password

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// errMalformed says that a stored hash is not of the form that its scheme has.
var errMalformed = errors.New("the stored password is malformed")

// A scheme is a way to store a password.
type scheme struct {
	encoded coding // of what is stored, unless the scheme's name has a suffix
	octets  int    // how many there are to be, decoded; 0 is any number
	match   func(text, password string) (bool, error)
	work    func(text string) (way, work string, err error) // see Cost; nil: next to none
}

// A coding is how octets are written in the text of an account.
type coding int

const (
	asIs coding = iota
	inHex
	inBase64
)

// schemes are those of Dovecot's password-scheme.c, by name.
var schemes = map[string]scheme{
	"PLAIN":         {match: plain},
	"CLEAR":         {match: plain},
	"CLEARTEXT":     {match: plain},
	"CRYPT":         {match: matchCrypt, work: workOfCrypt},
	"MD5-CRYPT":     {match: matchCrypt, work: workOfCrypt},
	"SHA256-CRYPT":  {match: matchCrypt, work: workOfCrypt},
	"SHA512-CRYPT":  {match: matchCrypt, work: workOfCrypt},
	"BLF-CRYPT":     {match: matchCrypt, work: workOfCrypt},
	"ARGON2I":       {match: matchCrypt, work: workOfCrypt},
	"ARGON2ID":      {match: matchCrypt, work: workOfCrypt},
	"MD5":           {match: matchMD5, work: workOfMD5},
	"PLAIN-MD5":     {inHex, md5.Size, digest(md5.New), nil},
	"LDAP-MD5":      {inBase64, md5.Size, digest(md5.New), nil},
	"SHA":           {inBase64, sha1.Size, digest(sha1.New), nil},
	"SHA1":          {inBase64, sha1.Size, digest(sha1.New), nil},
	"SHA256":        {inBase64, sha256.Size, digest(sha256.New), nil},
	"SHA512":        {inBase64, sha512.Size, digest(sha512.New), nil},
	"SMD5":          {inBase64, 0, digest(md5.New), nil},
	"SSHA":          {inBase64, 0, digest(sha1.New), nil},
	"SSHA256":       {inBase64, 0, digest(sha256.New), nil},
	"SSHA512":       {inBase64, 0, digest(sha512.New), nil},
	"PBKDF2":        {match: matchPBKDF2, work: workOfPBKDF2},
	"CRAM-MD5":      {inHex, cramOctets, matchCRAM, nil},
	"HMAC-MD5":      {inHex, cramOctets, matchCRAM, nil},
	"SCRAM-SHA-1":   {match: scram(sha1.New), work: workOfSCRAM(sha1.Size)},
	"SCRAM-SHA-256": {match: scram(sha256.New), work: workOfSCRAM(sha256.Size)},
}

// strange are those of Dovecot that are not kept here. They are known by name, so that an error can tell which it is.
var strange = []string{"DES-CRYPT", "DIGEST-MD5", "LANMAN", "NTLM", "OTP", "PLAIN-MD4", "PLAIN-TRUNC", "RPA", "SKEY"}

// parse finds the scheme of what is stored, and decodes its text. Its errors name no scheme that is not known: what stands
// in braces may be a password.
func parse(stored string) (scheme, string, error) {
	name, text, ok := cutScheme(stored)
	if !ok {
		if strings.HasPrefix(stored, "{") {
			return scheme{}, "", errMalformed
		}
		name, text = "CRYPT", stored
	}
	base, suffix, _ := strings.Cut(strings.ToUpper(name), ".")
	s, ok := schemes[base]
	switch {
	case slices.Contains(strange, base):
		return scheme{}, "", fmt.Errorf("the password scheme %s is not supported", base)
	case !ok:
		return scheme{}, "", errors.New("the password scheme is unknown")
	}
	c, err := s.codingOf(text, suffix)
	if err != nil {
		return scheme{}, "", fmt.Errorf("the password scheme is unknown: %s, but %w", base, err)
	}
	if text, err = c.decode(text); err != nil || s.octets != 0 && len(text) != s.octets {
		return scheme{}, "", fmt.Errorf("%s: %w", base, errMalformed)
	}
	return s, text, nil
}

// cutScheme parts "{NAME}text".
func cutScheme(stored string) (name, text string, ok bool) {
	inner, ok := strings.CutPrefix(stored, "{")
	if !ok {
		return "", "", false
	}
	name, text, ok = strings.Cut(inner, "}")
	const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-."
	if !ok || name == "" || len(name) > 32 || strings.Trim(name, letters) != "" {
		return "", "", false
	}
	return name, text, true
}

// Unknown is what Scheme says of what begins with a brace and is of no scheme that is known.
const Unknown = "unknown"

// Scheme is the name of the scheme of what is stored, without the suffix for its encoding. What begins with no brace is
// CRYPT, and "" is no password at all. Only schemes that are known are named, supported or not: what stands in the place of
// one may be a password.
func Scheme(stored string) string {
	if stored == "" {
		return ""
	}
	if stored[0] != '{' {
		return "CRYPT"
	}
	name, _, _ := cutScheme(stored)
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	if _, ok := schemes[name]; ok || slices.Contains(strange, name) {
		return name
	}
	return Unknown
}

// codingOf is how text is encoded. Like Dovecot it goes by the length where no suffix says it: twice as many
// octets as there are to be are hex, anything else is base64.
func (s scheme) codingOf(text, suffix string) (coding, error) {
	switch suffix {
	case "HEX":
		return inHex, nil
	case "B64", "BASE64":
		return inBase64, nil
	case "":
	default:
		return 0, errors.New("its suffix is none of .HEX, .B64 and .BASE64")
	}
	switch {
	case s.octets == 0:
		return s.encoded, nil
	case len(text) == 2*s.octets:
		return inHex, nil
	}
	return inBase64, nil
}

func (c coding) decode(text string) (string, error) {
	var octets []byte
	var err error
	switch c {
	case inHex:
		octets, err = hex.DecodeString(text)
	case inBase64:
		octets, err = base64.StdEncoding.DecodeString(text)
	default:
		return text, nil
	}
	return string(octets), err
}
