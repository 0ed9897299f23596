package client

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/protocol/smtp"
)

const (
	offersTLS = esmtpHello + "S: 250-AUTH PLAIN\nS: 250 STARTTLS\n"
	overTLS   = "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO localhost\nS: 250-mx.example.org\nS: 250 AUTH CRAM-MD5\n"
)

// dialTo opens a session with mx.example.org, which is a server on one end of a pipe.
func dialTo(t *testing.T, nc net.Conn, implicit bool, s Security) (*Conn, error) {
	t.Helper()
	a := Address{Dialect: ESMTP(), Network: "tcp", Name: "mx.example.org:25", TLS: implicit}
	return Dial(t.Context(), a, Options{Security: s, Dial: func(context.Context, string, string) (net.Conn, error) { return nc, nil }})
}

func TestStartTLS(t *testing.T) {
	ca := newAuthority(t)
	good := ca.issue(t, "mx.example.org", time.Now().Add(time.Hour))
	bad := newAuthority(t).issue(t, "else.example.org", time.Now().Add(-time.Hour))
	roots := &tls.Config{RootCAs: ca.pool}
	plainly := "C: RSET\nS: 250 ok"
	for _, tt := range []struct {
		name, script string
		shown        tls.Certificate
		security     Security
		auth         string // what is offered for AUTH once the session is there; "": there is none
		err          error
		code         int // of the reply in it
	}{
		{"RFC 3207 §4.2 what was said before is forgotten", offersTLS + overTLS + plainly, good, Security{Start: Required, Config: roots}, "CRAM-MD5", nil, 0},
		{"never", offersTLS + plainly, good, Security{}, "PLAIN", nil, 0},
		{"required, not offered", esmtpHello + "S: 250 SIZE", good, Security{Start: Required, Config: roots}, "", ErrNoTLS, 0},
		{"required, and HELO offers nothing", "S: 220 mx\nC: EHLO localhost\nS: 502 what\nC: HELO localhost\nS: 250-mx\nS: 250 STARTTLS", good, Security{Start: Required}, "", ErrNoTLS, 0},
		{"required, refused", offersTLS + "C: STARTTLS\nS: 454 4.7.0 not now", good, Security{Start: Required, Config: roots}, "", nil, 454},
		{"required, with anybody", offersTLS + overTLS, bad, Security{Start: Required, Config: roots}, "", errAny, 0},
		{"opportunistic, not offered", esmtpHello + "S: 250 AUTH PLAIN\n" + plainly, good, Security{Start: Opportunistic}, "PLAIN", nil, 0},
		{"opportunistic, refused", offersTLS + "C: STARTTLS\nS: 454 4.7.0 not now\n" + plainly, good, Security{Start: Opportunistic}, "PLAIN", nil, 0},
		{"opportunistic, and sent away", offersTLS + "C: STARTTLS\nS: 421 4.7.0 go away", good, Security{Start: Opportunistic}, "", nil, 421},
		{"opportunistic, neither yes nor no", offersTLS + "C: STARTTLS\nS: 250 what", good, Security{Start: Opportunistic}, "", nil, 250},
		{"opportunistic, with anybody", offersTLS + overTLS + plainly, bad, Security{Start: Opportunistic}, "CRAM-MD5", nil, 0},
		{"opportunistic, with that one", offersTLS + overTLS + plainly, bad, Security{Start: Opportunistic, Fingerprint: fingerprint(bad)}, "CRAM-MD5", nil, 0},
		{"opportunistic, with another one", offersTLS + overTLS, good, Security{Start: Opportunistic, Fingerprint: fingerprint(bad)}, "", ErrFingerprint, 0},
		{"opportunistic, the handshake fails", offersTLS + "C: STARTTLS\nS: 220 go\nS= \"\"", good, Security{Start: Opportunistic}, "", errAny, 0},
		{"a second greeting", offersTLS + "C: STARTTLS\nS: 220 go\nTLS\nS: 220 hm", good, Security{Start: Required, Config: roots}, "", errAny, 220},
		{"RFC 3207 §6 plaintext after 220", offersTLS + "C: STARTTLS\nS: 220 go\nS: 250-mx\nS: 250 AUTH PLAIN", good, Security{Start: Opportunistic}, "", ErrOutOfStep, 0},
		{"EHLO is refused over TLS", offersTLS + "C: STARTTLS\nS: 220 go\nTLS\nC: EHLO localhost\nS: 451 no", good, Security{Start: Required, Config: roots}, "", nil, 451},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := dialTo(t, serveTLS(t, tt.script, shows(tt.shown)), false, tt.security)
			r, _ := errors.AsType[smtp.Reply](err)
			if r.Code != tt.code || !like(err, tt.err) && tt.code == 0 {
				t.Fatalf("%v, want %v %d", err, tt.err, tt.code)
			}
			if err != nil {
				return
			}
			if got := strings.Join(c.AuthTypes(), " "); got != tt.auth {
				t.Errorf("AUTH %s, want %s", got, tt.auth)
			}
			if state, is := c.TLS(); is != strings.Contains(tt.script, "\nTLS\n") || is != c.Secured() || is && state.Version < tls.VersionTLS12 {
				t.Errorf("TLS: %v %#x", is, state.Version)
			}
			if err := c.Reset(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// errAny is like any error.
var errAny = errors.New("any")

// like compares errors by what they are; of those of x509, by type.
func like(got, want error) bool {
	switch want.(type) {
	case x509.UnknownAuthorityError:
		_, is := errors.AsType[x509.UnknownAuthorityError](got)
		return is
	case x509.HostnameError:
		_, is := errors.AsType[x509.HostnameError](got)
		return is
	case x509.CertificateInvalidError:
		e, is := errors.AsType[x509.CertificateInvalidError](got)
		return is && e.Reason == x509.Expired
	}
	return errors.Is(got, want) || want == errAny && got != nil
}

// Who the server must be, with TLS from the first octet and with STARTTLS.
func TestCertificate(t *testing.T) {
	ca := newAuthority(t)
	later, before := time.Now().Add(time.Hour), time.Now().Add(-time.Hour)
	good, expired, other := ca.issue(t, "mx.example.org", later), ca.issue(t, "mx.example.org", before), ca.issue(t, "other.example.org", later)
	stranger := newAuthority(t).issue(t, "mx.example.org", later)
	roots := &tls.Config{RootCAs: ca.pool}
	for _, tt := range []struct {
		name     string
		shown    tls.Certificate
		security Security
		err      error
	}{
		{"good", good, Security{Config: roots}, nil},
		{"wrong name", other, Security{Config: roots}, x509.HostnameError{}},
		{"the name that is wanted", other, Security{Config: &tls.Config{RootCAs: ca.pool, ServerName: "other.example.org"}}, nil},
		{"expired", expired, Security{Config: roots}, x509.CertificateInvalidError{}},
		{"unknown CA", stranger, Security{Config: roots}, x509.UnknownAuthorityError{}},
		{"unknown to the system", good, Security{}, x509.UnknownAuthorityError{}},
		{"fingerprint", stranger, Security{Fingerprint: fingerprint(stranger)}, nil},
		{"fingerprint, expired", expired, Security{Fingerprint: fingerprint(expired), Config: roots}, nil},
		{"wrong fingerprint", good, Security{Fingerprint: fingerprint(stranger), Config: roots}, ErrFingerprint},
	} {
		for implicit, script := range map[bool]string{true: "TLS\n" + esmtpHello + "S: 250 SIZE", false: offersTLS + overTLS} {
			tt.security.Start = Required
			c, err := dialTo(t, serveTLS(t, script, shows(tt.shown)), implicit, tt.security)
			if !like(err, tt.err) {
				t.Errorf("%s, from the first octet %v: %v, want %v", tt.name, implicit, err, tt.err)
			}
			if err == nil && !c.Secured() {
				t.Errorf("%s: not secured", tt.name)
			}
		}
	}
}

// Versions that are broken are not spoken, even if they are asked for.
func TestOldTLS(t *testing.T) {
	cfg := shows(newAuthority(t).issue(t, "mx.example.org", time.Now().Add(time.Hour)))
	cfg.MinVersion, cfg.MaxVersion = tls.VersionTLS10, tls.VersionTLS11
	s := Security{Start: Opportunistic, Config: &tls.Config{MinVersion: tls.VersionTLS10}}
	if _, err := dialTo(t, serveTLS(t, offersTLS+overTLS, cfg), false, s); err == nil {
		t.Error("TLS 1.1")
	}
}

// A client may have a certificate, too.
func TestClientCertificate(t *testing.T) {
	ca := newAuthority(t)
	cfg := shows(ca.issue(t, "mx.example.org", time.Now().Add(time.Hour)))
	cfg.ClientAuth, cfg.ClientCAs = tls.RequireAndVerifyClientCert, ca.pool
	own := &tls.Config{RootCAs: ca.pool, Certificates: []tls.Certificate{ca.issue(t, "client.example.org", time.Now().Add(time.Hour))}}
	script := "TLS\n" + esmtpHello + "S: 250 SIZE"
	if _, err := dialTo(t, serveTLS(t, script, cfg), true, Security{Config: own}); err != nil {
		t.Error(err)
	}
	if _, err := dialTo(t, serveTLS(t, script, cfg), true, Security{Config: &tls.Config{RootCAs: ca.pool}}); err == nil {
		t.Error("without one")
	}
}

// A connection may have its TLS already, and does not ask for it once more then.
func TestOverTLS(t *testing.T) {
	ca := newAuthority(t)
	nc := serveTLS(t, "TLS\n"+offersTLS, shows(ca.issue(t, "mx.example.org", time.Now().Add(time.Hour))))
	over := tls.Client(nc, &tls.Config{RootCAs: ca.pool, ServerName: "mx.example.org"})
	c, err := New(t.Context(), over, ESMTP(), Options{Security: Security{Start: Required}})
	if err != nil {
		t.Fatal(err)
	}
	if _, is := c.TLS(); !is || !slices.Equal(c.AuthTypes(), []string{"PLAIN"}) {
		t.Errorf("TLS: %v, AUTH %q", is, c.AuthTypes())
	}
}

// A server that falls silent in a handshake.
func TestHandshakeTimeout(t *testing.T) {
	for implicit, script := range map[bool]string{true: "SILENCE", false: offersTLS + "C: STARTTLS\nS: 220 go\nSILENCE"} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			_, err := dialTo(t, serve(t, script), implicit, Security{Start: Opportunistic})
			if got := time.Since(start); !errors.Is(err, os.ErrDeadlineExceeded) || got != 5*time.Minute {
				t.Errorf("%v after %v", err, got)
			}
		})
	}
}
