package auth_test

import (
	"context"
	"crypto/hmac"
	"crypto/md5"
	"crypto/pbkdf2"
	"crypto/sha1"
	"crypto/sha256"
	"encoding"
	"errors"
	"hash"
	"testing"
	"time"

	"lmtpd/auth"
)

// people are the Accounts and Tokens of the tests: passwords by name, and tokens that are "token-" and a name. "later" cannot
// be looked up.
type people map[string]string

var errLater = errors.New("accounts are out of reach")

func (p people) Verify(_ context.Context, name, password string) (string, error) {
	if name == "later" {
		return "", errLater
	}
	if p[name] == "" || p[name] != password {
		return "", auth.ErrCredentials
	}
	return name, nil
}

func (p people) Named(_ context.Context, name string) (string, error) {
	if name == "later" {
		return "", errLater
	}
	if p[name] == "" {
		return "", auth.ErrCredentials
	}
	return name, nil
}

// salts are those of RFC 5802 §5 and RFC 7677 §3.
var salts = map[string]string{
	"SCRAM-SHA-1":   "\x41\x25\xc2\x47\xe4\x3a\xb1\xe9\x3c\x6d\xff\x76",
	"SCRAM-SHA-256": "\x5b\x6d\x99\x68\x9d\x12\x35\x8e\xec\xa0\x4b\x14\x12\x36\xfa\x81",
}

func (p people) Key(_ context.Context, name, mechanism string) (auth.Key, error) {
	if name == "later" {
		return auth.Key{}, errLater
	}
	k := auth.Key{Account: name}
	if p[name] == "" {
		k.Account = ""
	}
	switch mechanism {
	case "CRAM-MD5":
		k.Outer, k.Inner = state(p[name], 0x5c), state(p[name], 0x36)
	case "SCRAM-SHA-1":
		fill(&k, sha1.New, p[name], mechanism)
	case "SCRAM-SHA-256":
		fill(&k, sha256.New, p[name], mechanism)
	}
	return k, nil
}

func state(password string, pad byte) []byte {
	block := make([]byte, md5.BlockSize)
	copy(block, password)
	for i := range block {
		block[i] ^= pad
	}
	h := md5.New()
	h.Write(block)
	s, err := h.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		panic(err)
	}
	return s
}

func fill(k *auth.Key, newHash func() hash.Hash, password, mechanism string) {
	k.Salt, k.Rounds = []byte(salts[mechanism]), 4096
	salted, err := pbkdf2.Key(newHash, password, k.Salt, k.Rounds, newHash().Size())
	if err != nil {
		panic(err)
	}
	h := newHash()
	h.Write(keyed(newHash, salted, "Client Key"))
	k.Stored, k.ServerKey = h.Sum(nil), keyed(newHash, salted, "Server Key")
}

func keyed(newHash func() hash.Hash, key []byte, text string) []byte {
	mac := hmac.New(newHash, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

func (p people) Token(_ context.Context, token string) (string, error) {
	switch name := token[min(len(token), len("token-")):]; {
	case name == "later":
		return "", errLater
	case token == "token-"+name && p[name] != "":
		return name, nil
	}
	return "", auth.ErrCredentials
}

// known are the accounts. The passwords are those of the RFCs.
var known = people{"tim": "tanstaaftanstaaf", "user": "pencil", "ann": "secret", "a,b=c": "pencil", "admin": "root"}

// newServer is a Server whose nonces are fixed.
func newServer(nonce string) *auth.Server {
	return auth.NewServer(auth.Config{
		Mechanisms: auth.Mechanisms(),
		Hostname:   "postoffice.reston.mci.net",
		Accounts:   known,
		Tokens:     known,
		Authorize:  func(account, as string) bool { return account == "admin" },
		Nonce:      func() string { return nonce },
		Now:        func() time.Time { return time.Unix(697170952, 0) },
	})
}

// bound is a channel with bindings, and names.
func bound(names ...string) auth.Channel {
	return auth.Channel{Secured: true, Names: names, Binding: func(kind string) ([]byte, error) {
		if kind != "tls-exporter" {
			return nil, errors.New("not here")
		}
		return []byte("bound"), nil
	}}
}

// A turn is a response and what follows it.
type turn struct{ response, challenge string }

// none is no response, where "" is an empty one.
const none = "(none)"

// play plays an exchange and returns how it ends.
func play(t *testing.T, e auth.Exchange, turns []turn) (account string, err error) {
	t.Helper()
	for i, turn := range turns {
		response := []byte(turn.response)
		if turn.response == none {
			response = nil
		}
		var challenge []byte
		challenge, account, err = e.Next(t.Context(), response)
		if err != nil || account != "" {
			if i < len(turns)-1 {
				t.Errorf("over after turn %d of %d: %q, %v", i+1, len(turns), account, err)
			}
			return account, err
		}
		if string(challenge) != turn.challenge {
			t.Errorf("turn %d: challenge %q, want %q", i+1, challenge, turn.challenge)
		}
	}
	return "", errors.New("not over")
}

func saltedSHA1(password string) []byte {
	salted, err := pbkdf2.Key(sha1.New, password, []byte(salts["SCRAM-SHA-1"]), 4096, sha1.Size)
	if err != nil {
		panic(err)
	}
	return salted
}
