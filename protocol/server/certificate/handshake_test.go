package certificate_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// A shown is a server's connection that remembers which certificate was shown on it.
type shown struct {
	net.Conn
	leaf *x509.Certificate
}

func (s *shown) Shown(leaf *x509.Certificate) { s.leaf = leaf }

// An outcome is what became of a handshake, as both sides see it.
type outcome struct {
	client, server       tls.ConnectionState
	clientErr, serverErr error
	shown                *x509.Certificate
}

// connect returns both ends of a connection. net.Pipe is none for TLS: it keeps nothing, and both sides may write at once.
func connect(t testing.TB) (ours, theirs net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if theirs, err = net.Dial("tcp", l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	if ours, err = l.Accept(); err != nil {
		t.Fatal(err)
	}
	return ours, theirs
}

// handshake lets a client shake hands with a server, and the server say a word, because a client of TLS 1.3 hears of a
// refusal, and of tickets, only behind the handshake.
func handshake(t testing.TB, server, client *tls.Config) (o outcome) {
	t.Helper()
	ours, theirs := connect(t)
	defer ours.Close()
	defer theirs.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	stop := context.AfterFunc(ctx, func() { ours.Close(); theirs.Close() })
	defer stop()
	done := make(chan struct{})
	conn := &shown{Conn: ours}
	go func() {
		defer close(done)
		s := tls.Server(conn, server)
		if o.serverErr = s.HandshakeContext(ctx); o.serverErr == nil {
			_, o.serverErr = s.Write([]byte("x"))
		}
		o.server = s.ConnectionState()
		if o.serverErr != nil {
			ours.Close()
		}
	}()
	c := tls.Client(theirs, client)
	if o.clientErr = c.HandshakeContext(ctx); o.clientErr == nil {
		_, o.clientErr = c.Read(make([]byte, 1))
	}
	o.client = c.ConnectionState()
	theirs.Close()
	<-done
	o.shown = conn.leaf
	return o
}

func (o outcome) expect(t testing.TB) outcome {
	t.Helper()
	if err := errors.Join(o.clientErr, o.serverErr); err != nil {
		t.Fatal(err)
	}
	return o
}

func open(t testing.TB, cfg certificate.Config) *certificate.Store {
	t.Helper()
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	s, err := certificate.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// The certificate is that of the name that the client asks for, and the first if nobody has it or none is asked for.
func TestServerName(t *testing.T) {
	a, dir := newAuthority(t, time.Now()), t.TempDir()
	old := a.forHosts()
	old.Subject.CommonName = "old.example"
	s := open(t, certificate.Config{Pairs: []certificate.Pair{
		a.issue(a.forHosts("mail.example.org", "*.example.org")).save(t, dir, "first"),
		a.issue(a.forHosts("imap.example.org", "MAIL.example.net")).save(t, dir, "second"),
		a.issue(old).save(t, dir, "third"),
	}})
	leaves := s.Leaves()
	for name, want := range map[string]int{
		"": 0, "mail.example.org": 0, "smtp.example.org": 0, "imap.example.org": 1, "Imap.Example.Org": 1, "mail.example.net": 1,
		"a.mail.example.org": 0, "example.org": 0, "other.example": 0, "old.example": 2, "x.old.example": 0, "localhost": 0,
	} {
		o := handshake(t, s.TLSConfig(), &tls.Config{ServerName: name, InsecureSkipVerify: true}).expect(t)
		if got := o.client.PeerCertificates[0]; !got.Equal(leaves[want]) || !o.shown.Equal(got) {
			t.Errorf("%q: shown %q, and %q said; want number %d", name, got.DNSNames, o.shown.DNSNames, want)
		}
	}
}

// Of two certificates for one name a client is shown the one that it can use, for any name and for none.
func TestTwoKinds(t *testing.T) {
	a, dir := newAuthority(t, time.Now()), t.TempDir()
	s := open(t, certificate.Config{Pairs: []certificate.Pair{
		a.issue(a.forHosts("mail.example.org")).save(t, dir, "ecdsa"),
		a.issueRSA(a.forHosts("mail.example.org")).save(t, dir, "rsa"),
	}})
	onlyRSA := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, name := range []string{"mail.example.org", "other.example", ""} {
		o := handshake(t, s.TLSConfig(), &tls.Config{ServerName: name, InsecureSkipVerify: true}).expect(t)
		if got := o.client.PeerCertificates[0].PublicKeyAlgorithm; got != x509.ECDSA {
			t.Errorf("%q: %s for a client that can do both", name, got)
		}
		o = handshake(t, s.TLSConfig(), &tls.Config{ServerName: name, InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, CipherSuites: onlyRSA}).expect(t)
		if got := o.client.PeerCertificates[0].PublicKeyAlgorithm; got != x509.RSA || !o.shown.Equal(o.client.PeerCertificates[0]) {
			t.Errorf("%q: %s for a client that can do only RSA", name, got)
		}
	}
}

// RFC 8996 §2: there is no TLS below 1.2.
func TestVersions(t *testing.T) {
	a := newAuthority(t, time.Now())
	s := open(t, certificate.Config{Pairs: []certificate.Pair{a.issue(a.forHosts("a.example")).save(t, t.TempDir(), "a")}})
	for _, version := range []uint16{tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13} {
		client := &tls.Config{ServerName: "a.example", RootCAs: pool(a.cert), MinVersion: version, MaxVersion: version}
		o := handshake(t, s.TLSConfig(), client)
		if refused := o.serverErr != nil && o.clientErr != nil; refused != (version < tls.VersionTLS12) {
			t.Errorf("%s: %v, %v", tls.VersionName(version), o.clientErr, o.serverErr)
		}
	}
}

// What clients are asked for, and what becomes of those that show it or do not.
func TestClientCertificate(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	a, other := newAuthority(t, now), newAuthority(t, now)
	ca := dir + "/ca.pem"
	write(t, ca, pemOf(a.cert))
	pair := a.issue(a.forHosts("a.example")).save(t, dir, "a")
	person := a.forHosts()
	person.EmailAddresses = []string{"ann@example.org"}
	expired := a.forHosts()
	expired.NotAfter = now.Add(-time.Minute)
	server := a.forHosts("b.example")
	server.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	clients := map[string]*issued{"nothing": nil}
	for name, i := range map[string]issued{
		"a good one": a.issue(person), "one of another CA": other.issue(person), "an expired one": a.issue(expired), "a server's": a.issue(server),
	} {
		clients[name] = &i
	}
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		for mode, let := range map[certificate.Client][]string{
			certificate.ClientNone:    {"nothing", "a good one", "one of another CA", "an expired one", "a server's"},
			certificate.ClientRequest: {"nothing", "a good one"},
			certificate.ClientRequire: {"a good one"},
		} {
			s := open(t, certificate.Config{Pairs: []certificate.Pair{pair}, ClientCA: ca, Client: mode})
			for name, i := range clients {
				client := &tls.Config{ServerName: "a.example", RootCAs: pool(a.cert), MinVersion: version, MaxVersion: version}
				if i != nil {
					own := tls.Certificate{Certificate: [][]byte{i.cert.Raw}, PrivateKey: i.key}
					client.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &own, nil }
				}
				o := handshake(t, s.TLSConfig(), client)
				if in := o.clientErr == nil && o.serverErr == nil; in != slices.Contains(let, name) {
					t.Errorf("%s, mode %d: %s: %v, %v", tls.VersionName(version), mode, name, o.clientErr, o.serverErr)
				}
				verified := mode != certificate.ClientNone && name == "a good one"
				if got := len(o.server.VerifiedChains) > 0; got != verified {
					t.Errorf("%s, mode %d: %s: verified %t", tls.VersionName(version), mode, name, got)
				}
				if verified && strings.Join(certificate.Names(o.server.VerifiedChains[0][0]), " ") != "ann@example.org" {
					t.Errorf("names %q", certificate.Names(o.server.VerifiedChains[0][0]))
				}
			}
		}
	}
}

