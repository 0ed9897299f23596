package auth

import (
	"context"
	"errors"
	"strings"
)

// bearerServer is OAUTHBEARER (RFC 7628) and XOAUTH2, which is what it was before it was one: a bearer token in the first
// response. A failure is told in a challenge of JSON, which the client answers with nothing that matters.
type bearerServer struct {
	server *Server
	parse  func(response string) (bearer, bool)
	told   string // to the client that has failed
	asked  bool
	failed error
	name   string
}

// What is told to a client that has failed: RFC 7628 §3.2.2, and what Google has for XOAUTH2.
const (
	invalidToken = `{"status":"invalid_token"}`
	unauthorized = `{"status":"401","schemes":"bearer"}`
)

// A bearer is what a response says.
type bearer struct{ name, token string }

func (e *bearerServer) Claimed() string { return e.name }

func (e *bearerServer) Next(ctx context.Context, response []byte) ([]byte, string, error) {
	switch {
	case e.failed != nil:
		return nil, "", e.failed
	case response == nil && !e.asked:
		e.asked = true
		return nil, "", nil
	}
	b, ok := e.parse(string(response))
	if !ok {
		return nil, "", failure("malformed response")
	}
	e.name = b.name
	account, err := e.account(ctx, b)
	if !errors.Is(err, ErrCredentials) {
		return nil, account, err
	}
	e.failed = err
	return []byte(e.told), "", nil
}

// Refused is why the exchange has failed, although the client has still to answer.
func (e *bearerServer) Refused() error { return e.failed }

// account returns the account that a token is for, which is that of the name beside it.
func (e *bearerServer) account(ctx context.Context, b bearer) (string, error) {
	name, err := e.server.cfg.Tokens.Token(ctx, b.token)
	if err != nil {
		return "", err
	}
	if e.name == "" {
		e.name = name
	}
	account, err := e.server.named(ctx, name)
	if err != nil {
		return "", err
	}
	return e.server.authorize(ctx, account, b.name)
}

// parseOAUTHBEARER reads "n,a=NAME,^Aauth=Bearer TOKEN^A^A" (RFC 7628 §3.1). Host and port are not looked at: the client is
// here already.
func parseOAUTHBEARER(s string) (b bearer, ok bool) {
	header, fields, ok := strings.Cut(s, "\x01")
	flag, rest, comma := strings.Cut(header, ",")
	as, _, comma2 := strings.Cut(rest, ",")
	if !ok || !comma || !comma2 || flag != "n" && flag != "y" {
		return bearer{}, false
	}
	if as != "" {
		name, found := strings.CutPrefix(as, "a=")
		if b.name, ok = unescapeName(name); !found || !ok {
			return bearer{}, false
		}
	}
	b.token, ok = bearerToken(fields)
	return b, ok
}

// parseXOAUTH2 reads "user=NAME^Aauth=Bearer TOKEN^A^A".
func parseXOAUTH2(s string) (b bearer, ok bool) {
	user, fields, ok := strings.Cut(s, "\x01")
	name, found := strings.CutPrefix(user, "user=")
	if !ok || !found || !IsName(name) {
		return bearer{}, false
	}
	b.name = name
	b.token, ok = bearerToken(fields)
	return b, ok
}

// bearerToken finds the token among fields that each end in ^A, the last in two.
func bearerToken(fields string) (string, bool) {
	fields, ended := strings.CutSuffix(fields, "\x01\x01")
	if !ended {
		return "", false
	}
	for field := range strings.SplitSeq(fields, "\x01") {
		value, is := strings.CutPrefix(field, "auth=")
		if !is {
			continue
		}
		scheme, token, _ := strings.Cut(value, " ")
		token = strings.Trim(token, " ")
		return token, strings.EqualFold(scheme, "Bearer") && isToken(token)
	}
	return "", false
}

// isToken says whether s is of the form of a token (RFC 6750 §2.1).
func isToken(s string) bool {
	const others = "-._~+/="
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte(others, c) >= 0) {
			return false
		}
	}
	return s != ""
}
