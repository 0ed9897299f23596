package dovecot

import (
	"strings"

	"lmtpd/auth"
)

// maxMechanisms is how many mechanisms are offered at most: as many of 20 letters as one line of a reply to EHLO has room for
// (RFC 5321 §4.5.3.1.5).
const maxMechanisms = 20

// A mechanism is one that Dovecot offers.
type mechanism struct {
	name   string
	secret bool // its responses have what whoever listens could log in with
}

// parseMechanism reads the parameters of MECH. What is not for clients here is left out.
func parseMechanism(parameters []string) (mechanism, bool) {
	m := mechanism{name: parameters[0]}
	if !isMechanism(m.name) || strings.HasSuffix(m.name, "-PLUS") || m.name == "ANONYMOUS" {
		return mechanism{}, false
	}
	switch m.name {
	case "PLAIN", "LOGIN", "OAUTHBEARER", "XOAUTH2":
		m.secret = true
	}
	for _, p := range parameters[1:] {
		switch p {
		case "plaintext":
			m.secret = true
		case "private", "anonymous", "channel-binding":
			return mechanism{}, false
		}
	}
	return m, true
}

// isMechanism says whether s is the name of a mechanism (RFC 4422 §3.1).
func isMechanism(s string) bool {
	return s != "" && len(s) <= 20 && !strings.ContainsFunc(s, func(r rune) bool {
		return !('A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '-' || r == '_')
	})
}

// works says whether it can work on a channel: passwords and tokens are not sent where others may listen (RFC 4954 §4), and
// EXTERNAL has to have something to go by.
func (m mechanism) works(ch auth.Channel) bool {
	if m.name == "EXTERNAL" {
		return len(ch.Names) > 0
	}
	return ch.Secured || !m.secret
}
