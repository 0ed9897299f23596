package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"lmtpd/auth"
)

// algorithms are those that a token may be signed with: all that are asymmetric (RFC 7518 §3.1, RFC 8037 §3.1). Whoever can
// verify what is signed with the others can sign, too.
var algorithms = []jose.SignatureAlgorithm{
	jose.RS256, jose.RS384, jose.RS512,
	jose.PS256, jose.PS384, jose.PS512,
	jose.ES256, jose.ES384, jose.ES512,
	jose.EdDSA,
}

// JWTConfig is what a JWT needs. One of File and URL, Terms.Member, Now and Log are needed.
type JWTConfig struct {
	File string // that has the issuer's JWK Set
	URL  string // where the issuer has it: https, or http on this host or, as http://unix:/path/of/socket:/path, on a unix socket

	Terms     Terms
	Transport http.RoundTripper // nil: one of its own
	Now       func() time.Time
	Log       *slog.Logger
}

// JWT takes tokens that are JSON Web Tokens, and signed.
type JWT struct {
	cfg  JWTConfig
	keys *keyring
}

// NewJWT makes one. A file is read, and an error may say that it cannot be; a URL is not asked before the first token is there.
func NewJWT(cfg JWTConfig) (*JWT, error) {
	if cfg.Terms.Member == "" {
		return nil, errors.New("JWT: no member is said to have the name")
	}
	if (cfg.File == "") == (cfg.URL == "") {
		return nil, errors.New("JWT: the keys are in a file or at a URL")
	}
	if cfg.URL != "" {
		at, err := newEndpoint(cfg.URL, maxKeySet, cfg.Transport)
		if err != nil {
			return nil, fmt.Errorf("JWK Set: %w", err)
		}
		return &JWT{cfg, &keyring{from: keyURL{at}, now: cfg.Now, log: cfg.Log}}, nil
	}
	file := &keyFile{path: cfg.File, now: cfg.Now}
	set, err := file.load(context.Background(), nil)
	if err != nil {
		return nil, fmt.Errorf("JWK Set: %w", err)
	}
	return &JWT{cfg, &keyring{from: file, now: cfg.Now, log: cfg.Log, set: set, looked: cfg.Now()}}, nil
}

// Token returns the name that a token was issued for. While keys cannot be had, it could not be told of a token that is signed
// with one that is not known.
func (j *JWT) Token(ctx context.Context, token string) (string, error) {
	if err := checkToken(token); err != nil {
		return "", err
	}
	sig, err := parseJWT(token)
	if err != nil {
		return "", err
	}
	text, err := j.verify(ctx, sig)
	if err != nil {
		return "", fmt.Errorf("JWT: %w", err)
	}
	c, err := parseClaims(text)
	if err != nil {
		return "", refused("the token's claims: %s", err)
	}
	if c.Expiry == nil {
		return "", refused("the token never expires")
	}
	name, err := j.cfg.Terms.judge(c, j.cfg.Now())
	if err != nil && !errors.Is(err, auth.ErrCredentials) {
		return "", refused("the token's claims: %s", err) // malformed by its issuer, it stays so
	}
	return name, err
}

// parseJWT reads a token (RFC 7519 §7.2), the signature of which is not verified yet.
func parseJWT(token string) (*jose.JSONWebSignature, error) {
	sig, err := jose.ParseSignedCompact(token, algorithms)
	if unexpected := (*jose.ErrUnexpectedSignatureAlgorithm)(nil); errors.As(err, &unexpected) {
		return nil, refused("a token with the algorithm %s", clip(string(unexpected.Got)))
	}
	if err != nil {
		return nil, refused("not a signed JWT") // the cause may quote it
	}
	head := sig.Signatures[0].Protected
	// None is known here (RFC 7515 §4.1.11), and the one that the library knows is forbidden (RFC 7797 §7).
	if _, ok := head.ExtraHeaders["crit"]; ok {
		return nil, refused("a token with critical extensions")
	}
	if typ, ok := head.ExtraHeaders[jose.HeaderType]; ok && !isAccessToken(fmt.Sprint(typ)) {
		return nil, refused("a token of the type %s", clip(fmt.Sprint(typ)))
	}
	return sig, nil
}

// isAccessToken says whether a type may be that of an access token: at+jwt (RFC 9068 §2.1), or any that does not say that it is
// another kind of JWT (RFC 8725 §3.11).
func isAccessToken(typ string) bool {
	typ = strings.TrimPrefix(strings.ToLower(typ), "application/")
	return typ == "at+jwt" || !strings.HasSuffix(typ, "+jwt")
}

// verify returns what is signed, if it is with one of the issuer's keys. The keys are looked for once more if the one that
// it may be signed with is not there.
func (j *JWT) verify(ctx context.Context, sig *jose.JSONWebSignature) ([]byte, error) {
	set, err := j.keys.current(ctx)
	if err != nil {
		return nil, err
	}
	id := sig.Signatures[0].Protected.KeyID
	text, ok := verifyWith(sig, set.named(id))
	if ok || id != "" && len(set.named(id)) > 0 {
		return text, unverified(ok)
	}
	set, err = j.keys.newer(ctx)
	if set != nil {
		text, ok = verifyWith(sig, set.named(id))
	}
	switch {
	case ok:
		return text, nil
	case err != nil:
		return nil, fmt.Errorf("signed with a key that is not known: %w", err)
	case len(set.named(id)) == 0:
		return nil, refused("signed with a key that is not the issuer's: %s", clip(id))
	}
	return nil, unverified(false)
}

func unverified(ok bool) error {
	if ok {
		return nil
	}
	return refused("the signature does not fit the issuer's key")
}

// verifyWith tries keys.
func verifyWith(sig *jose.JSONWebSignature, keys []key) ([]byte, bool) {
	alg := jose.SignatureAlgorithm(sig.Signatures[0].Protected.Algorithm)
	for _, k := range keys {
		if !k.fits(alg) {
			continue
		}
		if text, err := sig.Verify(k.public); err == nil {
			return text, true
		}
	}
	return nil, false
}
