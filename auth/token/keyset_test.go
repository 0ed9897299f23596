package token

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// RFC 7517 §4, §5: of a set those keys are taken that are public and for signatures, and the others passed over.
func TestKeys(t *testing.T) {
	s := signers()
	ec, rs, ed := s[jose.ES256], s[jose.RS256], s[jose.EdDSA]
	ecKey := func(changes object) object { return jwk(t, "x", ec, changes) }
	tests := []struct {
		name  string
		key   any
		taken bool
	}{
		{"EC", ecKey(nil), true},
		{"RSA", jwk(t, "x", rs, nil), true},
		{"Ed25519", jwk(t, "x", ed, nil), true},
		{"for signatures", ecKey(object{"use": "sig"}), true},
		{"for one algorithm", ecKey(object{"alg": "ES256"}), true},
		{"to verify", ecKey(object{"key_ops": []string{"verify", "sign"}}), true},
		{"without a coordinate", ecKey(object{"x": nil, "X": 1}), false},
		{"with more members", ecKey(object{"iat": 1, "exp": "x"}), true},
		{"without an ID", jwk(t, "", ec, nil), true},
		{"for encryption", ecKey(object{"use": "enc"}), false},
		{"to encrypt", ecKey(object{"key_ops": []string{"encrypt"}}), false},
		{"for nothing", ecKey(object{"key_ops": []string{}}), false},
		{"for what is no list", ecKey(object{"key_ops": "verify"}), false},
		{"symmetric", object{"kty": "oct", "k": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "kid": "x"}, false},
		{"of a type that is not known", ecKey(object{"kty": "ML"}), false},
		{"of no type", ecKey(object{"kty": nil}), false},
		{"of a curve that is not known", ecKey(object{"crv": "secp256k1"}), false},
		{"of another curve", ecKey(object{"crv": "P-384"}), false},
		{"X25519", jwk(t, "x", ed, object{"crv": "X25519"}), false},
		{"off the curve", ecKey(object{"y": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), false},
		{"the point at infinity", ecKey(object{"x": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "y": "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}), false},
		{"a short Ed25519", jwk(t, "x", ed, object{"x": "AAAA"}), false},
		{"RSA without an exponent", jwk(t, "x", rs, object{"e": ""}), false},
		{"RSA with the exponent 1", jwk(t, "x", rs, object{"e": "AQ"}), false},
		{"RSA with an even exponent", jwk(t, "x", rs, object{"e": "Ag"}), false},
		{"RSA with a large exponent", jwk(t, "x", rs, object{"e": strings.Repeat("_", 40)}), false},
		{"RSA without a modulus", jwk(t, "x", rs, object{"n": ""}), false},
		{"short RSA", jwk(t, "x", shortRSA(t), nil), false},
		{"an ID that is none", ecKey(object{"kid": 1}), false},
		{"no object", "x", false},
		{"null", nil, false},
		{"a number", 1, false},
	}
	spare := jwk(t, "spare", ec, nil)
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			set, err := parseKeySet(marshal(t, object{"keys": []any{tt.key, spare}}))
			if err != nil {
				t.Fatal(err)
			}
			if got := len(set.keys) == 2; got != tt.taken {
				t.Errorf("taken is %v, want %v", got, tt.taken)
			}
			if len(set.named("spare")) != 1 {
				t.Error("the other key was lost")
			}
		})
	}
}

func shortRSA(t *testing.T) crypto.Signer {
	t.Helper()
	k, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// A key that is private is everybody's as soon as it is published.
func TestPrivateKeys(t *testing.T) {
	for alg, k := range signers() {
		text, err := jose.JSONWebKey{Key: k, KeyID: "x"}.MarshalJSON()
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := parseKey(text); ok {
			t.Errorf("a private key for %s is taken", alg)
		}
	}
}

func TestKeySetErrors(t *testing.T) {
	k := jwk(t, "x", signers()[jose.ES256], nil)
	many := func(n int) []byte {
		keys := make([]object, n)
		for i := range keys {
			keys[i] = k
		}
		return jwks(t, keys...)
	}
	tests := []struct{ name, text, want string }{
		{"one key", string(many(1)), ""},
		{"as many as there may be", string(many(maxKeys)), ""},
		{"more", string(many(maxKeys + 1)), "101 keys, more than 100"},
		{"nothing", "", "not a JWK Set"},
		{"null", "null", "not a JWK Set"},
		{"a list", "[]", "not a JWK Set"},
		{"a key alone", string(marshal(t, k)), "not a JWK Set"},
		{"keys that are none", `{"keys":{}}`, "not a JWK Set"},
		{"keys that are null", `{"keys":null}`, "not a JWK Set"},
		{"keys twice", `{"keys":[],"keys":[]}`, "not a JWK Set"},
		{"no keys", `{"keys":[]}`, "without a key"},
		{"more after it", string(many(1)) + "x", "not a JWK Set"},
		{"deep", `{"keys":` + strings.Repeat("[", 100000) + strings.Repeat("]", 100000) + "}", "not a JWK Set"},
	}
	for _, tt := range tests {
		_, err := parseKeySet([]byte(tt.text))
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}
