package main

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/protocol/server/certificate"
)

// tls tells which certificates are shown, to whom, and how they stand. What is wrong with them is told behind everything else.
func (p printer) tls(c TLS, data string, now time.Time) {
	if len(c.Certificates) == 0 {
		p.line("tls", "no certificate: where a listener needs one, serve makes a self-signed one")
		p.line("  state", selfSignedState(filepath.Join(data, selfSignedDir), now))
	}
	for i, pair := range c.Certificates {
		p.line("tls", pair.Certificate)
		leaf, err := certificate.Read(pair, now)
		if leaf == nil {
			p.line("  state", "cannot be used")
			continue
		}
		p.line("  names", hostsMeaning(leaf, i == 0))
		p.line("  issuer", issuerMeaning(leaf))
		p.line("  valid", validityMeaning(leaf, err, now))
		p.line("  key", secretState(pair.Key))
	}
	p.line("  clients", clientsMeaning(c))
	if c.Client != certificate.ClientNone {
		p.line("  ca", authoritiesMeaning(c.CA))
	}
}

// selfSignedState tells whether a self-signed certificate has been made in dir, and how clients know it.
func selfSignedState(dir string, now time.Time) string {
	leaf, err := certificate.Read(certificate.SelfSignedPair(dir), now)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "not there yet; to be made in " + dir + ": " + directoryState(dir)
	case err != nil:
		return "to be made anew in " + dir + ": " + err.Error()
	}
	return "there, in " + dir + ", for " + strings.Join(certificate.Hosts(leaf), ", ") + "; its fingerprint is " + certificate.Fingerprint(leaf)
}

// hostsMeaning tells which names of the server a certificate is for, and which clients are shown it.
func hostsMeaning(leaf *x509.Certificate, first bool) string {
	names := certificate.Hosts(leaf)
	for _, ip := range leaf.IPAddresses {
		names = append(names, ip.String())
	}
	text := strings.Join(names, ", ")
	if len(names) == 0 {
		text = "none"
	}
	if first {
		text += "; also shown to clients that ask for another name, or none"
	}
	return text
}

// issuerMeaning tells whose word a certificate is.
func issuerMeaning(leaf *x509.Certificate) string {
	if bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		return "itself: no client believes it that is not told to; its fingerprint is " + certificate.Fingerprint(leaf)
	}
	return leaf.Issuer.String()
}

// validityMeaning tells how long a certificate can be used.
func validityMeaning(leaf *x509.Certificate, err error, now time.Time) string {
	until := leaf.NotAfter.UTC().Format("2006-01-02 15:04 MST")
	switch {
	case errors.Is(err, certificate.ErrExpired):
		return "no longer: until " + until
	case err != nil:
		return "not yet: from " + leaf.NotBefore.UTC().Format("2006-01-02 15:04 MST") + " until " + until
	}
	return fmt.Sprintf("until %s, %d days more", until, int(leaf.NotAfter.Sub(now).Hours()/24))
}

// secretState tells who can read a key or a password, as far as the mode of its file tells that.
func secretState(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "cannot tell: " + err.Error()
	}
	text := fmt.Sprintf("%s, mode %04o", path, info.Mode().Perm())
	if certificate.Exposed(info.Mode()) {
		text += ": everybody on this host can read it"
	}
	return text
}

// clientsMeaning tells what becomes of clients that show a certificate, and of those that do not.
func clientsMeaning(c TLS) string {
	switch c.Client {
	case certificate.ClientRequest:
		return "may show a certificate, which must lead to the CA"
	case certificate.ClientRequire:
		return "must show a certificate, which must lead to the CA"
	}
	return "are not asked for a certificate"
}

// authoritiesMeaning tells who signs the certificates of clients.
func authoritiesMeaning(path string) string {
	all, err := certificate.ReadCA(path)
	if err != nil {
		return path + ": cannot be used"
	}
	names := make([]string, len(all))
	for i, ca := range all {
		names[i] = ca.Subject.String()
	}
	if len(names) > 3 {
		names = append(names[:3], fmt.Sprintf("and %d more", len(all)-3))
	}
	return path + ": " + strings.Join(names, "; ")
}

// checkTLS tells the mistakes in the files of certificates and keys.
func checkTLS(c TLS, now time.Time) error {
	var wrong []error
	for _, pair := range c.Certificates {
		_, err := certificate.Read(pair, now)
		wrong = append(wrong, err)
	}
	if c.Client != certificate.ClientNone {
		_, err := certificate.ReadCA(c.CA)
		wrong = append(wrong, err)
	}
	if err := errors.Join(wrong...); err != nil {
		return cli.Exit(fmt.Errorf("certificates that cannot be used:\n%w", err), exConfig)
	}
	return nil
}
