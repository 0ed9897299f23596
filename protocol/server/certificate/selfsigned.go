package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// selfSignedFor is how long a certificate of SelfSigned is good.
const selfSignedFor = 365 * 24 * time.Hour

// SelfSigned returns a certificate for a first try, which nobody has reason to trust: that in dir, or a new one if there is none,
// it is for another host, or it has not a week left. fingerprint is its SHA-256, for people to compare.
func SelfSigned(dir, hostname string, now time.Time) (p Pair, fingerprint string, err error) {
	p = Pair{filepath.Join(dir, "selfsigned.pem"), filepath.Join(dir, "selfsigned.key")}
	cert, err := read(p)
	if err != nil || !slices.Contains(cert.Leaf.DNSNames, hostname) || now.Add(7*24*time.Hour).After(cert.Leaf.NotAfter) {
		if err = makeSelfSigned(p, hostname, now); err != nil {
			return p, "", fmt.Errorf("%w: %w", ErrSelfSigned, err)
		}
		if cert, err = read(p); err != nil {
			return p, "", fmt.Errorf("%w: %w", ErrSelfSigned, err)
		}
	}
	sum := sha256.Sum256(cert.Leaf.Raw)
	return p, hex.EncodeToString(sum[:]), nil
}

func makeSelfSigned(p Pair, hostname string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: hostname},
		DNSNames:              []string{hostname},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(selfSignedFor),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true, // so that a client can be told to trust it, and it alone
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(p.Key), 0o700); err != nil {
		return err
	}
	if err := writeFile(p.Key, "PRIVATE KEY", private); err != nil {
		return err
	}
	return writeFile(p.Certificate, "CERTIFICATE", der)
}

// writeFile puts a file of PEM in the place of another, whole or not at all.
func writeFile(path, kind string, der []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-") // of mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // it is gone if all went well
	err = pem.Encode(f, &pem.Block{Type: kind, Bytes: der})
	if err == nil {
		err = f.Sync()
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
