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
	"strings"
)

// errMalformed says that a stored hash is not of the form that its scheme has.
var errMalformed = errors.New("the stored password is malformed")

// A scheme is a way to store a password.
type scheme struct {
	encoded coding // of what is stored, unless the scheme's name has a suffix
	octets  int    // how many there are to be, decoded; 0 is any number
	match   func(text, password string) (bool, error)
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
	"CRYPT":         {match: matchCrypt},
	"MD5-CRYPT":     {match: matchCrypt},
	"SHA256-CRYPT":  {match: matchCrypt},
	"SHA512-CRYPT":  {match: matchCrypt},
	"BLF-CRYPT":     {match: matchCrypt},
	"ARGON2I":       {match: matchCrypt},
	"ARGON2ID":      {match: matchCrypt},
	"MD5":           {match: matchMD5},
	"PLAIN-MD5":     {inHex, md5.Size, digest(md5.New)},
	"LDAP-MD5":      {inBase64, md5.Size, digest(md5.New)},
	"SHA":           {inBase64, sha1.Size, digest(sha1.New)},
	"SHA1":          {inBase64, sha1.Size, digest(sha1.New)},
	"SHA256":        {inBase64, sha256.Size, digest(sha256.New)},
	"SHA512":        {inBase64, sha512.Size, digest(sha512.New)},
	"SMD5":          {inBase64, 0, digest(md5.New)},
	"SSHA":          {inBase64, 0, digest(sha1.New)},
	"SSHA256":       {inBase64, 0, digest(sha256.New)},
	"SSHA512":       {inBase64, 0, digest(sha512.New)},
	"PBKDF2":        {match: matchPBKDF2},
	"CRAM-MD5":      {inHex, cramOctets, matchCRAM},
	"HMAC-MD5":      {inHex, cramOctets, matchCRAM},
	"SCRAM-SHA-1":   {match: scram(sha1.New)},
	"SCRAM-SHA-256": {match: scram(sha256.New)},
}

// parse finds the scheme of what is stored, and decodes its text.
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
	if !ok {
		return scheme{}, "", fmt.Errorf("the password scheme %s is unknown", name)
	}
	c, err := s.codingOf(text, suffix)
	if err != nil {
		return scheme{}, "", fmt.Errorf("the password scheme %s is unknown: %w", name, err)
	}
	if text, err = c.decode(text); err != nil || s.octets != 0 && len(text) != s.octets {
		return scheme{}, "", fmt.Errorf("%s: %w", name, errMalformed)
	}
	return s, text, nil
}

// cutScheme parts "{NAME}text". The name may go into a log, so that it may only be a name.
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

// Scheme is the name of the scheme of what is stored, without the suffix for its encoding. What has no name is CRYPT,
// and "" is no password at all. That there is a name does not say that the scheme is known.
func Scheme(stored string) string {
	if stored == "" {
		return ""
	}
	name, _, ok := cutScheme(stored)
	if !ok {
		return "CRYPT"
	}
	name, _, _ = strings.Cut(strings.ToUpper(name), ".")
	return name
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
