package server

import (
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"

	"lmtpd/auth"
	"lmtpd/protocol/session"
)

// handshake makes the connection a TLS connection (RFC 3207 §4). Plaintext that is read ahead was put there by
// somebody in between, or by a client that cannot be helped: it is never looked at.
func (c *conn) handshake(ctx context.Context) session.Step {
	closed := session.Step{Next: session.Next{Kind: session.Close}}
	if c.reader.Buffered() > 0 {
		c.log.Warn("plaintext after STARTTLS", "peer", peerName(c.peer))
		_ = c.flush() // its client may still see that it was accepted, and then closed
		return closed
	}
	if c.flush() != nil {
		return closed
	}
	ch, ok := c.secure(ctx)
	if !ok {
		return closed
	}
	return c.session.Secured(ch)
}

// secure does the handshake, and tells what SASL may know of the channel that there is then.
func (c *conn) secure(ctx context.Context) (ch auth.Channel, ok bool) {
	if c.hurry() != nil {
		return ch, false
	}
	under := &recorder{Conn: c.rwc}
	tc := tls.Server(under, c.ep.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		c.log.Info("TLS handshake failed", "peer", peerName(c.peer), "cause", err)
		return ch, false
	}
	state := tc.ConnectionState()
	c.replace(tc)
	ch.Binding = func(kind string) ([]byte, error) { return binding(&state, under.leaf, kind) }
	if len(state.VerifiedChains) > 0 && c.ep.OfCertificate != nil {
		ch.Names = c.ep.OfCertificate(state.VerifiedChains[0][0])
	}
	return ch, true
}

// A recorder is a connection that remembers which certificate a handshake on it has shown. Package tls does not tell.
type recorder struct {
	net.Conn
	leaf *x509.Certificate
}

// recording returns a configuration that tells recorders which certificate it has chosen.
func recording(cfg *tls.Config) *tls.Config {
	if cfg == nil || cfg.GetCertificate == nil {
		return cfg
	}
	choose := cfg.GetCertificate
	cfg = cfg.Clone()
	cfg.GetCertificate = func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
		cert, err := choose(hello)
		if rec, is := hello.Conn.(*recorder); is && err == nil {
			rec.leaf = cert.Leaf
		}
		return cert, err
	}
	return cfg
}

// binding returns the channel binding data of a type.
func binding(state *tls.ConnectionState, leaf *x509.Certificate, kind string) ([]byte, error) {
	switch {
	case kind == "tls-exporter": // RFC 9266 §4
		return state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	case kind == "tls-server-end-point" && leaf != nil:
		return endPoint(leaf)
	}
	return nil, errors.New("there is no channel binding of that type")
}

// endPoint is the hash of a certificate that its own signature algorithm has, and SHA-256 in place of what is weaker
// (RFC 5929 §4.1).
func endPoint(leaf *x509.Certificate) ([]byte, error) {
	newHash := sha256.New
	switch leaf.SignatureAlgorithm {
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		newHash = sha512.New384
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		newHash = sha512.New
	case x509.PureEd25519: // it has none, so none is agreed on
		return nil, errors.New("the certificate's signature algorithm has no hash")
	}
	h := newHash()
	h.Write(leaf.Raw)
	return h.Sum(nil), nil
}
