package token

import (
	"errors"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"lmtpd/auth"
)

// FuzzJWT: whatever a client sends, looking at it does not panic; what is not signed by the issuer is refused, and the error
// has no part of it.
func FuzzJWT(f *testing.F) {
	good := sign(f, jose.ES256, object{"kid": "ES256"}, claimsOf(nil))
	f.Add(good)
	f.Add(sign(f, jose.RS256, object{"typ": "at+jwt"}, claimsOf(nil)))
	f.Add(sign(f, jose.EdDSA, object{"crit": []string{"b64"}, "b64": true}, claimsOf(nil)))
	f.Add(signWith(f, jose.ES256, otherES256(), object{"jwk": jwk(f, "1", otherES256(), nil)}, []byte("{}")))
	f.Add(raw(f, object{"alg": "none"}, claimsOf(nil), nil))
	f.Add(raw(f, object{"alg": "ES256", "x5c": []string{"AAAA"}, "kid": nil}, nil, []byte("x")))
	for _, s := range []string{"", ".", "..", "a.b.c.d.e", "bnVsbA.e30.", "e30.e30.e30", "eyJhbGciOiJFUzI1NiJ9..", "====", `{"payload":"e30"}`} {
		f.Add(s)
	}
	set, err := parseKeySet(allKeys(f))
	if err != nil {
		f.Fatal(err)
	}
	// The keys are as they are: nothing is read or asked.
	j := &JWT{JWTConfig{Terms: terms(), Now: newClock().now}, &keyring{from: keyURL{}, now: newClock().now, set: set, looked: instant}}
	f.Fuzz(func(t *testing.T, token string) {
		name, err := j.Token(t.Context(), token)
		if (err == nil) != (name != "") {
			t.Fatalf("%q: %q, %v", token, name, err)
		}
		if err != nil && !errors.Is(err, auth.ErrCredentials) {
			t.Fatalf("%q could not be told: %v", token, err)
		}
		if err == nil && name != "ann@example.org" {
			t.Fatalf("%q is forged", token)
		}
		checkSecret(t, err, token)
	})
}

// FuzzKeySet: whatever an issuer publishes, reading it does not panic, and what is taken can be tried with a signature.
func FuzzKeySet(f *testing.F) {
	f.Add(allKeys(f))
	for _, s := range []string{"", "{}", `{"keys":null}`, `{"keys":[null,1,{}]}`, `{"keys":[{"kty":"RSA","n":"AA","e":"AQAB"}]}`,
		`{"keys":[{"kty":"EC","crv":"P-256","x":"","y":""},{"kty":"OKP","crv":"Ed25519","x":""},{"kty":"oct","k":""}]}`} {
		f.Add([]byte(s))
	}
	var sigs []*jose.JSONWebSignature
	for _, alg := range []jose.SignatureAlgorithm{jose.RS256, jose.PS512, jose.ES256, jose.ES512, jose.EdDSA} {
		sig, err := parseJWT(sign(f, alg, nil, claimsOf(nil)))
		if err != nil {
			f.Fatal(err)
		}
		sigs = append(sigs, sig)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := parseKeySet(text)
		if err != nil {
			return
		}
		if len(set.keys) == 0 || len(set.keys) > maxKeys {
			t.Fatalf("%q: %d keys", text, len(set.keys))
		}
		for _, k := range set.keys {
			if !strings.Contains(string(text), "keys") || k.public == nil {
				t.Fatalf("%q: %+v", text, k)
			}
		}
		for _, sig := range sigs {
			verifyWith(sig, set.keys)
		}
	})
}

// FuzzClaims: whatever an authorization server answers, reading it does not panic, and a name is one that can be logged.
func FuzzClaims(f *testing.F) {
	f.Add(marshal(f, claimsOf(nil)))
	for _, s := range []string{"", "null", "[]", `{"email":"a","email_verified":"true","scp":["mail"],"exp":1e18}`, `{"nbf":-4.6e18,"aud":[]}`, `{"exp":null,"email":"\u0000"}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := parseClaims(text)
		if err != nil {
			return
		}
		name, err := Terms{Member: "email"}.judge(c, instant)
		if (err == nil) != (name != "") || len(name) > maxName || strings.ContainsAny(name, "\x00\r\n") {
			t.Fatalf("%q: %q, %v", text, name, err)
		}
	})
}
