package token

import (
	"context"
	"crypto/hmac"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"lmtpd/auth"
)

// newFileJWT makes a JWT with the keys of a set.
func newFileJWT(t *testing.T, set []byte, terms Terms) *JWT {
	t.Helper()
	path := filepath.Join(t.TempDir(), "jwks.json")
	if err := os.WriteFile(path, set, 0o600); err != nil {
		t.Fatal(err)
	}
	j, err := NewJWT(JWTConfig{File: path, Terms: terms, Now: newClock().now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// check holds what is said of a token against what should be: a name, or a part of the cause why it is refused.
func check(t *testing.T, tokens auth.Tokens, token, name, cause string) {
	t.Helper()
	got, err := tokens.Token(t.Context(), token)
	switch {
	case cause == "" && (err != nil || got != name):
		t.Errorf("the name is %q, %v, want %q", got, err, name)
	case cause != "" && (got != "" || !errors.Is(err, auth.ErrCredentials) || !strings.Contains(err.Error(), cause)):
		t.Errorf("the name is %q, %v, want the cause %q", got, err, cause)
	}
	checkSecret(t, err, token)
}

// checkSecret holds an error to not having any part of a token in it.
func checkSecret(t *testing.T, err error, token string) {
	t.Helper()
	if err == nil {
		return
	}
	for part := range strings.SplitSeq(token, ".") {
		if len(part) > 20 && strings.Contains(err.Error(), part[:20]) {
			t.Errorf("the error has a part of the token in it: %v", err)
		}
	}
}

// RFC 7518 §3.1, RFC 8037 §3.1: every algorithm, with and without the ID of the key.
func TestAlgorithms(t *testing.T) {
	j := newFileJWT(t, allKeys(t), terms())
	ids := map[jose.SignatureAlgorithm]string{jose.RS384: "RS256", jose.RS512: "RS256", jose.PS256: "RS256", jose.PS384: "RS256", jose.PS512: "RS256"}
	for alg := range signers() {
		id := ids[alg]
		if id == "" {
			id = string(alg)
		}
		t.Run(string(alg), func(t *testing.T) {
			check(t, j, sign(t, alg, object{"kid": id}, claimsOf(nil)), "ann@example.org", "")
			check(t, j, sign(t, alg, nil, claimsOf(nil)), "ann@example.org", "")
			check(t, j, sign(t, alg, object{"kid": "other"}, claimsOf(nil)), "", "a key that is not the issuer's")
			whole := sign(t, alg, object{"kid": id}, claimsOf(nil))
			head, rest, _ := strings.Cut(whole, ".")
			_, signature, _ := strings.Cut(rest, ".")
			other, _, _ := strings.Cut(strings.TrimPrefix(sign(t, alg, object{"kid": id}, claimsOf(object{"email": "bob@example.org"})), head+"."), ".")
			check(t, j, head+"."+other+"."+signature, "", "the signature does not fit")
			check(t, j, head+"."+other+".", "", "the signature does not fit")
		})
	}
}

// The examples of RFC 7515 §A.2 and §A.3 and of RFC 8037 §A.4, which others have signed.
func TestExamples(t *testing.T) {
	const payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	set := jwks(t,
		object{"kty": "RSA", "e": "AQAB", "n": "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ"},
		object{"kty": "EC", "crv": "P-256", "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU", "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"},
		object{"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
	)
	j := newFileJWT(t, set, Terms{Member: "iss"})
	j.cfg.Now = func() time.Time { return time.Unix(1300819379, 0) }
	check(t, j, "eyJhbGciOiJSUzI1NiJ9."+payload+".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw", "joe", "")
	check(t, j, "eyJhbGciOiJFUzI1NiJ9."+payload+".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q", "joe", "")
	check(t, j, "eyJhbGciOiJFUzI1NiJ9."+payload+".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1A", "", "the signature does not fit")
	const ed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0K"
	check(t, j, ed+"Ag", "", "not a JSON object") // it is no JWT, but signed
	check(t, j, ed+"Aw", "", "the signature does not fit")
}

// RFC 8725 §2.1, §3.1: nobody chooses an algorithm that the issuer's key is not for.
func TestConfusion(t *testing.T) {
	s := signers()
	public := s[jose.RS256].Public().(*rsa.PublicKey)
	spki, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	secrets := map[string][]byte{
		"the modulus":    public.N.Bytes(),
		"the key in DER": spki,
		"the key in PEM": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: spki}),
		"nothing":        nil,
	}
	j := newFileJWT(t, allKeys(t), terms())
	for name, secret := range secrets {
		t.Run("HS256 with "+name, func(t *testing.T) {
			head := object{"alg": "HS256", "kid": "RS256"}
			mac := hmac.New(sha256.New, secret)
			mac.Write([]byte(strings.TrimSuffix(raw(t, head, claimsOf(nil), nil), ".")))
			check(t, j, raw(t, head, claimsOf(nil), mac.Sum(nil)), "", `a token with the algorithm "HS256"`)
		})
	}
	for _, alg := range []string{"none", "None", "", "RS1", "ES256K", "HS512", "dir", strings.Repeat("n", 2000)} {
		check(t, j, raw(t, object{"alg": alg}, claimsOf(nil), nil), "", "a token with the algorithm")
		check(t, j, raw(t, object{"alg": alg, "kid": "RS256"}, claimsOf(nil), []byte("x")), "", "a token with the algorithm")
	}
	check(t, j, raw(t, object{"kid": "RS256"}, claimsOf(nil), nil), "", "a token with the algorithm")
	check(t, j, sign(t, jose.ES256, object{"kid": "RS256"}, claimsOf(nil)), "", "the signature does not fit")
	check(t, j, sign(t, jose.ES256, object{"kid": "ES384"}, claimsOf(nil)), "", "the signature does not fit")
	check(t, j, sign(t, jose.EdDSA, object{"kid": "ES256"}, claimsOf(nil)), "", "the signature does not fit")

	bound := newFileJWT(t, jwks(t, jwk(t, "1", s[jose.RS256], object{"alg": "RS256"})), terms())
	check(t, bound, sign(t, jose.RS256, object{"kid": "1"}, claimsOf(nil)), "ann@example.org", "")
	check(t, bound, sign(t, jose.PS256, object{"kid": "1"}, claimsOf(nil)), "", "the signature does not fit")
}

// RFC 8725 §3.10: what a token says about its key counts for nothing.
func TestKeyInToken(t *testing.T) {
	j := newFileJWT(t, allKeys(t), terms())
	foreign := func(head object) string {
		return signWith(t, jose.ES256, otherES256(), head, marshal(t, claimsOf(nil)))
	}
	check(t, j, foreign(object{"kid": "ES256"}), "", "the signature does not fit")
	check(t, j, foreign(object{"kid": "ES256", "jwk": jwk(t, "ES256", otherES256(), nil)}), "", "the signature does not fit")
	check(t, j, foreign(object{"jku": "https://evil.example/jwks"}), "", "the signature does not fit")
	check(t, j, foreign(object{"kid": "../../../dev/null"}), "", `not the issuer's: "../../../dev/null"`)
}

func TestHeader(t *testing.T) {
	j := newFileJWT(t, allKeys(t), terms())
	tests := []struct {
		name  string
		head  object
		cause string
	}{
		{"no type", nil, ""},
		{"JWT", object{"typ": "JWT"}, ""},
		{"an access token", object{"typ": "at+jwt"}, ""},
		{"an access token, in full", object{"typ": "application/AT+JWT"}, ""},
		{"JOSE", object{"typ": "JOSE"}, ""},
		{"a logout token", object{"typ": "logout+jwt"}, `a token of the type "logout+jwt"`},
		{"a proof of possession", object{"typ": "application/dpop+jwt"}, "a token of the type"},
		{"an extension that is critical", object{"crit": []string{"x"}, "x": 1}, "critical extensions"},
		{"not encoded", object{"crit": []string{"b64"}, "b64": true}, "critical extensions"},
		{"an ID that is none", object{"kid": 7}, "not a signed JWT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, j, sign(t, jose.ES256, tt.head, claimsOf(nil)), "ann@example.org", tt.cause)
		})
	}
}

// RFC 7519 §4.1.
func TestClaims(t *testing.T) {
	at := func(d time.Duration) int64 { return instant.Add(d).Unix() }
	tests := []struct {
		name    string
		changes object
		cause   string
	}{
		{"as it should be", nil, ""},
		{"expired", object{"exp": at(-31 * time.Second)}, "the token expired at 2026-03-01T11:59:29Z"},
		{"expired by a clock that is late", object{"exp": at(-29 * time.Second)}, ""},
		{"long expired", object{"exp": 0}, "the token expired"},
		{"never expires", object{"exp": nil}, "the token never expires"},
		{"expires at a null", object{"exp": json0("null")}, "the token never expires"},
		{"expires at a text", object{"exp": "tomorrow"}, "member exp is malformed"},
		{"expires after all time", object{"exp": json0("1e300")}, "member exp is malformed"},
		{"expires within a second", object{"exp": json0("1772370000.5")}, ""},
		{"not valid yet", object{"nbf": at(31 * time.Second)}, "the token is not valid before 2026-03-01T12:00:31Z"},
		{"valid just now", object{"nbf": at(29 * time.Second)}, ""},
		{"valid in a far future", object{"nbf": json0("4.6e18")}, "the token is not valid before"},
		{"issued in the future", object{"iat": at(time.Hour)}, "issued in the future"},
		{"of another issuer", object{"iss": "https://id.example.org/"}, `the token was issued by "https://id.example.org/"`},
		{"of none", object{"iss": nil}, "the token was issued by"},
		{"of many", object{"iss": []string{"https://id.example.org"}}, "member iss is malformed"},
		{"for somebody else", object{"aud": "web"}, `the token is meant for "web"`},
		{"for many", object{"aud": []string{"web", "smtp"}}, ""},
		{"for many others", object{"aud": []string{"web", "MAIL"}}, "the token is meant for"},
		{"for nobody", object{"aud": nil}, "the token is meant for"},
		{"for numbers", object{"aud": []int{1}}, "member aud is malformed"},
		{"without the scope", object{"scope": "openid mailx"}, "does not permit the scope mail"},
		{"without any", object{"scope": nil}, "does not permit the scope mail"},
		{"with a list of scopes", object{"scope": []string{"mail"}}, ""},
		{"with scopes elsewhere", object{"scope": nil, "scp": "mail"}, ""},
		{"with scopes that are none", object{"scope": 1}, "member scope is malformed"},
		{"without a name", object{"email": nil}, "no member email"},
		{"with an empty name", object{"email": ""}, "no member email"},
		{"with a name that is none", object{"email": []string{"ann@example.org"}}, "member email is malformed"},
		{"with a name of two lines", object{"email": "ann@example.org\nbob"}, "cannot be a name"},
		{"with a long name", object{"email": strings.Repeat("a", 321)}, "cannot be a name"},
		{"with a verified address", object{"email_verified": true}, ""},
		{"with an address that is verified as a text", object{"email_verified": "true"}, ""},
		{"with an address that is not verified", object{"email_verified": false}, "has not verified the address"},
		{"with an address of which nothing is known", object{"email_verified": nil}, ""},
		{"with capitals", object{"email": nil, "EMAIL": "ann@example.org"}, "no member email"},
	}
	j := newFileJWT(t, allKeys(t), terms())
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			check(t, j, sign(t, jose.ES256, object{"kid": "ES256"}, claimsOf(tt.changes)), "ann@example.org", tt.cause)
		})
	}
}

