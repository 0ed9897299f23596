package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/auth"
	"lmtpd/protocol/client"
)

// Our client logs in to our daemon with every mechanism that the daemon has, and what proves nothing is refused.
func TestClientLogsInToDaemon(t *testing.T) {
	t.Parallel()
	m := prepareMSA(t, newDaemon(t), "")
	for _, mechanism := range auth.Mechanisms() {
		m.add(t, ofMechanism(mechanism), clientPassword, "PLAIN")
	}
	m.start(t)
	for _, mechanism := range auth.Mechanisms() {
		for _, way := range []string{"starttls", "implicit"} {
			t.Run(mechanism+"/"+way, func(t *testing.T) {
				l := m.login(t, ofMechanism(mechanism), mechanism, way)
				if way == "starttls" {
					forged := m.forged(t, l)
					err := forged.dial(t).Auth(t.Context(), mechanism, forged.credentials())
					if !refusedWith(err, 535) || strings.Contains(err.Error(), `status "invalid_token"`) != (mechanism == "OAUTHBEARER") {
						t.Errorf("what proves nothing: %v", err)
					}
				}
				if err := l.dial(t).Auth(t.Context(), mechanism, l.credentials()); err != nil {
					t.Error(err)
				}
				m.await(t, `msg=authenticated .* mechanism=`+mechanism+` user=`+l.account+` `)
			})
		}
	}
	t.Run("any", func(t *testing.T) {
		l := m.login(t, ofMechanism("PLAIN"), "", "starttls")
		if err := l.dial(t).Auth(t.Context(), "", l.credentials()); err != nil {
			t.Error(err)
		}
		m.await(t, `msg=authenticated .* mechanism=SCRAM-SHA-256-PLUS user=`+l.account+` `)
	})
}

// ofMechanism is an account for one mechanism: who has failed is told later, and the next is not to wait for it.
func ofMechanism(mechanism string) string { return strings.ToLower(mechanism) + "@example.org" }

// credentials are what our client logs in with.
func (l login) credentials() auth.Credentials {
	switch l.mechanism {
	case "OAUTHBEARER", "XOAUTH2":
		return auth.Credentials{Name: l.account, Token: l.secret}
	case "EXTERNAL":
		return auth.Credentials{}
	}
	return auth.Credentials{Name: l.account, Password: l.secret}
}

// dial has our client connect, over TLS.
func (l login) dial(t *testing.T) *client.Conn {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM([]byte(read(t, l.ca))) {
		t.Fatalf("%s has no certificates", filepath.Base(l.ca))
	}
	cfg := &tls.Config{RootCAs: roots}
	if l.identity != "" {
		identity, err := tls.LoadX509KeyPair(l.identity, l.identity)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Certificates = []tls.Certificate{identity}
	}
	return dialSmarthost(t, map[string]string{"starttls": "smtp", "implicit": "smtps"}[l.tls]+"://"+net.JoinHostPort(l.host, l.port),
		client.Security{Start: client.Required, Config: cfg})
}
