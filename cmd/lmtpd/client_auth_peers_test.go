package main_test

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A smarthost is a program that our client logs in to, whose accounts are smarthostAccounts.
type smarthost struct {
	name       string
	programs   []string
	start      func(t *testing.T, certificate string) (address string) // the certificate's path, which is that of its key too
	mechanisms []string                                                // all that it offers and we know, in the order that we prefer
}

// smarthostAccounts are passwords by name. One has a character that is not in ASCII, and a domain that others may not have.
func smarthostAccounts() map[string]string {
	return map[string]string{"ann@example.org": `se cret"\%u`, "tim@example.org": "sécr€t"}
}

func smarthosts() []smarthost {
	return []smarthost{
		{"Exim", []string{"exim4"}, func(t *testing.T, certificate string) string { return startExim(t, certificate, smarthostAccounts()) },
			[]string{"CRAM-MD5", "NTLM", "PLAIN", "LOGIN"}},
		{"Dovecot", []string{"dovecot", "doveadm"}, func(t *testing.T, certificate string) string {
			return startDovecotSubmission(t, certificate, smarthostAccounts())
		}, []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "PLAIN", "LOGIN"}},
		{"Postfix", []string{"postfix", "saslpasswd2"}, func(t *testing.T, certificate string) string {
			return startPostfixWithSASL(t, certificate, smarthostAccounts()).smtp
		}, []string{"SCRAM-SHA-256", "SCRAM-SHA-1", "DIGEST-MD5", "CRAM-MD5", "NTLM", "PLAIN", "LOGIN"}},
	}
}

// Our client logs in to what smarthosts are made of, over TLS, with every mechanism that both know.
func TestClientLogsIn(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	for _, s := range smarthosts() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			needPeers(t, s.programs...)
			server := x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
			address := s.start(t, ca.issue(t, filepath.Join(openDir(t), "server.pem"), server))
			for name, password := range smarthostAccounts() {
				s.takes(t, ca.smarthost(address), auth.Credentials{Name: name, Password: password})
			}
			s.choosesPlaintextOverTLSAlone(t, address)
		})
	}
}

// smarthost connects to a smarthost with a certificate of the authority, over TLS.
func (a *authority) smarthost(address string) func(t *testing.T) *client.Conn {
	roots := x509.NewCertPool()
	roots.AddCert(a.cert)
	secure := client.Security{Start: client.Required, Config: &tls.Config{RootCAs: roots}}
	return func(t *testing.T) *client.Conn { return dialSmarthost(t, "smtp://"+address, secure) }
}

// dialSmarthost has our client connect to a URL.
func dialSmarthost(t *testing.T, url string, s client.Security) *client.Conn {
	t.Helper()
	a, err := client.ParseAddress(url)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := client.Dial(t.Context(), a, client.Options{Security: s})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// takes has somebody log in with every mechanism after a wrong password with the one before it, on the same connection, and then
// with the one that the client chooses.
func (s smarthost) takes(t *testing.T, dial func(t *testing.T) *client.Conn, c auth.Credentials) {
	wrong := c
	wrong.Password = "wrong"
	before := s.mechanisms[len(s.mechanisms)-1]
	for _, mechanism := range append(slices.Clone(s.mechanisms), "") {
		if mechanism == "NTLM" && c.Name != "ann@example.org" {
			continue // Exim's and Cyrus SASL's take octets for characters
		}
		t.Run(c.Name+"/"+mechanism, func(t *testing.T) {
			conn := dial(t)
			if offered := conn.AuthTypes(); !slices.Contains(offered, before) {
				t.Fatalf("%s is not offered, only %q", before, offered)
			}
			if err := conn.Auth(t.Context(), before, wrong); !refusedWith(err, 535) {
				t.Errorf("a wrong password with %s: %v", before, err)
			}
			if err := conn.Auth(t.Context(), mechanism, c); err != nil {
				t.Fatalf("after %s: %v", before, err)
			}
			if err := conn.Auth(t.Context(), mechanism, c); !errors.Is(err, client.ErrAuthenticated) {
				t.Errorf("a second time: %v", err)
			}
			if err := conn.Quit(t.Context()); err != nil {
				t.Error(err)
			}
		})
		before = mechanism
	}
}

// choosesPlaintextOverTLSAlone has the client choose where others may listen, and where they may not.
func (s smarthost) choosesPlaintextOverTLSAlone(t *testing.T, address string) {
	c := auth.Credentials{Name: "ann@example.org", Password: smarthostAccounts()["ann@example.org"]}
	conn := dialSmarthost(t, "smtp://"+address, client.Security{})
	offered := conn.AuthTypes()
	chosen := auth.Choose(offered, c, auth.Channel{Offered: offered})
	if text := strings.Join(chosen, " "); strings.Contains(text, "PLAIN") || strings.Contains(text, "LOGIN") || len(chosen) == 0 {
		t.Errorf("of %q, %q are chosen", offered, chosen)
	}
	if got := auth.Choose(offered, c, auth.Channel{Secured: true, Offered: offered}); !slices.Equal(got, s.mechanisms) {
		t.Errorf("of %q, %q are chosen where nobody listens", offered, got)
	}
	if err := conn.Auth(t.Context(), "", c); err != nil {
		t.Error(err)
	}
}

// refusedWith says whether an error is the server's refusal with a code.
func refusedWith(err error, code int) bool {
	var r smtp.Reply
	return errors.As(err, &r) && int(r.Code) == code
}