// json0 is a number, or something else, as it stands in JSON.
type json0 string

func (n json0) MarshalJSON() ([]byte, error) { return []byte(n), nil }

func TestPayload(t *testing.T) {
	j := newFileJWT(t, allKeys(t), terms())
	for _, payload := range []string{"", "null", "[]", `"x"`, "{", "\xff", `{"exp":1,"exp":2}`, `{"email":"ann@example.org","email":"bob@example.org"}`} {
		token := signWith(t, jose.ES256, signers()[jose.ES256], object{"kid": "ES256"}, []byte(payload))
		check(t, j, token, "", "the token's claims: not a JSON object")
	}
}

func TestSyntax(t *testing.T) {
	good := sign(t, jose.ES256, object{"kid": "ES256"}, claimsOf(nil))
	j := newFileJWT(t, allKeys(t), terms())
	tests := []struct{ name, token, cause string }{
		{"good", good, ""},
		{"empty", "", "an empty token"},
		{"nothing but filling", "===", "not a signed JWT"},
		{"a dot", ".", "not a signed JWT"},
		{"two dots", "..", "a token with the algorithm"},
		{"a header that is null", "bnVsbA.e30.", "not a signed JWT"},
		{"a header that is a list", "W10.e30.", "not a signed JWT"},
		{"two parts", "a.b", "not a signed JWT"},
		{"encrypted", "a.b.c.d.e", "not a signed JWT"},
		{"a blank before", " " + good, "not the syntax"},
		{"a line end after", good + "\n", "not the syntax"},
		{"NUL", good + "\x00", "not the syntax"},
		{"filled up", good + "=", "not a signed JWT"},
		{"JSON", `{"payload":"e30"}`, "not a signed JWT"},
		{"not ASCII", good + "\u00e4", "not the syntax"},
		{"longer than it may be", strings.Repeat("a", maxToken+1), "a token of 12289 octets"},
		{"as long as it may be", strings.Repeat("a", maxToken), "not a signed JWT"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) { check(t, j, tt.token, "ann@example.org", tt.cause) })
	}
	long := sign(t, jose.ES256, object{"kid": "ES256"}, claimsOf(object{"x": strings.Repeat("x", 8<<10)}))
	check(t, j, long, "ann@example.org", "")
}

