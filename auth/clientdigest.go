package auth

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
)

// A digestClient is DIGEST-MD5 (RFC 2831, Historic by RFC 6331), with authentication alone: no security layers. Its server proves
// that it knows the password, or what stands for it, too.
type digestClient struct {
	credentials Credentials
	uri         string // digest-uri
	nonce       string // cnonce
	want        string // rspauth
	proven      bool
}

func newDigestClient(_ string, c Credentials, ch Channel) (Client, error) {
	return &digestClient{credentials: c, uri: "smtp/" + cmp.Or(ch.Host, "localhost"), nonce: newNonce()}, nil
}

func (d *digestClient) Start() ([]byte, error) { return nil, nil }

func (d *digestClient) Next(challenge []byte) ([]byte, error) {
	switch {
	case d.proven:
		return nil, errTooMany
	case d.want != "":
		return d.verify(string(challenge))
	}
	return d.prove(string(challenge))
}

// prove answers the server's challenge.
func (d *digestClient) prove(challenge string) ([]byte, error) {
	c, ok := parseDigestChallenge(challenge)
	if !ok {
		return nil, errors.New("malformed challenge, or one without authentication alone")
	}
	name, realm := digestIdentity(d.credentials.Name, c.realms)
	said, hashed, err := digestText(c, name, realm, d.credentials.Password)
	if err != nil {
		return nil, err
	}
	secret := d.secret(hashed, c.nonce)
	var list []string
	if c.utf8 {
		list = append(list, "charset=utf-8")
	}
	list = append(list, "username="+quoteDirective(said[0]))
	if realm != "" || len(c.realms) > 0 {
		list = append(list, "realm="+quoteDirective(said[1]))
	}
	list = append(list, "nonce="+quoteDirective(c.nonce), "nc=00000001", "cnonce="+quoteDirective(d.nonce),
		"digest-uri="+quoteDirective(d.uri), "response="+d.digest(secret, c.nonce, "AUTHENTICATE:"), "qop=auth")
	if d.credentials.As != "" {
		list = append(list, "authzid="+quoteDirective(d.credentials.As))
	}
	response := strings.Join(list, ",")
	if len(response) > maxDigestResponse {
		return nil, errors.New("the response would be too long")
	}
	d.want = d.digest(secret, c.nonce, ":")
	return []byte(response), nil
}

// secret is H(A1), in hexadecimal (RFC 2831 §2.1.2.1).
func (d *digestClient) secret(hashed [3]string, nonce string) string {
	sum := md5.Sum([]byte(strings.Join(hashed[:], ":")))
	a1 := string(sum[:]) + ":" + nonce + ":" + d.nonce
	if d.credentials.As != "" {
		a1 += ":" + d.credentials.As
	}
	return hexMD5(a1)
}

// digest is a response-value (RFC 2831 §2.1.2.1), or what a server proves itself with (RFC 2831 §2.1.3): what comes before the
// digest-uri makes the difference.
func (d *digestClient) digest(secret, nonce, before string) string {
	return hexMD5(secret + ":" + nonce + ":00000001:" + d.nonce + ":auth:" + hexMD5(before+d.uri))
}

func hexMD5(s string) string {
	sum := md5.Sum([]byte(s))
	return hex.EncodeToString(sum[:])
}

// verify looks at the server's proof, which comes as a challenge that is answered with nothing (RFC 4954 §4).
func (d *digestClient) verify(challenge string) ([]byte, error) {
	list, ok := parseDirectives(challenge)
	i := slices.IndexFunc(list, func(d directive) bool { return d.name == "rspauth" })
	if !ok || i < 0 || !hmac.Equal([]byte(strings.ToLower(list[i].value)), []byte(d.want)) {
		return nil, errors.New("the server has not proven that it knows the password")
	}
	d.proven = true
	return []byte{}, nil
}

func (d *digestClient) Finish() error {
	if !d.proven {
		return errors.New("the server has not proven that it knows the password")
	}
	return nil
}

// digestIdentity returns the name and the realm to say. A name with a domain is divided where that is a realm of the server's, or
// where the server has none, as Dovecot does, which then divides it too. Otherwise the whole name is one of the server's first realm.
func digestIdentity(name string, realms []string) (user, realm string) {
	i := strings.LastIndexByte(name, '@')
	domain := name[i+1:]
	for _, r := range realms {
		if i > 0 && strings.EqualFold(r, domain) {
			return name[:i], r
		}
	}
	none := len(realms) == 0 || len(realms) == 1 && realms[0] == ""
	switch {
	case none && i > 0 && domain != "":
		return name[:i], domain
	case none:
		return name, ""
	}
	return name, realms[0]
}

// digestText returns name and realm as they are said, and with the password as they are hashed. What can be is hashed as
// ISO 8859-1, even where UTF-8 is said, so that passwords are those of HTTP (RFC 2831 §2.1.2.1). Cyrus SASL does the same. Dovecot
// does not, so a password with an accent fails there, with this mechanism.
func digestText(c digestChallenge, name, realm, password string) (said [2]string, hashed [3]string, err error) {
	for i, s := range []string{name, realm, password} {
		latin1, fits := s, true
		if utf8.ValidString(s) {
			latin1, fits = toLatin1(s)
		}
		if !fits && !c.utf8 {
			return said, hashed, errors.New("the server takes ISO 8859-1 alone, in which the name or the password cannot be written")
		}
		hashed[i] = latin1
		if i < len(said) {
			said[i] = s
			if !c.utf8 {
				said[i] = latin1
			}
		}
	}
	return said, hashed, nil
}
