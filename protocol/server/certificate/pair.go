package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"
)

// Why a pair of files cannot be used; errors of Open and Read wrap them.
var (
	ErrNoCertificate = errors.New("there is no certificate in PEM in it")
	ErrNoKey         = errors.New("there is no private key in PEM in it")
	ErrEncrypted     = errors.New("the key is encrypted, and there is nobody to ask for its passphrase")
	ErrMismatch      = errors.New("the key does not fit the certificate")
	ErrExpired       = errors.New("has expired")
	ErrNotYetValid   = errors.New("is not valid yet")
)

// Read reads a pair of files as Open does. There may be a certificate although there is an error: ErrExpired, ErrNotYetValid.
func Read(p Pair, now time.Time) (*x509.Certificate, error) {
	w := watchPair(p)
	if err := w.open(now, slog.New(slog.DiscardHandler)); err != nil && w.value == nil {
		return nil, err
	}
	return w.value.Leaf, valid(p.Certificate, w.value.Leaf, now)
}

// ReadCA reads a file of certificates that those of clients are to lead to.
func ReadCA(path string) ([]*x509.Certificate, error) {
	text, _, err := readFile(path)
	if err != nil {
		return nil, err
	}
	return parseCertificates(path, text)
}

// Exposed says whether everybody on this host can read a key.
func Exposed(mode os.FileMode) bool { return mode&0o004 != 0 }

func watchPair(p Pair) *watched[*tls.Certificate] {
	return &watched[*tls.Certificate]{
		what:  "certificate",
		paths: []string{p.Certificate, p.Key},
		parse: func(texts [][]byte) (*tls.Certificate, error) { return parsePair(p, texts[0], texts[1]) },
		keeps: func(old, fresh *tls.Certificate, now time.Time) error { return keeps(p, old, fresh, now) },
		taken: func(infos []os.FileInfo, log *slog.Logger) {
			if Exposed(infos[1].Mode()) {
				log.Warn("key can be read by everybody on this host", "file", p.Key, "mode", fmt.Sprintf("%04o", infos[1].Mode().Perm()))
			}
		},
	}
}

// parsePair makes a certificate with its key of the texts of two files.
func parsePair(p Pair, chain, key []byte) (*tls.Certificate, error) {
	_, chainErr := parseCertificates(p.Certificate, chain)
	keyErr := checkKey(key)
	if keyErr != nil {
		keyErr = fmt.Errorf("%s: %w", p.Key, keyErr)
	}
	if err := errors.Join(chainErr, keyErr); err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w: %w", p.Certificate, p.Key, ErrMismatch, err)
	}
	return &pair, nil
}

// parseCertificates reads the certificates of a file, of which there must be one.
func parseCertificates(path string, text []byte) (all []*x509.Certificate, err error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if block.Type != "CERTIFICATE" {
			continue
		}
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%s: certificate %d: %w", path, len(all)+1, err)
		}
		all = append(all, cert)
	}
	if len(all) == 0 {
		return nil, fmt.Errorf("%s: %w", path, ErrNoCertificate)
	}
	return all, nil
}

// checkKey says why there is no key in a text. Whether what is there is one, tls.X509KeyPair tells.
func checkKey(text []byte) error {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		switch {
		case block.Type == "ENCRYPTED PRIVATE KEY", strings.Contains(block.Headers["Proc-Type"], "ENCRYPTED"):
			return ErrEncrypted
		case block.Type == "PRIVATE KEY", strings.HasSuffix(block.Type, " PRIVATE KEY"):
			return nil
		}
	}
	return ErrNoKey
}

// keeps says why the old certificate is kept though there is a new one: the new one is not valid now, and the old one still is
// or was for longer. At start there is no old one.
func keeps(p Pair, old, fresh *tls.Certificate, now time.Time) error {
	err := valid(p.Certificate, fresh.Leaf, now)
	if err == nil || old == nil {
		return err
	}
	if valid(p.Certificate, old.Leaf, now) != nil && fresh.Leaf.NotAfter.After(old.Leaf.NotAfter) {
		return nil
	}
	return err
}

// valid says why a certificate is not valid at a time.
func valid(path string, leaf *x509.Certificate, now time.Time) error {
	switch {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("%s: the certificate %w, on %s", path, ErrExpired, date(leaf.NotAfter))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("%s: the certificate %w, but from %s on", path, ErrNotYetValid, date(leaf.NotBefore))
	}
	return nil
}

// date writes a time of a certificate. They are in UTC (RFC 5280 §4.1.2.5).
func date(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 MST") }

func watchCA(path string) *watched[*x509.CertPool] {
	return &watched[*x509.CertPool]{
		what:  "client CA",
		paths: []string{path},
		parse: func(texts [][]byte) (*x509.CertPool, error) {
			all, err := parseCertificates(path, texts[0])
			if err != nil {
				return nil, err
			}
			pool := x509.NewCertPool()
			for _, ca := range all {
				pool.AddCert(ca)
			}
			return pool, nil
		},
	}
}
