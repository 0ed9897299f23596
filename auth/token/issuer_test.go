package token

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"maps"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// instant is when these tests take place.
var instant = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A clock is set by hand.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func newClock() *clock { return &clock{t: instant} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) pass(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// signers has a key for every algorithm. They take a while to make, so they are made once.
var signers = sync.OnceValue(func() map[jose.SignatureAlgorithm]crypto.Signer {
	must := func(k crypto.Signer, err error) crypto.Signer {
		if err != nil {
			panic(err)
		}
		return k
	}
	rsaKey := must(rsa.GenerateKey(rand.Reader, 2048))
	_, edKey, err := ed25519.GenerateKey(rand.Reader)
	ec := func(c elliptic.Curve) crypto.Signer { return must(ecdsa.GenerateKey(c, rand.Reader)) }
	return map[jose.SignatureAlgorithm]crypto.Signer{
		jose.RS256: rsaKey, jose.RS384: rsaKey, jose.RS512: rsaKey,
		jose.PS256: rsaKey, jose.PS384: rsaKey, jose.PS512: rsaKey,
		jose.ES256: ec(elliptic.P256()), jose.ES384: ec(elliptic.P384()), jose.ES512: ec(elliptic.P521()),
		jose.EdDSA: must(edKey, err),
	}
})

// otherES256 signs as somebody else, or as the issuer after a change of keys.
var otherES256 = sync.OnceValue(func() crypto.Signer {
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	return k
})

type object map[string]any

// claimsOf is what the issuer says of ann, with changes; nil takes a claim away.
func claimsOf(changes object) object {
	all := object{
		"iss": "https://id.example.org", "aud": "mail", "sub": "248289761001", "email": "ann@example.org",
		"exp": instant.Add(time.Hour).Unix(), "iat": instant.Unix(), "scope": "openid mail",
	}
	maps.Copy(all, changes)
	maps.DeleteFunc(all, func(_ string, v any) bool { return v == nil })
	return all
}

func terms() Terms {
	return Terms{Issuer: "https://id.example.org", Audience: []string{"smtp", "mail"}, Scopes: []string{"mail"}, Member: "email"}
}

// sign makes a JWT. The header has alg and what head adds.
func sign(t testing.TB, alg jose.SignatureAlgorithm, head, claims object) string {
	t.Helper()
	return signWith(t, alg, signers()[alg], head, marshal(t, claims))
}

func signWith(t testing.TB, alg jose.SignatureAlgorithm, k crypto.Signer, head object, payload []byte) string {
	t.Helper()
	opts := &jose.SignerOptions{}
	for name, value := range head {
		opts.WithHeader(jose.HeaderKey(name), value)
	}
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: k}, opts)
	if err != nil {
		t.Fatal(err)
	}
	sig, err := s.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := sig.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// raw makes what looks like a JWT of its parts.
func raw(t testing.TB, head, claims object, signature []byte) string {
	t.Helper()
	b64 := base64.RawURLEncoding.EncodeToString
	return b64(marshal(t, head)) + "." + b64(marshal(t, claims)) + "." + b64(signature)
}

func marshal(t testing.TB, v any) []byte {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// jwk is the public key of a signer as the issuer publishes it, with changes.
func jwk(t testing.TB, id string, k crypto.Signer, changes object) object {
	t.Helper()
	text, err := jose.JSONWebKey{Key: k.Public(), KeyID: id}.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	var all object
	if err := json.Unmarshal(text, &all); err != nil {
		t.Fatal(err)
	}
	maps.Copy(all, changes)
	return all
}

func jwks(t testing.TB, keys ...object) []byte {
	t.Helper()
	return marshal(t, object{"keys": keys})
}

// allKeys is the set of an issuer that signs with every algorithm. The ID of a key is the first algorithm that it is for.
func allKeys(t testing.TB) []byte {
	t.Helper()
	s := signers()
	var keys []object
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256, jose.ES384, jose.ES512, jose.EdDSA} {
		keys = append(keys, jwk(t, string(alg), s[alg], nil))
	}
	return jwks(t, keys...)
}
