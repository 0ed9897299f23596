package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/server/certificate"
)

// tlsText is what check tells of certificates.
func tlsText(c TLS, data string, now time.Time) string {
	var b strings.Builder
	w := tabwriter.NewWriter(&b, 0, 8, 2, ' ', 0)
	printer{w}.tls(c, data, now)
	w.Flush()
	return b.String()
}

// issuedPair makes a certificate of a CA, with its key, and the file of the CA.
func issuedPair(t *testing.T, dir string, template *x509.Certificate) (p certificate.Pair, ca string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	root := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Test CA"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: template.NotBefore, NotAfter: template.NotAfter,
	}
	p = certificate.Pair{Certificate: filepath.Join(dir, "c.pem"), Key: filepath.Join(dir, "k.pem")}
	ca = filepath.Join(dir, "ca.pem")
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	for path, issued := range map[string]*x509.Certificate{p.Certificate: template, ca: root} {
		der, err := x509.CreateCertificate(rand.Reader, issued, root, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		writePEM(t, path, &pem.Block{Type: "CERTIFICATE", Bytes: der})
	}
	writePEM(t, p.Key, &pem.Block{Type: "PRIVATE KEY", Bytes: secret})
	return p, ca
}

func writePEM(t *testing.T, path string, block *pem.Block) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
		t.Fatal(err)
	}
}

// What check tells of certificates: their names, who says so, and how long.
func TestCheckTLS(t *testing.T) {
	dir, now := t.TempDir(), time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC)
	pair, ca := issuedPair(t, dir, &x509.Certificate{
		DNSNames: []string{"mail.example.org", "*.example.net"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(90 * 24 * time.Hour),
	})
	missing := certificate.Pair{Certificate: dir + "/missing", Key: pair.Key}
	c := TLS{Certificates: []certificate.Pair{pair, missing}, CA: ca, Client: certificate.ClientRequire}
	if err := os.Chmod(pair.Key, 0o644); err != nil {
		t.Fatal(err)
	}
	expect := func(now time.Time, valid string) {
		t.Helper()
		want := strings.ReplaceAll(`tls        DIR/c.pem
  names    mail.example.org, *.example.net; also shown to clients that ask for another name, or none
  issuer   CN=Test CA
  valid    `+valid+`
  key      DIR/k.pem, mode 0644: everybody on this host can read it
tls        DIR/missing
  state    cannot be used
  clients  must show a certificate, which must lead to the CA
  ca       DIR/ca.pem: CN=Test CA
`, "DIR", dir)
		if got := tlsText(c, "", now); got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
	}
	expect(now, "until 2030-04-02 03:04 UTC, 90 days more")
	expect(now.Add(-24*time.Hour), "not yet: from 2030-01-02 02:04 UTC until 2030-04-02 03:04 UTC")
	late := now.Add(91 * 24 * time.Hour)
	expect(late, "no longer: until 2030-04-02 03:04 UTC")

	c.CA = dir + "/nothing"
	err := checkTLS(c, late)
	want := strings.ReplaceAll(`certificates that cannot be used:
DIR/c.pem: the certificate has expired, on 2030-04-02 03:04 UTC
stat DIR/missing: no such file or directory
stat DIR/nothing: no such file or directory`, "DIR", dir)
	var exit cli.ExitCoder
	if err == nil || err.Error() != want || !errors.As(err, &exit) || exit.ExitCode() != exConfig {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if err := checkTLS(TLS{Certificates: []certificate.Pair{pair}, CA: ca, Client: certificate.ClientRequest}, now); err != nil {
		t.Error(err)
	}
}

// Without certificates check tells of the self-signed one, and makes none.
func TestCheckSelfSigned(t *testing.T) {
	data, now := filepath.Join(t.TempDir(), "data"), time.Now()
	dir := filepath.Join(data, selfSignedDir)
	got := tlsText(TLS{}, data, now)
	if !strings.Contains(got, "\n  state    not there yet; to be made in "+dir+": not there yet") || !strings.Contains(got, "\n  clients  are not asked for a certificate\n") {
		t.Error(got)
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("check made something")
	}
	pair, fingerprint, err := certificate.SelfSigned(dir, "a.example", now)
	if err != nil {
		t.Fatal(err)
	}
	if got := tlsText(TLS{}, data, now); !strings.Contains(got, "\n  state    there, in "+dir+", for a.example, localhost; its fingerprint is "+fingerprint+"\n") {
		t.Error(got)
	}
	if got := tlsText(TLS{Certificates: []certificate.Pair{pair}}, data, now); !strings.Contains(got, "\n  issuer   itself: no client believes it that is not told to; its fingerprint is "+fingerprint+"\n") {
		t.Error(got)
	}
	if got := tlsText(TLS{}, data, now.Add(10*365*24*time.Hour)); !strings.Contains(got, "\n  state    to be made anew in "+dir+": ") {
		t.Error(got)
	}
}
