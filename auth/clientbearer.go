package auth

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// A bearerClient is OAUTHBEARER (RFC 7628) or XOAUTH2. A server that refuses the token says why in a challenge, which is to be
// answered, so that it can refuse.
type bearerClient struct {
	token    string
	response string
	answer   string // to a refusal
	refused  error
}

// newOAUTHBEARERClient says "n,a=NAME,^Ahost=HOST^Aauth=Bearer TOKEN^A^A" (RFC 7628 §3.1).
func newOAUTHBEARERClient(_ string, c Credentials, ch Channel) (Client, error) {
	response := "n,"
	if as := cmp.Or(c.As, c.Name); as != "" {
		response += "a=" + escapeName(as)
	}
	response += ",\x01"
	if IsName(ch.Host) {
		response += "host=" + ch.Host + "\x01"
	}
	response += "auth=Bearer " + c.Token + "\x01\x01"
	return &bearerClient{token: c.Token, response: response, answer: "\x01"}, nil // RFC 7628 §3.2.3
}

// newXOAUTH2Client says "user=NAME^Aauth=Bearer TOKEN^A^A".
func newXOAUTH2Client(_ string, c Credentials, _ Channel) (Client, error) {
	response := "user=" + cmp.Or(c.As, c.Name) + "\x01auth=Bearer " + c.Token + "\x01\x01"
	return &bearerClient{token: c.Token, response: response}, nil
}

func (c *bearerClient) Start() ([]byte, error) { return []byte(c.response), nil }

func (c *bearerClient) Next(challenge []byte) ([]byte, error) {
	if c.refused != nil {
		return nil, errTooMany
	}
	c.refused = c.reason(challenge)
	return []byte(c.answer), nil
}

// Refused is why the server has refused the token, although it has still to say so.
func (c *bearerClient) Refused() error { return c.refused }

func (c *bearerClient) Finish() error {
	if c.refused != nil {
		return errors.New("the server says that the exchange has succeeded after it has refused the token")
	}
	return nil
}

// reason reads the JSON of a refusal (RFC 7628 §3.2.2). Of it only what is of the form of a status is told, and what is needed to
// get a better token, unless the token itself is in it.
func (c *bearerClient) reason(challenge []byte) error {
	var said struct{ Status, Scope string }
	if err := json.Unmarshal(challenge, &said); err != nil {
		return errors.New("the token is refused")
	}
	text := "the token is refused"
	for _, part := range []struct{ name, value string }{{"status", said.Status}, {"scope", said.Scope}} {
		if isReason(part.value) && !strings.Contains(part.value, c.token) {
			text += fmt.Sprintf(", %s %q", part.name, part.value)
		}
	}
	return errors.New(text)
}

// isReason says whether s is of the form of an error code or a scope (RFC 6749 App. A), and short.
func isReason(s string) bool {
	return s != "" && len(s) <= 200 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' || r == '"' || r == '\\' })
}
