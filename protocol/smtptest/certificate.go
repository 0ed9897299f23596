package smtptest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"math/big"
	"time"

	"lmtpd/auth"
)

// Certificate returns a self-signed certificate, with the addresses of its owner. It is the same each time, signature and all,
// so that a dialogue can tell what the channel is bound to (RFC 5929 §4.1).
func Certificate(owner ...string) (tls.Certificate, error) {
	secret := make([]byte, 32)
	secret[31] = 1
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), secret)
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber:   big.NewInt(1),
		NotBefore:      time.Unix(0, 0),
		NotAfter:       time.Unix(1<<32, 0),
		ExtKeyUsage:    []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		DNSNames:       []string{Hostname},
		EmailAddresses: owner,
	}
	der, err := x509.CreateCertificate(nil, template, template, &key.PublicKey, key) // without random octets: RFC 6979
	if err != nil {
		return tls.Certificate{}, err
	}
	leaf, err := x509.ParseCertificate(der)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}, err
}

// channel is the one that a session in memory has after the handshake. It is bound to what a network's would be, but for
// tls-exporter, which is of each connection alone.
func (s Settings) channel() auth.Channel {
	return auth.Channel{Names: s.Names(), Binding: func(kind string) ([]byte, error) {
		switch {
		case kind == "tls-server-end-point":
			cert, err := Certificate()
			if err != nil {
				return nil, err
			}
			return auth.EndPoint(cert.Leaf)
		case kind == "tls-exporter" && s.Exporter != "":
			return []byte(s.Exporter), nil
		}
		return nil, errors.New("there is no channel binding of that type")
	}}
}