func TestNewJWT(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "jwks.json")
	if err := os.WriteFile(path, allKeys(t), 0o600); err != nil {
		t.Fatal(err)
	}
	m := Terms{Member: "sub"}
	tests := []struct {
		name, want string
		cfg        JWTConfig
	}{
		{"a file", "", JWTConfig{File: path, Terms: m}},
		{"a URL", "", JWTConfig{URL: "https://id.example.org/jwks", Terms: m}},
		{"neither", "in a file or at a URL", JWTConfig{Terms: m}},
		{"both", "in a file or at a URL", JWTConfig{File: path, URL: "https://id.example.org/jwks", Terms: m}},
		{"no member", "no member", JWTConfig{File: path}},
		{"no file", "no such file", JWTConfig{File: path + ".no", Terms: m}},
		{"a directory", "not a regular file", JWTConfig{File: dir, Terms: m}},
		{"a URL that is not safe", "not https", JWTConfig{URL: "http://id.example.org/jwks", Terms: m}},
	}
	for _, tt := range tests {
		tt.cfg.Now, tt.cfg.Log = newClock().now, slog.New(slog.DiscardHandler)
		if _, err := NewJWT(tt.cfg); (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
}

// Of what somebody else may sign for, nothing is told after the context has ended.
func TestEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	j, err := NewJWT(JWTConfig{URL: "http://127.0.0.1:1/jwks", Terms: terms(), Now: newClock().now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_, err = j.Token(ctx, sign(t, jose.ES256, nil, claimsOf(nil)))
	if err == nil || errors.Is(err, auth.ErrCredentials) {
		t.Errorf("%v, want that it could not be told", err)
	}
}
