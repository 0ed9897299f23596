package main

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"lmtpd/protocol/client"
)

// readTLS reads whether TLS must be, and whose certificate is believed.
func (r *Route) readTLS(t *table) {
	field(t, "tls", &r.TLS, numbered[RelayTLS](relayTLSWords))
	field(t, "ca", &r.CA, parsePath)
	field(t, "fingerprint", &r.Fingerprint, parseFingerprint)
	at := t.where("tls")
	for _, a := range r.Servers {
		switch {
		case a.Network == "unix" && r.TLS != RelayTLSNone && t.has("tls"):
			t.report.add(at, "tls: nobody can listen on the way to %s: leave it out", a)
		case a.TLS && r.TLS != RelayTLSRequired:
			t.report.add(at, "tls: %s is with TLS from the first octet: leave it out", a)
		}
	}
	for _, key := range []string{"ca", "fingerprint"} {
		if t.has(key) && r.TLS != RelayTLSRequired {
			t.report.add(t.values[key].key, `%s: no certificate is verified with tls = "%s"`, key, relayTLSWords[r.TLS])
		}
	}
	if t.has("ca") && t.has("fingerprint") {
		t.report.add(t.values["fingerprint"].key, "fingerprint: one certificate is believed then, whoever has signed it: leave ca out")
	}
}

// readLogin reads who this host is there.
func (r *Route) readLogin(t *table) {
	field(t, "user", &r.User, parseText)
	field(t, "password_file", &r.Password, parsePath)
	field(t, "token_file", &r.Token, parsePath)
	field(t, "auth", &r.Mechanism, parseRelayMechanism)
	if t.torn {
		return
	}
	secrets := t.has("password_file") || t.has("token_file")
	switch {
	case t.has("password_file") && t.has("token_file"):
		t.report.add(t.values["token_file"].key, "token_file: either this or password_file says who user is")
	case t.has("user") && !secrets && r.Mechanism != "EXTERNAL":
		t.report.add(t.values["user"].key, "user: give password_file, the file with the password, or token_file")
	case secrets && !t.has("user"):
		for _, key := range []string{"password_file", "token_file"} {
			if t.has(key) {
				t.report.add(t.values[key].key, "%s: give user, whose it is", key)
			}
		}
	case secrets && r.TLS == RelayTLSOpportunistic && r.Mechanism == "":
		t.report.add(t.values["user"].key, `user: with tls = "opportunistic" the secret may go to whoever answers: name a mechanism with auth, or leave tls out`)
	case t.has("auth") && !t.has("user") && r.Mechanism != "EXTERNAL":
		t.report.add(t.values["auth"].key, "auth: give user and password_file, else there is nobody to log in")
	case bearer(r.Mechanism) && t.has("password_file"):
		t.report.add(t.where("auth"), "auth: %s needs a token: give token_file", r.Mechanism)
	case r.Mechanism != "" && !bearer(r.Mechanism) && t.has("token_file"):
		t.report.add(t.where("auth"), "auth: %s needs a password: give password_file", r.Mechanism)
	}
}

// bearer says whether a mechanism takes a token in place of a password.
func bearer(mechanism string) bool {
	return slices.Contains([]string{"OAUTHBEARER", "XOAUTH2"}, mechanism)
}

// parseFingerprint reads the SHA-256 of a certificate as other programs print it: hexadecimal digits, with colons or without.
func parseFingerprint(s string) (f client.Fingerprint, err error) {
	text := s
	if len(s) > 7 && strings.EqualFold(s[:7], "SHA256:") {
		text = s[7:]
	}
	sum, err := hex.DecodeString(strings.ReplaceAll(text, ":", ""))
	if err != nil || len(sum) != len(f) {
		return f, fmt.Errorf("%q is not a SHA-256 of %d hexadecimal digits", s, 2*len(f))
	}
	return client.Fingerprint(sum), nil
}

// fingerprintText is a fingerprint as people compare it.
func fingerprintText(f client.Fingerprint) string {
	return strings.ReplaceAll(fmt.Sprintf("% X", f[:]), " ", ":")
}
