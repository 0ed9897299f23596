package server_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"net/textproto"
	"testing"
	"testing/synctest"
	"time"

	"lmtpd/auth"
	"lmtpd/protocol/server"
	"lmtpd/protocol/server/certificate"
	"lmtpd/protocol/session"
)

// A witness is an auth.Authenticator that offers nothing and tells what it was asked about.
type witness chan auth.Channel

func (w witness) Mechanisms(ch auth.Channel) []string {
	w <- ch
	return nil
}

func (w witness) Begin(string, auth.Channel) auth.Exchange { panic("nothing is offered") }

func newWitness() witness { return make(witness, 10) }

// secure makes a client one of TLS.
func (c *client) secure(cfg *tls.Config) tls.ConnectionState {
	c.t.Helper()
	tc := tls.Client(c.Conn, cfg)
	if err := tc.Handshake(); err != nil {
		c.t.Fatal(err)
	}
	c.Conn, c.r = tc, textproto.NewReader(bufio.NewReader(tc))
	return tc.ConnectionState()
}

// fromStore is a configuration with a certificate that is chosen by name, as daemons have it.
func fromStore(t *testing.T) *tls.Config {
	t.Helper()
	p, _, err := certificate.SelfSigned(t.TempDir(), "mail.example.org", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	s, err := certificate.Open(certificate.Config{Pairs: []certificate.Pair{p}, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return s.TLSConfig()
}

// RFC 8314 §3: TLS begins with the first octet, and nothing else is offered. RFC 9266 §4, RFC 5929 §4.1: both ends have the
// same channel bindings.
func TestImplicitTLS(t *testing.T) {
	l, seen := newPipeListener(), newWitness()
	ep := esmtpWithTLS(t)
	ep.TLS, ep.Start, ep.Session.Auth = fromStore(t), server.ImplicitTLS, seen
	start(t, server.New(config(&keeper{})), l, ep)
	c := newClient(t, l.dial())
	state := c.secure(&tls.Config{InsecureSkipVerify: true})
	c.expect("220")
	c.say("EHLO client.example.org", "250")
	ch := <-seen
	if !ch.Secured || len(ch.Names) > 0 {
		t.Errorf("secured %v, names %q", ch.Secured, ch.Names)
	}
	exported, err := state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	if got, told := ch.Binding("tls-exporter"); err != nil || told != nil || !bytes.Equal(got, exported) {
		t.Errorf("tls-exporter is %x, %v; the client has %x, %v", got, told, exported, err)
	}
	hash := sha256.Sum256(state.PeerCertificates[0].Raw)
	if got, err := ch.Binding("tls-server-end-point"); err != nil || !bytes.Equal(got, hash[:]) {
		t.Errorf("tls-server-end-point is %x, %v; the client has %x", got, err, hash)
	}
	if got, err := ch.Binding("tls-unique"); err == nil {
		t.Errorf("tls-unique is %x", got)
	}
	c.say("STARTTLS", "500 5.5.1")
	c.say("QUIT", "221")
}

// RFC 9266 §1: before TLS 1.3 clients bind tls-unique, so nothing is offered that they would fail with.
func TestNoBindingBeforeTLS13(t *testing.T) {
	l, seen := newPipeListener(), newWitness()
	ep := esmtpWithTLS(t)
	ep.TLS, ep.Start, ep.Session.Auth = fromStore(t), server.ImplicitTLS, seen
	start(t, server.New(config(&keeper{})), l, ep)
	c := newClient(t, l.dial())
	c.secure(&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	c.expect("220")
	c.say("EHLO client.example.org", "250")
	if ch := <-seen; !ch.Secured || ch.Binding != nil {
		t.Errorf("secured %v, and it can be bound", ch.Secured)
	}
	c.say("QUIT", "221")
}

// What a certificate proves is known after the handshake, and only what was verified.
func TestCertificateNames(t *testing.T) {
	l, seen := newPipeListener(), newWitness()
	ep := esmtpWithTLS(t)
	cert := ep.TLS.Certificates[0]
	leaf, err := x509.ParseCertificate(cert.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	ep.TLS.ClientCAs, ep.TLS.ClientAuth = x509.NewCertPool(), tls.VerifyClientCertIfGiven
	ep.TLS.ClientCAs.AddCert(leaf)
	ep.Session.Auth = seen
	ep.OfCertificate = func(c *x509.Certificate) []string {
		if !c.Equal(leaf) {
			t.Error("another certificate")
		}
		return []string{"ann@example.org"}
	}
	start(t, server.New(config(&keeper{})), l, ep)
	for _, test := range []struct {
		certs []tls.Certificate
		names int
	}{{nil, 0}, {[]tls.Certificate{cert}, 1}} {
		c := newClient(t, l.dial())
		c.expect("220")
		c.say("EHLO client.example.org", "250")
		if ch := <-seen; ch.Secured && ch.Peer.IsValid() || len(ch.Names) > 0 || ch.Binding != nil {
			t.Errorf("before the handshake: %v", ch)
		}
		c.say("STARTTLS", "220 2.0.0")
		c.secure(&tls.Config{InsecureSkipVerify: true, Certificates: test.certs})
		c.say("EHLO client.example.org", "250")
		if ch := <-seen; len(ch.Names) != test.names || ch.Binding == nil {
			t.Errorf("after the handshake: %v", ch)
		}
		c.say("QUIT", "221")
	}
}

// A client that does not get on with its handshake does not keep its connection, and no shutdown waits for it.
func TestImplicitTLSDeadline(t *testing.T) {
	ep := esmtpWithTLS(t)
	ep.Start = server.ImplicitTLS
	synctest.Test(t, func(t *testing.T) {
		l := newPipeListener()
		start(t, server.New(config(&keeper{})), l, ep)
		c, began := l.dial(), time.Now()
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("%v", err)
		}
		if d := time.Since(began); d != 30*time.Second {
			t.Errorf("hung up on after %v", d)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		l, s := newPipeListener(), server.New(config(&keeper{}))
		start(t, s, l, ep)
		c := l.dial()
		synctest.Wait()
		began := time.Now()
		if err := s.Shutdown(context.Background()); err != nil || time.Since(began) > 0 {
			t.Errorf("%v after %v", err, time.Since(began))
		}
		c.Close()
	})
}

// Whoever speaks plain SMTP, or HTTP, to a port of TLS is hung up on.
func TestImplicitTLSPlain(t *testing.T) {
	for _, said := range []string{"EHLO client.example.org\r\n", "GET / HTTP/1.1\r\nHost: mail.example.org\r\n\r\n"} {
		l := newPipeListener()
		ep := esmtpWithTLS(t)
		ep.Start = server.ImplicitTLS
		start(t, server.New(config(&keeper{})), l, ep)
		c := l.dial()
		go io.WriteString(c, said)
		if answer, _ := io.ReadAll(c); bytes.Contains(answer, []byte("220")) {
			t.Errorf("answered %q with %q", said, answer)
		}
		c.Close()
	}
}

// A panic before the greeting is one connection's end, and not the daemon's.
func TestPanicBeforeGreeting(t *testing.T) {
	l := listenTCP(t)
	ep := lmtp()
	ep.Proxy, ep.Trusted = server.ProxyProtocol, func(a netip.Addr) bool {
		if a.IsLoopback() {
			return true
		}
		panic("asked for")
	}
	start(t, server.New(config(&keeper{})), l, ep)
	c := dialTCP(t, l)
	c.send("PROXY TCP4 192.0.2.9 192.0.2.1 49152 587\r\n")
	if said, _ := io.ReadAll(c.Conn); len(said) > 0 {
		t.Errorf("%q", said)
	}
	c = dialTCP(t, l)
	c.send("PROXY TCP4 127.0.0.1 192.0.2.1 49152 587\r\n")
	c.expect("220")
}

// fromProxy is an endpoint whose clients come through a proxy.
func fromProxy(seen witness) server.Endpoint {
	ep := lmtp()
	ep.Session.Dialect, ep.Session.Auth, ep.Proxy = session.ESMTP(), seen, server.ProxyProtocol
	ep.Trusted = func(a netip.Addr) bool { return !a.IsValid() || a.IsLoopback() }
	return ep
}

const v2Signature = "\r\n\r\n\x00\r\nQUIT\n"

// A proxy says for whom it has connected; that one's word is not taken for who others are.
func TestProxyHeader(t *testing.T) {
	for header, want := range map[string]string{
		"PROXY TCP4 192.0.2.9 192.0.2.1 49152 587\r\n":                                   "192.0.2.9",
		"PROXY TCP6 2001:db8::9 2001:db8::1 49152 587\r\n":                               "2001:db8::9",
		"PROXY TCP6 ::ffff:192.0.2.9 ::ffff:192.0.2.1 9 587\r\n":                         "192.0.2.9",
		v2Signature + "\x21\x11\x00\x0c\xc0\x00\x02\x09\xc0\x00\x02\x01\xc0\x00\x02\x4b": "192.0.2.9",
		v2Signature + "\x20\x00\x00\x00":                                                 "",
	} {
		l, seen := newPipeListener(), newWitness()
		start(t, server.New(config(&keeper{})), l, fromProxy(seen))
		c := newClient(t, l.dial())
		go io.WriteString(c.Conn, header+"EHLO client.example.org\r\n")
		c.expect("220")
		c.expect("250")
		ch := <-seen
		if got := ch.Peer; got.IsValid() != (want != "") || want != "" && got.String() != want {
			t.Errorf("%q: the client is %v", header, got)
		}
		if ch.Secured != (want == "") {
			t.Errorf("%q: secured is %v", header, ch.Secured)
		}
		code := "500 5.5.1"
		if want == "" {
			code = "220" // the proxy itself, whose word is taken
		}
		c.say("XCLIENT ADDR=192.0.2.7", code)
		c.say("QUIT", "221")
	}
}

// A client that the proxy does not know is not the proxy.
func TestProxyHeaderUnknown(t *testing.T) {
	l, seen := newPipeListener(), newWitness()
	ep := fromProxy(seen)
	ep.Session.Submitter = func(netip.Addr) bool { return true }
	start(t, server.New(config(&keeper{})), l, ep)
	c := newClient(t, l.dial())
	go io.WriteString(c.Conn, "PROXY UNKNOWN\r\nEHLO client.example.org\r\n")
	c.expect("220")
	c.expect("250")
	if ch := <-seen; ch.Peer.IsValid() || ch.Secured || len(ch.Names) > 0 {
		t.Errorf("%+v", ch)
	}
	c.say("XCLIENT ADDR=192.0.2.7", "500 5.5.1")
	c.say("QUIT", "221")
}

// What is no header is no client, and is not answered.
func TestProxyHeaderBad(t *testing.T) {
	for _, said := range []string{"EHLO client.example.org\r\n", "PROXY TCP4 here there 1 2\r\n", v2Signature + "\x41\x11\x00\x0c", "PROXY " + string(bytes.Repeat([]byte("x"), 1000))} {
		l := newPipeListener()
		start(t, server.New(config(&keeper{})), l, fromProxy(newWitness()))
		c := l.dial()
		go io.WriteString(c, said)
		if answer, _ := io.ReadAll(c); len(answer) > 0 {
			t.Errorf("answered %q with %q", said, answer)
		}
		c.Close()
	}
}

// Who is no proxy is served as it comes, and its header is but a bad command.
func TestProxyHeaderOfStranger(t *testing.T) {
	l, seen := newPipeListener(), newWitness()
	ep := fromProxy(seen)
	ep.Trusted = func(netip.Addr) bool { return false }
	start(t, server.New(config(&keeper{})), l, ep)
	c := newClient(t, l.dial())
	c.expect("220")
	c.say("PROXY TCP4 192.0.2.9 192.0.2.1 49152 587", "500 5.5.1")
	c.say("QUIT", "221")
}

// The limit on one peer's connections is on the client's, not on the proxy's.
func TestProxyHeaderLimits(t *testing.T) {
	l := listenTCP(t)
	cfg := config(&keeper{})
	cfg.MaxConnsPeer = 2
	start(t, server.New(cfg), l, fromProxy(newWitness()))
	connect := func(from, code string) *client {
		c := dialTCP(t, l)
		io.WriteString(c.Conn, "PROXY TCP4 "+from+" 192.0.2.1 49152 587\r\n")
		c.expect(code)
		return c
	}
	a, b := connect("192.0.2.9", "220"), connect("192.0.2.9", "220")
	connect("192.0.2.9", "421 4.7.0")
	connect("192.0.2.8", "220")
	a.say("QUIT", "221")
	b.say("QUIT", "221")
	io.ReadAll(a.Conn)
	io.ReadAll(b.Conn)
	connect("192.0.2.9", "220")
}
