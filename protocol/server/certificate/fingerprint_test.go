package certificate_test

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"strings"
	"testing"

	"lmtpd/protocol/server/certificate"
)

// A fingerprint is in capitals, octet by octet.
func TestFingerprint(t *testing.T) {
	sum := sha256.Sum256([]byte("certificate"))
	got := certificate.Fingerprint(&x509.Certificate{Raw: []byte("certificate")})
	if strings.ReplaceAll(got, ":", "") != strings.ToUpper(hex.EncodeToString(sum[:])) || len(got) != 95 {
		t.Errorf("fingerprint %s", got)
	}
}
