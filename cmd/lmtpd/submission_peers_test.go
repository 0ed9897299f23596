package main_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"lmtpd/auth/password"
)

// An msa is a daemon that takes mail from those who log in, with a certificate that its clients can verify. Beside their
// passwords it believes certificates of its own authority and tokens of one issuer.
type msa struct {
	*daemon
	authority *authority
	issuer    jose.Signer
	listeners map[string]string // host:port by how TLS begins there: "starttls", "implicit"
}

// prepareMSA makes a daemon an msa whose accounts are in a file; more is TOML that is put behind its configuration.
func prepareMSA(t *testing.T, d *daemon, more string) *msa {
	t.Helper()
	m := &msa{
		daemon:    d,
		authority: newAuthority(t),
		issuer:    newIssuer(t, filepath.Join(d.dir, "jwks")),
		listeners: map[string]string{"starttls": freePort(t), "implicit": freePort(t)},
	}
	mkdirOwned(t, filepath.Join(d.dir, "etc"))
	server := x509.Certificate{DNSNames: []string{"mda.example.org"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}}
	writeFile(t, m.users(), "")
	chownMail(t, filepath.Join(d.dir, "etc"))
	d.configure(t, fmt.Sprintf(`
[[listen]]
protocol = "submission"
address  = %q
[[listen]]
protocol = "submissions"
address  = %q
[tls]
certificate = %[3]q
key         = %[3]q
ca          = %q
client      = "request"
[auth.oauth]
jwks = %q
`, m.listeners["starttls"], m.listeners["implicit"], m.authority.issue(t, filepath.Join(d.dir, "server.pem"), server), m.ca(),
		filepath.Join(d.dir, "jwks"))+more)
	writeFile(t, m.ca(), string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: m.authority.cert.Raw})))
	writeFile(t, d.config, strings.Replace(read(t, d.config), `"any"`, `"file:`+m.users()+`"`, 1))
	return m
}

func (m *msa) users() string { return filepath.Join(m.dir, "etc", "users") }

// ca is the file of the authority's certificate.
func (m *msa) ca() string { return filepath.Join(m.dir, "ca.pem") }

// add adds an account, before the daemon starts. PLAIN stands for a password that is kept as it is.
func (m *msa) add(t *testing.T, account, secret, scheme string) {
	t.Helper()
	stored := "{PLAIN}" + secret
	if scheme != "PLAIN" {
		var err error
		if stored, err = password.Hash(scheme, secret); err != nil {
			t.Fatal(err)
		}
	}
	writeFile(t, m.users(), read(t, m.users())+account+":"+stored+"\n")
}

// token is a token that an issuer has given to an account.
func token(t testing.TB, issuer jose.Signer, account string) string {
	t.Helper()
	claims, err := json.Marshal(map[string]any{"sub": account, "exp": time.Now().Add(time.Hour).Unix()})
	if err != nil {
		t.Fatal(err)
	}
	signed, err := issuer.Sign(claims)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return compact
}

// newIssuer returns what signs tokens, and publishes its key in a file.
func newIssuer(t testing.TB, jwks string) jose.Signer {
	t.Helper()
	key := newKey(t)
	public, err := json.Marshal(jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256"}}})
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, jwks, string(public))
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: jose.JSONWebKey{Key: key, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// An authority issues certificates.
type authority struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	a.cert = &x509.Certificate{
		Subject: pkix.Name{CommonName: "Authority of a test"}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = a.sign(t, a.cert, a.key.Public())
	return a
}

// sign makes a certificate that is valid now.
func (a *authority) sign(t testing.TB, template *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template.SerialNumber, template.NotBefore, template.NotAfter = serial, time.Now().Add(-time.Hour), time.Now().Add(time.Hour)
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key, a.key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

// issue puts a certificate for what a template says into a file, with its key, and returns the file. The daemon may read it.
func (a *authority) issue(t testing.TB, path string, template x509.Certificate) string {
	t.Helper()
	key := newKey(t)
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	cert := a.sign(t, &template, key.Public())
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	blocks := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert.Raw})
	writeFile(t, path, string(append(blocks, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)))
	chownMail(t, path)
	return path
}

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
