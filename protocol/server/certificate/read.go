package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

// maxFile is how large a file of certificates or keys may be.
const maxFile = 1 << 20

// read reads a pair, with its leaf.
func read(p Pair) (*tls.Certificate, error) {
	chain, err := readPEM(p.Certificate)
	if err != nil {
		return nil, err
	}
	key, err := readPEM(p.Key)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(key), "ENCRYPTED") {
		return nil, fmt.Errorf("%s: the key is encrypted, and nobody is there to give its passphrase", p.Key)
	}
	cert, err := tls.X509KeyPair(chain, key)
	if err != nil {
		return nil, fmt.Errorf("%s, %s: %s", p.Certificate, p.Key, strings.TrimPrefix(err.Error(), "tls: "))
	}
	if cert.Leaf == nil { // GODEBUG can have it left out
		if cert.Leaf, err = x509.ParseCertificate(cert.Certificate[0]); err != nil {
			return nil, fmt.Errorf("%s: %w", p.Certificate, err)
		}
	}
	return &cert, nil
}

func readPEM(path string) ([]byte, error) {
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s: is no regular file", path)
	case info.Size() > maxFile:
		return nil, fmt.Errorf("%s: is too large for a certificate or key", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(data); block == nil {
		return nil, fmt.Errorf("%s: there is no PEM in it", path)
	}
	return data, nil
}

// A pool is the certificates that clients' are verified with.
type pool struct {
	path  string
	certs *x509.CertPool
}

func (p *pool) load() error {
	data, err := readPEM(p.path)
	if err != nil {
		return err
	}
	p.certs = x509.NewCertPool()
	if !p.certs.AppendCertsFromPEM(data) {
		return fmt.Errorf("%s: there is no certificate in it", p.path)
	}
	return nil
}

// Names is who a client's certificate says that its owner is: the addresses in it (rfc822Name, RFC 5280 §4.2.1.6), and if there
// is none its common name.
func Names(cert *x509.Certificate) []string {
	if len(cert.EmailAddresses) == 0 && cert.Subject.CommonName != "" {
		return []string{cert.Subject.CommonName}
	}
	return cert.EmailAddresses
}

// State is what is to be told of a pair of files.
type State struct {
	Names  []string // that it is for
	Issuer string
	Until  time.Time
	Public bool // others than its owner may read the key
}

// Look reads a pair and tells about it; err says why it cannot be used.
func Look(p Pair, now time.Time) (State, error) {
	e := &entry{pair: p}
	if err := e.load(now); err != nil {
		return State{}, err
	}
	leaf := e.cert.Leaf
	info, err := os.Stat(p.Key)
	issuer := leaf.Issuer.CommonName
	if issuer == "" && len(leaf.Issuer.Organization) > 0 {
		issuer = leaf.Issuer.Organization[0]
	}
	return State{namesOf(leaf), issuer, leaf.NotAfter, err == nil && info.Mode().Perm()&0o007 != 0}, nil
}

// ErrSelfSigned is wrapped by the errors of SelfSigned.
var ErrSelfSigned = errors.New("make a certificate for a first try")
