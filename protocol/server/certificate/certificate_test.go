package certificate_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// clock is a Now that tests move on.
type clock struct{ time.Time }

func newClock() *clock                { return &clock{time.Now()} }
func (c *clock) now() time.Time       { return c.Time }
func (c *clock) pass(d time.Duration) { c.Time = c.Add(d) }

// issue makes a certificate for names, signed by itself, and puts it and its key into files of a name in dir.
func issue(t testing.TB, file string, until time.Time, names ...string) certificate.Pair {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-48 * time.Hour), NotAfter: until,
		Subject: pkix.Name{CommonName: names[0]}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	for _, n := range names[1:] {
		if strings.Contains(n, "@") {
			template.EmailAddresses = append(template.EmailAddresses, n)
		} else {
			template.DNSNames = append(template.DNSNames, n)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	p := certificate.Pair{Certificate: file + ".pem", Key: file + ".key"}
	write(t, p.Certificate, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	write(t, p.Key, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private})))
	return p
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func tomorrow() time.Time { return time.Now().Add(24 * time.Hour) }

// open opens a store of pairs, with a clock and a log.
func open(t testing.TB, pairs ...certificate.Pair) (*certificate.Store, *clock, *bytes.Buffer) {
	t.Helper()
	c, log := newClock(), &bytes.Buffer{}
	s, err := certificate.Open(certificate.Config{Pairs: pairs, Now: c.now, Log: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	return s, c, log
}

// shake shakes hands and returns the name of the certificate that the server shows.
func shake(t testing.TB, cfg, client *tls.Config) (name string, err error) {
	t.Helper()
	ours, theirs := net.Pipe()
	defer ours.Close()
	defer theirs.Close()
	done := make(chan error, 1)
	go func() {
		err := tls.Server(theirs, cfg).Handshake()
		if err != nil {
			theirs.Close()
		}
		done <- err
	}()
	c := tls.Client(ours, client)
	err = c.Handshake()
	if err == nil {
		name = c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	ours.Close()
	if failed := <-done; failed != nil {
		err = failed
	}
	return name, err
}

func show(t *testing.T, s *certificate.Store, serverName string) string {
	t.Helper()
	name, err := shake(t, s.TLSConfig(), &tls.Config{InsecureSkipVerify: true, ServerName: serverName})
	if err != nil {
		t.Error(err)
	}
	return name
}

func TestNames(t *testing.T) {
	dir := t.TempDir()
	s, _, _ := open(t,
		issue(t, dir+"/a", tomorrow(), "first", "mail.example.org"),
		issue(t, dir+"/b", tomorrow(), "wild", "*.example.net", "example.net"),
		issue(t, dir+"/c", tomorrow(), "old.example.com"),
		issue(t, dir+"/d", tomorrow(), "late", "mail.example.org", "imap.example.net"))
	for asked, want := range map[string]string{
		"":                   "first",
		"mail.example.org":   "first",
		"MAIL.Example.org":   "first",
		"a.example.net":      "wild",
		"example.net":        "wild",
		"a.b.example.net":    "first",
		"imap.example.net":   "late",
		"old.example.com":    "old.example.com",
		"other.example.com.": "first",
	} {
		if got := show(t, s, asked); got != want {
			t.Errorf("%q is shown %q, want %q", asked, got, want)
		}
	}
}

// A certificate that is renewed is shown from the next look on, half of a renewal never.
func TestRenewal(t *testing.T) {
	dir := t.TempDir()
	old := issue(t, dir+"/c", tomorrow(), "old")
	fresh := issue(t, dir+"/new", tomorrow(), "new")
	s, clock, log := open(t, old)
	move := func(from, to string) {
		t.Helper()
		if err := os.Rename(from, to); err != nil {
			t.Fatal(err)
		}
	}
	move(fresh.Certificate, old.Certificate)
	if got := show(t, s, ""); got != "old" {
		t.Errorf("before the next look: %q", got)
	}
	clock.pass(2 * time.Second)
	if got := show(t, s, ""); got != "old" {
		t.Errorf("with a key that does not fit: %q", got)
	}
	clock.pass(2 * time.Second)
	show(t, s, "")
	if n := strings.Count(log.String(), "cannot be used"); n != 1 {
		t.Errorf("told %d times: %s", n, log)
	}
	move(fresh.Key, old.Key)
	clock.pass(2 * time.Second)
	if got := show(t, s, ""); got != "new" {
		t.Errorf("after the key: %q", got)
	}
	for _, broken := range []func(){
		func() { write(t, old.Certificate, "garbage") },
		func() { write(t, old.Certificate, "") },
		func() { issue(t, dir+"/c", time.Now().Add(-time.Hour), "expired") },
		func() { os.Remove(old.Key) },
	} {
		broken()
		clock.pass(2 * time.Second)
		if got := show(t, s, ""); got != "new" {
			t.Errorf("after a broken renewal: %q", got)
		}
	}
	issue(t, dir+"/c", tomorrow(), "mended")
	clock.pass(2 * time.Second)
	if got := show(t, s, ""); got != "mended" {
		t.Errorf("after it was mended: %q", got)
	}
	if path, until := s.Soonest(); path != old.Certificate || until.After(tomorrow()) {
		t.Errorf("soonest is %s, %s", path, until)
	}
}

// What is wrong at the start is told, all of it.
func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	good, other := issue(t, dir+"/good", tomorrow(), "good"), issue(t, dir+"/other", tomorrow(), "other")
	expired := issue(t, dir+"/expired", time.Now().Add(-time.Hour), "expired")
	write(t, dir+"/text", "hello\n")
	write(t, dir+"/encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	c := newClock()
	_, err := certificate.Open(certificate.Config{
		Pairs: []certificate.Pair{
			good, expired, {Certificate: good.Certificate, Key: other.Key}, {Certificate: dir + "/none", Key: good.Key},
			{Certificate: good.Certificate, Key: dir + "/encrypted"}, {Certificate: dir + "/text", Key: good.Key}, {Certificate: dir, Key: good.Key},
		},
		CA: dir + "/text", Client: certificate.RequireClient, Now: c.now,
	})
	if err == nil {
		t.Fatal("opened")
	}
	for _, want := range []string{
		"expired.pem: the certificate has expired on ", "private key does not match public key", "none: no such file", "encrypted: the key is encrypted",
		"text: there is no PEM in it", "is no regular file",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nlacks %q", err, want)
		}
	}
	if strings.Count(err.Error(), "there is no PEM") != 2 {
		t.Errorf("%v", err)
	}
	if _, err := certificate.Open(certificate.Config{Now: c.now}); err == nil {
		t.Error("opened without a certificate")
	}
	c.pass(-72 * time.Hour)
	if _, err := certificate.Open(certificate.Config{Pairs: []certificate.Pair{good}, Now: c.now}); err == nil || !strings.Contains(err.Error(), "is not valid before") {
		t.Errorf("%v", err)
	}
}

// TLS 1.0 and 1.1 are refused (RFC 8996).
func TestVersions(t *testing.T) {
	s, _, _ := open(t, issue(t, t.TempDir()+"/c", tomorrow(), "c"))
	for version, works := range map[uint16]bool{tls.VersionTLS10: false, tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		_, err := shake(t, s.TLSConfig(), &tls.Config{InsecureSkipVerify: true, MinVersion: version, MaxVersion: version})
		if (err == nil) != works {
			t.Errorf("%s: %v", tls.VersionName(version), err)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	dir := t.TempDir()
	pair := issue(t, dir+"/c", tomorrow(), "c")
	load := func(p certificate.Pair) []tls.Certificate {
		cert, err := tls.LoadX509KeyPair(p.Certificate, p.Key)
		if err != nil {
			t.Fatal(err)
		}
		return []tls.Certificate{cert}
	}
	ann := issue(t, dir+"/ann", tomorrow(), "Ann", "ann@example.org")
	stranger := load(issue(t, dir+"/stranger", tomorrow(), "Stranger"))
	for _, test := range []struct {
		client         certificate.ClientAuth
		none, with, by bool // whether a client without one, with one and with a stranger's may connect
	}{{certificate.NoClient, true, true, true}, {certificate.RequestClient, true, true, false}, {certificate.RequireClient, false, true, false}} {
		s, err := certificate.Open(certificate.Config{Pairs: []certificate.Pair{pair}, CA: ann.Certificate, Client: test.client, Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		for certs, works := range map[*[]tls.Certificate]bool{{}: test.none, ptr(load(ann)): test.with, &stranger: test.by} {
			client := &tls.Config{InsecureSkipVerify: true, GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
				if len(*certs) == 0 {
					return &tls.Certificate{}, nil
				}
				return &(*certs)[0], nil
			}}
			if _, err := shake(t, s.TLSConfig(), client); (err == nil) != works {
				t.Errorf("%d, %d certificates: %v", test.client, len(*certs), err)
			}
		}
	}
	leaf := load(ann)[0].Leaf
	if got := certificate.Names(leaf); !slices.Equal(got, []string{"ann@example.org"}) {
		t.Errorf("the names are %q", got)
	}
	if got := certificate.Names(stranger[0].Leaf); !slices.Equal(got, []string{"Stranger"}) {
		t.Errorf("the names are %q", got)
	}
}

func ptr[T any](v T) *T { return &v }

// A certificate for a first try is made once, and made anew when it is of no use any more.
func TestSelfSigned(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	now := time.Now()
	p, first, err := certificate.SelfSigned(dir, "mail.example.org", now)
	if err != nil {
		t.Fatal(err)
	}
	s, _, _ := open(t, p)
	pem, err := os.ReadFile(p.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	trusting := x509.NewCertPool()
	trusting.AppendCertsFromPEM(pem)
	if name, err := shake(t, s.TLSConfig(), &tls.Config{RootCAs: trusting, ServerName: "mail.example.org"}); err != nil || name != "mail.example.org" {
		t.Errorf("%q, %v", name, err)
	}
	if info, err := os.Stat(p.Key); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	for _, test := range []struct {
		hostname string
		now      time.Time
		same     bool
	}{{"mail.example.org", now, true}, {"mail.example.org", now.Add(360 * 24 * time.Hour), false}, {"other.example.org", now, false}} {
		_, again, err := certificate.SelfSigned(dir, test.hostname, test.now)
		if err != nil || (again == first) != test.same {
			t.Errorf("%s, %s: %s after %s, %v", test.hostname, test.now, again, first, err)
		}
	}
	write(t, dir+"/file", "")
	if _, _, err := certificate.SelfSigned(dir+"/file", "h", now); err == nil {
		t.Error("made in a file")
	}
}

func TestLook(t *testing.T) {
	p := issue(t, t.TempDir()+"/c", tomorrow(), "Issuer", "a.example.org", "b.example.org")
	if err := os.Chmod(p.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	s, err := certificate.Look(p, time.Now())
	if err != nil || !slices.Equal(s.Names, []string{"a.example.org", "b.example.org"}) || s.Issuer != "Issuer" || !s.Public {
		t.Errorf("%+v, %v", s, err)
	}
	if _, err := certificate.Look(p, time.Now().Add(48*time.Hour)); err == nil {
		t.Error("it has not expired")
	}
}

// BenchmarkHandshake is both ends of a full handshake of TLS 1.3 with P-256.
func BenchmarkHandshake(b *testing.B) {
	s, _, _ := open(b, issue(b, b.TempDir()+"/c", tomorrow(), "c"))
	cfg := s.TLSConfig()
	for b.Loop() {
		if _, err := shake(b, cfg, &tls.Config{InsecureSkipVerify: true}); err != nil {
			b.Fatal(err)
		}
	}
}
