package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
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
	c.shaking = true
	under := &witness{Conn: c.rwc}
	tc := tls.Server(under, c.ep.TLS)
	if err := tc.HandshakeContext(ctx); err != nil {
		c.log.Info("TLS handshake failed", "peer", peerName(c.peer), "cause", err)
		return ch, false
	}
	c.shaking = false
	state := tc.ConnectionState()
	c.replace(tc)
	ch.Binding = auth.Bindings(&state, under.leaf)
	if len(state.VerifiedChains) > 0 && c.ep.OfCertificate != nil {
		ch.Names = c.ep.OfCertificate(state.VerifiedChains[0][0])
	}
	return ch, true
}

// A witness is a connection that remembers which certificate was shown on it: certificate.Witness.
type witness struct {
	net.Conn
	leaf *x509.Certificate
}

func (w *witness) Shown(leaf *x509.Certificate) { w.leaf = leaf }
