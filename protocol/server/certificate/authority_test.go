package certificate_test

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// An authority makes certificates for tests.
type authority struct {
	t    testing.TB
	cert *x509.Certificate
	key  crypto.Signer
	now  time.Time
}

func newAuthority(t testing.TB, now time.Time) *authority {
	t.Helper()
	a := &authority{t: t, now: now}
	a.key = newKey(t)
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test CA"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(10 * 365 * 24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	a.cert = a.sign(template, template, a.key.Public())
	return a
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRSAKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (a *authority) sign(template, parent *x509.Certificate, key crypto.PublicKey) *x509.Certificate {
	a.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key, a.key)
	if err != nil {
		a.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return cert
}

// forHosts is the template of a server's certificate for 90 days.
func (a *authority) forHosts(names ...string) *x509.Certificate {
	return &x509.Certificate{
		Subject: pkix.Name{CommonName: "server"}, DNSNames: names, NotBefore: a.now.Add(-time.Hour), NotAfter: a.now.Add(90 * 24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
}

// An issued certificate, and its key.
type issued struct {
	cert *x509.Certificate
	key  crypto.Signer
}

func (a *authority) issue(template *x509.Certificate) issued {
	a.t.Helper()
	key := newKey(a.t)
	return issued{a.sign(template, a.cert, key.Public()), key}
}

func (a *authority) issueRSA(template *x509.Certificate) issued {
	a.t.Helper()
	key := newRSAKey(a.t)
	return issued{a.sign(template, a.cert, key.Public()), key}
}

func pool(certs ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range certs {
		p.AddCert(c)
	}
	return p
}

func pemOf(certs ...*x509.Certificate) (text []byte) {
	for _, c := range certs {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return text
}

func keyPEM(t testing.TB, key crypto.Signer) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// write writes a file as somebody does who replaces files: beside it, and then renamed.
func write(t testing.TB, path string, text []byte) {
	t.Helper()
	if err := os.WriteFile(path+".new", text, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(path+".new", path); err != nil {
		t.Fatal(err)
	}
}

// save writes the files of a certificate into dir.
func (i issued) save(t testing.TB, dir, name string) certificate.Pair {
	t.Helper()
	p := certificate.Pair{Certificate: filepath.Join(dir, name+".pem"), Key: filepath.Join(dir, name+".key")}
	write(t, p.Certificate, pemOf(i.cert))
	write(t, p.Key, keyPEM(t, i.key))
	return p
}

func (i issued) ecdsa() *ecdsa.PrivateKey { return i.key.(*ecdsa.PrivateKey) }

func (i issued) rsa() *rsa.PrivateKey { return i.key.(*rsa.PrivateKey) }
