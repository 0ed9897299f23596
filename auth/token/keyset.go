package token

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/json"
)

const (
	maxKeySet = 256 << 10 // octets
	maxKeys   = 100
	minRSA    = 2048 // bits (RFC 7518 §3.3)
)

// A keySet is what an issuer may sign with. It never changes once it is made.
type keySet struct {
	keys   []key
	digest digest // of its text
}

// A key is a public one, to verify signatures.
type key struct {
	id     string                  // "" is none
	alg    jose.SignatureAlgorithm // the only one it is for; "" is not said
	public any                     // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

// parseKeySet reads a JWK Set (RFC 7517 §5). Keys that cannot be used are passed over, as is said there; that there is none is
// an error.
func parseKeySet(text []byte) (*keySet, error) {
	var raw struct {
		Keys []json.RawMessage `json:"keys"`
	}
	switch err := json.Unmarshal(text, &raw); {
	case err != nil || raw.Keys == nil:
		return nil, errors.New("not a JWK Set")
	case len(raw.Keys) > maxKeys:
		return nil, fmt.Errorf("%d keys, more than %d", len(raw.Keys), maxKeys)
	}
	s := &keySet{digest: sha256.Sum256(text)}
	for _, k := range raw.Keys {
		if k, ok := parseKey(k); ok {
			s.keys = append(s.keys, k)
		}
	}
	if len(s.keys) == 0 {
		return nil, errors.New("a JWK Set without a key that verifies signatures")
	}
	return s, nil
}

// parseKey reads a JWK, and says whether it is a public key that is for signatures.
func parseKey(text []byte) (key, bool) {
	var k jose.JSONWebKey
	var use struct {
		Ops []string `json:"key_ops"`
	}
	if json.Unmarshal(text, &k) != nil || json.Unmarshal(text, &use) != nil {
		return key{}, false
	}
	meant := (k.Use == "" || k.Use == "sig") && (use.Ops == nil || slices.Contains(use.Ops, "verify"))
	// IsPublic: a private key that is published is nobody's any more, and with a symmetric one we could sign ourselves.
	if !meant || !k.IsPublic() || !k.Valid() || !isStrong(k.Key) {
		return key{}, false
	}
	return key{k.KeyID, jose.SignatureAlgorithm(k.Algorithm), k.Key}, true
}

func isStrong(public any) bool {
	k, ok := public.(*rsa.PublicKey)
	return !ok || k.N.BitLen() >= minRSA && k.E&1 == 1 && k.E > 1
}

// named returns the keys of an ID; all of them if it is "".
func (s *keySet) named(id string) []key {
	if id == "" {
		return s.keys
	}
	var keys []key
	for _, k := range s.keys {
		if k.id == id {
			keys = append(keys, k)
		}
	}
	return keys
}

// fits says whether a key is one for an algorithm (RFC 7518 §3.1, RFC 8037 §3.1).
func (k key) fits(alg jose.SignatureAlgorithm) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch public := k.public.(type) {
	case *rsa.PublicKey:
		return strings.HasPrefix(string(alg), "RS") || strings.HasPrefix(string(alg), "PS")
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P256():
			return alg == jose.ES256
		case elliptic.P384():
			return alg == jose.ES384
		case elliptic.P521():
			return alg == jose.ES512
		}
	case ed25519.PublicKey:
		return alg == jose.EdDSA
	}
	return false
}
