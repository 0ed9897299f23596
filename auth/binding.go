package auth

import (
	"crypto/sha256"
	"crypto/sha512"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"sync"
)

// EndPoint returns the channel binding tls-server-end-point of a server's certificate: its hash by the hash function of its
// signature, or by SHA-256 where that is MD5 or SHA-1 (RFC 5929 §4.1). Of a signature that has no hash function of its own, as
// Ed25519's, there is none.
func EndPoint(cert *x509.Certificate) ([]byte, error) {
	switch cert.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.ECDSAWithSHA1,
		x509.SHA256WithRSA, x509.SHA256WithRSAPSS, x509.DSAWithSHA256, x509.ECDSAWithSHA256:
		sum := sha256.Sum256(cert.Raw)
		return sum[:], nil
	case x509.SHA384WithRSA, x509.SHA384WithRSAPSS, x509.ECDSAWithSHA384:
		sum := sha512.Sum384(cert.Raw)
		return sum[:], nil
	case x509.SHA512WithRSA, x509.SHA512WithRSAPSS, x509.ECDSAWithSHA512:
		sum := sha512.Sum512(cert.Raw)
		return sum[:], nil
	}
	return nil, fmt.Errorf("no tls-server-end-point for a certificate signed by %s", cert.SignatureAlgorithm)
}

// Bindings returns what Channel has for the binding data of a connection whose server has shown a certificate; nil: it is not known.
// There is none before TLS 1.3: clients bind what is unsafe then (tls-unique, RFC 9266 §1). What is offered depends on it, so it is
// asked for again and again, and computed once.
func Bindings(state *tls.ConnectionState, leaf *x509.Certificate) func(kind string) ([]byte, error) {
	if state.Version < tls.VersionTLS13 {
		return nil
	}
	exporter := sync.OnceValues(func() ([]byte, error) { // RFC 9266 §4
		return state.ExportKeyingMaterial("EXPORTER-Channel-Binding", nil, 32)
	})
	endPoint := sync.OnceValues(func() ([]byte, error) { return EndPoint(leaf) })
	return func(kind string) ([]byte, error) {
		switch {
		case kind == "tls-exporter":
			return exporter()
		case kind == "tls-server-end-point" && leaf != nil:
			return endPoint()
		}
		return nil, errors.New("there is no channel binding of that type")
	}
}
