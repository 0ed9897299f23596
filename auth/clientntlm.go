package auth

import (
	"crypto/rand"
	"errors"
	"time"
	"unicode/utf8"
)

// An ntlmClient is NTLM (MS-NLMP) as mail has it (MS-SMTPNTLM), which Exim calls SPA. Its response is that of NTLMv2, unless the
// server's challenge has no TargetInfo: without it there is no NTLMv2 for Windows and Samba, and Exim knows NTLMv1 alone.
type ntlmClient struct {
	secret   ntlmSecret
	answered bool
}

func newNTLMClient(_ string, c Credentials, _ Channel) (Client, error) {
	if !utf8.ValidString(c.Password) {
		return nil, errors.New("malformed password")
	}
	n := &ntlmClient{secret: ntlmSecret{password: c.Password, now: ntlmNow(time.Now())}}
	n.secret.domain, n.secret.user = ntlmIdentity(c.Name)
	if n.secret.user == "" {
		return nil, errors.New("there is no name")
	}
	rand.Read(n.secret.random[:]) // never fails
	return n, nil
}

// ntlmNow is a time in tenths of a microsecond since 1601.
func ntlmNow(t time.Time) uint64 {
	const epoch = 11644473600 // seconds from 1601 to 1970
	return uint64(t.Unix()+epoch)*10_000_000 + uint64(t.Nanosecond()/100)
}

func (n *ntlmClient) Start() ([]byte, error) { return ntlmNegotiate(), nil }

func (n *ntlmClient) Next(challenge []byte) ([]byte, error) {
	c, ok := parseNTLMChallenge(challenge)
	switch {
	case n.answered:
		return nil, errTooMany
	case !ok:
		return nil, errors.New("malformed challenge")
	case c.flags&ntlmUnicode == 0:
		return nil, errors.New("the server does not take Unicode")
	}
	n.answered = true
	responses := n.secret.v1
	if c.info != nil {
		responses = n.secret.v2
	}
	return ntlmAuthenticate(c.flags, n.secret.domain, n.secret.user, responses(c)), nil
}

func (n *ntlmClient) Finish() error {
	if !n.answered {
		return errTooEarly
	}
	return nil
}
