package token

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	// Unlike encoding/json it tells capitals from small letters in names, and refuses a name that is there twice.
	"github.com/go-jose/go-jose/v4/json"
	"github.com/go-jose/go-jose/v4/jwt"
)

// maxName is how many octets the name of an account may have.
const maxName = 320

// claims are what an issuer says of a token, in the token (RFC 7519 §4.1) or when asked (RFC 7662 §2.2).
type claims struct {
	jwt.Claims
	members members
}

// parseClaims reads the claims that mean something here. An error says that they are malformed.
func parseClaims(text []byte) (*claims, error) {
	c := &claims{}
	if err := json.Unmarshal(text, &c.members); err != nil || c.members == nil {
		return nil, errors.New("not a JSON object")
	}
	err := errors.Join(
		c.members.read("iss", &c.Issuer),
		c.members.read("aud", &c.Audience),
		c.members.read("exp", &c.Expiry),
		c.members.read("nbf", &c.NotBefore),
		c.members.read("iat", &c.IssuedAt),
	)
	if err != nil {
		return nil, err
	}
	return c, nil
}

// scopes lists what the token permits (RFC 8693 §4.2).
//
// QUIRK: Microsoft's member is scp, and other issuers have a list of strings.
func (c *claims) scopes() ([]string, error) {
	var all []string
	for _, name := range []string{"scope", "scp"} {
		var list jwt.Audience // which is a string, or a list of them, too
		if err := c.members.read(name, &list); err != nil {
			return nil, err
		}
		for _, s := range list {
			all = append(all, strings.Fields(s)...)
		}
	}
	return all, nil
}

// name returns the name of an account that a member has; "" is none. One that cannot be a name is refused.
func (c *claims) name(member string) (string, error) {
	var name string
	if err := c.members.read(member, &name); err != nil {
		return "", err
	}
	if len(name) > maxName || !utf8.ValidString(name) || strings.ContainsFunc(name, unicode.IsControl) {
		return "", refused("member %s cannot be a name", member)
	}
	return name, nil
}

// doubtful says whether the issuer says that it does not know whether the address in email is the subject's (OpenID Connect
// Core 1.0 §5.1).
func (c *claims) doubtful() bool {
	// QUIRK: Amazon's is a string.
	text, said := c.members["email_verified"]
	return said && string(text) != "true" && string(text) != `"true"`
}

// members are those of a JSON object.
type members map[string]json.RawMessage

// read reads a member. One that is not there, or null, leaves what is in to as it is.
func (m members) read(name string, to any) error {
	text, ok := m[name]
	if !ok || string(text) == "null" {
		return nil
	}
	if json.Unmarshal(text, to) != nil {
		return fmt.Errorf("member %s is malformed", name) // the cause may quote it
	}
	return nil
}
