package client

import (
	"cmp"
	"crypto/sha256"
	"crypto/tls"
	"errors"
	"fmt"
)

// Errors of TLS.
var (
	// ErrNoTLS says that TLS is required and the server does not offer it. To whoever stands in between, not offering is easy.
	ErrNoTLS = errors.New("TLS is required, and the server does not offer STARTTLS")
	// ErrFingerprint says that the server has shown another certificate than the one that is expected.
	ErrFingerprint = errors.New("the server's certificate has another fingerprint")
)

// Security says how a connection is protected. Where TLS begins with the first octet (Address.TLS), and where it is required, the
// server must prove who it is: by a certificate that leads to a CA and has the host's name, or by the one whose fingerprint is
// known. The zero Security asks for nothing, which is right for a unix socket and for this host; to others it should be Required.
type Security struct {
	Start StartTLS // on connections that do not begin with TLS

	// Config is the rest of what there is to set: CAs (those of the system), certificates of our own, the server's name (that of the
	// address). It is not changed. Versions before TLS 1.2 are not spoken, whatever it says.
	Config *tls.Config

	// Fingerprint is the SHA-256 of the only certificate that is believed, whatever it says and whoever has signed it; zero: of any.
	Fingerprint Fingerprint
}

// A Fingerprint is the SHA-256 of a certificate in DER.
type Fingerprint [sha256.Size]byte

// StartTLS says whether to ask for STARTTLS (RFC 3207).
type StartTLS int

const (
	// NoStartTLS: never.
	NoStartTLS StartTLS = iota
	// Opportunistic: where it is offered. It helps against those who only listen: the certificate is not verified, unless its
	// fingerprint is known, and where it is not offered or is refused the session goes on without. Where a password is at stake,
	// it is not enough. A handshake that fails ends the connection; whoever wants to go on without TLS dials again.
	Opportunistic
	// Required: always. Without TLS there is no session.
	Required
)

// protect begins TLS as it is wanted, after the hello, and says hello again: what the server has said before is forgotten then
// (RFC 3207 §4.2).
func (c *Conn) protect(s Security, hello string) error {
	if s.Start == NoStartTLS || c.state != nil {
		return nil
	}
	if !c.ext.Has("STARTTLS") {
		if s.Start == Required {
			return ErrNoTLS
		}
		return nil
	}
	r, err := c.command("STARTTLS", c.timeouts.Command)
	if err != nil {
		return err
	}
	if r.Code != 220 {
		if s.Start == Required || r.Positive() || r.Code == 421 {
			return fmt.Errorf("STARTTLS: %w", r)
		}
		return nil
	}
	if c.w.pending() { // somebody in between may have put it there, to be taken for what comes over TLS (RFC 3207 §6)
		return fmt.Errorf("%w: octets in plaintext after STARTTLS", ErrOutOfStep)
	}
	if err := c.handshake(s, s.Start == Opportunistic); err != nil {
		return err
	}
	return c.hello(hello)
}

// handshake begins TLS.
func (c *Conn) handshake(s Security, anybody bool) error {
	tc := tls.Client(c.w.raw, s.config(c.host, anybody))
	c.w.expire(c.timeouts.Command)
	if err := tc.Handshake(); err != nil {
		return fmt.Errorf("TLS handshake: %w", err)
	}
	c.secure(tc)
	return nil
}

// secure goes on over TLS.
func (c *Conn) secure(tc *tls.Conn) {
	state := tc.ConnectionState()
	c.state, c.host = &state, cmp.Or(c.host, state.ServerName)
	c.w.over(tc)
}

// config is what the handshake is done with.
func (s Security) config(host string, anybody bool) *tls.Config {
	cfg := &tls.Config{}
	if s.Config != nil {
		cfg = s.Config.Clone()
	}
	cfg.MinVersion = max(cfg.MinVersion, tls.VersionTLS12)
	if cfg.ServerName == "" {
		cfg.ServerName = host
	}
	switch {
	case s.Fingerprint != Fingerprint{}:
		cfg.InsecureSkipVerify = true
		cfg.VerifyConnection = func(state tls.ConnectionState) error {
			if sha256.Sum256(state.PeerCertificates[0].Raw) != s.Fingerprint {
				return ErrFingerprint
			}
			return nil
		}
	case anybody:
		cfg.InsecureSkipVerify = true
	}
	return cfg
}

// TLS returns what there is to know of the connection's TLS; false: it has none.
func (c *Conn) TLS() (tls.ConnectionState, bool) {
	if c.state == nil {
		return tls.ConnectionState{}, false
	}
	return *c.state, true
}

// Secured says whether nobody can listen: the connection has TLS, or is a unix socket. That the server is who it should be is more, and
// known only where its certificate is verified (Security).
func (c *Conn) Secured() bool {
	peer := c.w.raw.RemoteAddr()
	return c.state != nil || peer != nil && peer.Network() == "unix"
}
