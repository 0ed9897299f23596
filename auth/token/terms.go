package token

import (
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4/jwt"
)

// Terms are what is demanded of a token that is good, and where it has the name.
type Terms struct {
	Issuer   string   // who must have issued it (iss); "": anyone
	Audience []string // for whom it must be meant (aud), one of these; none: anyone
	Scopes   []string // what it must permit (scope), all of these
	Member   string   // that has the account's name: "username", "email", "sub" …
}

// judge returns the name that a token is for. An error wraps auth.ErrCredentials, or says that the claims are malformed.
func (t Terms) judge(c *claims, now time.Time) (string, error) {
	expected := jwt.Expected{Issuer: t.Issuer, AnyAudience: t.Audience, Time: now}
	if err := c.ValidateWithLeeway(expected, leeway); err != nil {
		return "", refused("%s", c.fault(err))
	}
	scopes, err := c.scopes()
	if err != nil {
		return "", err
	}
	for _, s := range t.Scopes {
		if !slices.Contains(scopes, s) {
			return "", refused("the token does not permit the scope %s", s)
		}
	}
	name, err := c.name(t.Member)
	switch {
	case err != nil:
		return "", err
	case name == "":
		return "", refused("the token has no name: no member %s", t.Member)
	case t.Member == "email" && c.doubtful():
		return "", refused("the issuer has not verified the address %s", clip(name))
	}
	return name, nil
}

// fault says what is wrong with the claims.
func (c *claims) fault(err error) string {
	switch {
	case errors.Is(err, jwt.ErrExpired):
		return "the token expired at " + c.Expiry.Time().UTC().Format(time.RFC3339)
	case errors.Is(err, jwt.ErrNotValidYet):
		return "the token is not valid before " + c.NotBefore.Time().UTC().Format(time.RFC3339)
	case errors.Is(err, jwt.ErrIssuedInTheFuture):
		return "the token was issued in the future"
	case errors.Is(err, jwt.ErrInvalidIssuer):
		return "the token was issued by " + clip(c.Issuer)
	case errors.Is(err, jwt.ErrInvalidAudience):
		return "the token is meant for " + clip(strings.Join(c.Audience, " "))
	}
	return "the token's claims are not valid"
}
