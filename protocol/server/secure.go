package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"sync"

	"lmtpd/auth"
	"lmtpd/protocol/server/certificate"
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
	if state.Version >= tls.VersionTLS13 { // before it, clients bind what is unsafe (tls-unique, RFC 9266 §1) and is not offered
		ch.Binding = bindings(&state, under.leaf)
	}
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

// bindings returns the channel binding data of a type (auth.Channel). What is offered depends on it, so it is asked for again and
// again, and computed once.
func bindings(state *tls.ConnectionState, leaf *x509.Certificate) func(kind string) ([]byte, error) {
	exporter := sync.OnceValues(func() ([]byte, error) { // RFC 9266 §4
		return state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	})
	endPoint := sync.OnceValues(func() ([]byte, error) { return certificate.EndPoint(leaf) })
	return func(kind string) ([]byte, error) {
		switch {
		case kind == "tls-exporter":
			return exporter()
		case kind == "tls-server-end-point" && leaf != nil:
			return endPoint()
		}
		return nil, errors.New("there is no channel binding of that type")
	}
}