// A client may resume its session, with the certificate that it has shown, until a certificate of the server changes.
func TestResumption(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		a, dir := newAuthority(t, time.Now()), t.TempDir()
		ca := dir + "/ca.pem"
		write(t, ca, pemOf(a.cert))
		s := open(t, certificate.Config{
			Pairs:    []certificate.Pair{a.issue(a.forHosts("a.example")).save(t, dir, "a")},
			ClientCA: ca, Client: certificate.ClientRequire,
		})
		own := a.issue(a.forHosts("client.example"))
		server, client := s.TLSConfig(), &tls.Config{
			ServerName: "a.example", RootCAs: pool(a.cert), MinVersion: version, MaxVersion: version, ClientSessionCache: tls.NewLRUClientSessionCache(1),
			Certificates: []tls.Certificate{{Certificate: [][]byte{own.cert.Raw}, PrivateKey: own.key}},
		}
		for i, resumed := range []bool{false, true, true} {
			o := handshake(t, server, client).expect(t)
			if o.server.DidResume != resumed || len(o.server.VerifiedChains) != 1 || !o.shown.Equal(s.Leaves()[0]) {
				t.Errorf("%s, %d: resumed %t, %d chains", tls.VersionName(version), i, o.server.DidResume, len(o.server.VerifiedChains))
			}
		}
		a.issue(a.forHosts("a.example")).save(t, dir, "a")
		s.Look()
		if o := handshake(t, server, client).expect(t); o.server.DidResume || !o.shown.Equal(o.client.PeerCertificates[0]) {
			t.Errorf("%s: resumed with a certificate that is not shown any more", tls.VersionName(version))
		}
		if o := handshake(t, server, client).expect(t); !o.server.DidResume {
			t.Errorf("%s: not resumed", tls.VersionName(version))
		}
		write(t, ca, pemOf(newAuthority(t, time.Now()).cert))
		s.Look()
		if o := handshake(t, server, client); o.serverErr == nil {
			t.Errorf("%s: resumed with a certificate of a CA that is not believed any more", tls.VersionName(version))
		}
	}
}
