// Package token tells for whom a bearer token was issued (RFC 6750), for the mechanisms OAUTHBEARER and XOAUTH2. Nothing is
// asked of the client but the token, so whoever has it is taken for the one it names.
//
// There are two ways to tell. Introspection asks the authorization server (RFC 7662), with a client's authentication of its
// own, and takes a good answer for true for a minute, but not longer than the token. JWT looks at the token itself (RFC 7519,
// RFC 9068): it is signed (RFC 7515) with a key of the issuer, which publishes its keys as a JWK Set (RFC 7517) in a file or
// at a URL. Terms say what is demanded of a token in either case. An address that the issuer says it has not verified
// (email_verified) is no name.
//
// Of the advice of RFC 8725 this is kept: the algorithm is one of a list, all of them asymmetric (§3.1); the key's type and
// use must fit it (§3.1, §3.5); issuer and audience are compared where they are configured (§3.8, §3.9), and who takes
// tokens from an issuer that has other services should configure both; a type that says that it is another kind of JWT is
// refused (§3.11); no key and no address of one is taken from the token (§3.10). What is signed twice, encrypted, or marked as
// critical is refused.
//
// What is not kept: encrypted tokens, the signed answers of RFC 9701, proof of possession (RFC 8705, RFC 9449), discovery of
// the URLs (RFC 8414).
//
// An error that is no auth.ErrCredentials says that it could not be told: the server does not answer, or not with what it
// should, or the keys cannot be had. No error has the token in it, nor any secret of ours.
package token

import (
	"fmt"
	"time"

	"lmtpd/auth"
)

const (
	// maxToken is how many octets a token may have. A SASL response has 12288.
	maxToken = 12 << 10
	// leeway is how far the issuer's clock may be from ours.
	leeway = 30 * time.Second
	// timeout is how long a server, or a file, is waited for.
	timeout = 10 * time.Second
)

var (
	_ auth.Tokens = (*Introspection)(nil)
	_ auth.Tokens = (*JWT)(nil)
)

// refused says that a token is no good, and why. The cause is for the log.
func refused(format string, args ...any) error {
	return fmt.Errorf("%w: %s", auth.ErrCredentials, fmt.Sprintf(format, args...))
}

// checkToken refuses what cannot be a token: what is too long, or is not made of visible ASCII. RFC 6749 §A.12 permits blanks,
// too, but no token can be sent with one (RFC 6750 §2.1).
func checkToken(token string) error {
	switch {
	case token == "":
		return refused("an empty token")
	case len(token) > maxToken:
		return refused("a token of %d octets", len(token))
	}
	for i := range len(token) {
		if token[i] <= ' ' || token[i] > '~' {
			return refused("not the syntax of a token")
		}
	}
	return nil
}

// clip makes what a token says fit for the log.
func clip(s string) string {
	const most = 100
	if len(s) > most {
		return fmt.Sprintf("%q…", s[:most])
	}
	return fmt.Sprintf("%q", s)
}
