package certificate

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

const (
	// selfSignedFor is how long a self-signed certificate is valid. Some systems trust none that is for longer.
	selfSignedFor = 825 * 24 * time.Hour
	// selfSignedLeft is how long one must still be valid that is used again.
	selfSignedLeft = 30 * 24 * time.Hour
)

// Names of the files in the directory of a self-signed certificate.
const (
	selfSignedCertificate = "self-signed.pem"
	selfSignedKey         = "self-signed.key"
)

// SelfSignedPair names the files of the self-signed certificate in a directory, whether they are there or not.
func SelfSignedPair(dir string) Pair {
	return Pair{Certificate: filepath.Join(dir, selfSignedCertificate), Key: filepath.Join(dir, selfSignedKey)}
}

// SelfSigned returns a self-signed certificate for hostname and the loopback, with its fingerprint (see Fingerprint). Its files
// are in dir, and are made when they are missing or cannot be used, when it is for another name, or when it soon expires. It is
// for those who try a server before they have a certificate that clients trust.
func SelfSigned(dir, hostname string, now time.Time) (p Pair, fingerprint string, err error) {
	p = SelfSignedPair(dir)
	leaf, err := Read(p, now)
	if errors.Is(err, fs.ErrPermission) {
		return p, "", fmt.Errorf("self-signed certificate: %w", err)
	}
	if err == nil && slices.Contains(leaf.DNSNames, strings.ToLower(hostname)) && leaf.NotAfter.Sub(now) >= selfSignedLeft {
		return p, Fingerprint(leaf), nil
	}
	if err := makeSelfSigned(p, strings.ToLower(hostname), now); err != nil {
		return p, "", fmt.Errorf("make self-signed certificate: %w", err)
	}
	if leaf, err = Read(p, now); err != nil {
		return p, "", fmt.Errorf("self-signed certificate: %w", err)
	}
	return p, Fingerprint(leaf), nil
}

// makeSelfSigned makes the files of a pair. A power cut between the two leaves a pair that does not fit, which is made anew.
func makeSelfSigned(p Pair, hostname string, now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: hostname},
		NotBefore:             now.Add(-time.Hour), // clocks differ
		NotAfter:              now.Add(selfSignedFor),
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		DNSNames:              slices.Compact([]string{hostname, "localhost"}),
		IPAddresses:           []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback},
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := makeDir(filepath.Dir(p.Key)); err != nil {
		return err
	}
	if err := writeFile(p.Key, &pem.Block{Type: "PRIVATE KEY", Bytes: secret}, 0o600); err != nil {
		return err
	}
	if err := writeFile(p.Certificate, &pem.Block{Type: "CERTIFICATE", Bytes: cert}, 0o644); err != nil {
		return err
	}
	return syncDir(filepath.Dir(p.Certificate))
}

// makeDir makes a directory, and the one above it if need be.
func makeDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(filepath.Dir(dir))
}

// writeFile puts a new file in the place of an old one, in an order that a power cut cannot harm: written, synced, renamed. Then
// the directory is to be synced.
func writeFile(path string, block *pem.Block, mode os.FileMode) (err error) {
	out, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(out.Name()))
		}
	}()
	err = errors.Join(pem.Encode(out, block), out.Chmod(mode), out.Sync())
	if err = errors.Join(err, out.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return os.Rename(out.Name(), path)
}

// syncDir brings a directory's names to the disk.
func syncDir(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
