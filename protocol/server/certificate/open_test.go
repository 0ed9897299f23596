package certificate_test

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// All that is wrong with any file is told at once, a line each.
func TestOpenMistakes(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	a := newAuthority(t, now)
	path := func(name, text string) string {
		p := filepath.Join(dir, name)
		write(t, p, []byte(text))
		return p
	}
	good := a.issue(a.forHosts("a.example")).save(t, dir, "good")
	old, early := a.forHosts("a.example"), a.forHosts("a.example")
	old.NotAfter = time.Date(2020, 2, 3, 4, 5, 6, 0, time.UTC)
	early.NotBefore = time.Date(2099, 2, 3, 4, 5, 6, 0, time.UTC)
	early.NotAfter = early.NotBefore.Add(time.Hour)
	expired, notYet := a.issue(old).save(t, dir, "old"), a.issue(early).save(t, dir, "early")
	words, missing, other := path("words", "no PEM\n"), filepath.Join(dir, "missing"), filepath.Join(dir, "other")
	encrypted := path("encrypted", "-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n")
	encryptedOld := path("encrypted.old", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAAAA\n-----END RSA PRIVATE KEY-----\n")
	torn := path("torn", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
	huge := path("huge", strings.Repeat("x", 5<<20))
	for _, tt := range []struct {
		name string
		pair certificate.Pair
		want error
		text string
	}{
		{"fits", good, nil, ""},
		{"one file", certificate.Pair{Certificate: path("both", read(t, good.Key)+read(t, good.Certificate)), Key: filepath.Join(dir, "both")}, nil, ""},
		{"not there", certificate.Pair{Certificate: missing, Key: good.Key}, os.ErrNotExist, "stat " + missing + ": no such file or directory"},
		{"neither there", certificate.Pair{Certificate: missing, Key: other}, os.ErrNotExist,
			"stat " + missing + ": no such file or directory\nstat " + other + ": no such file or directory"},
		{"one file, not there", certificate.Pair{Certificate: missing, Key: missing}, os.ErrNotExist, "stat " + missing + ": no such file or directory"},
		{"a directory", certificate.Pair{Certificate: dir, Key: good.Key}, nil, dir + " is not a regular file"},
		{"too large", certificate.Pair{Certificate: huge, Key: good.Key}, nil, huge + " has more than 4194304 octets"},
		{"exchanged", certificate.Pair{Certificate: good.Key, Key: good.Certificate}, certificate.ErrNoKey,
			good.Key + ": there is no certificate in PEM in it\n" + good.Certificate + ": there is no private key in PEM in it"},
		{"words", certificate.Pair{Certificate: words, Key: words}, certificate.ErrNoCertificate,
			words + ": there is no certificate in PEM in it\n" + words + ": there is no private key in PEM in it"},
		{"torn", certificate.Pair{Certificate: torn, Key: good.Key}, nil, torn + ": certificate 1: x509: malformed certificate"},
		{"encrypted", certificate.Pair{Certificate: good.Certificate, Key: encrypted}, certificate.ErrEncrypted,
			encrypted + ": the key is encrypted, and there is nobody to ask for its passphrase"},
		{"encrypted as of old", certificate.Pair{Certificate: good.Certificate, Key: encryptedOld}, certificate.ErrEncrypted,
			encryptedOld + ": the key is encrypted, and there is nobody to ask for its passphrase"},
		{"of two", certificate.Pair{Certificate: good.Certificate, Key: expired.Key}, certificate.ErrMismatch,
			good.Certificate + " and " + expired.Key + ": the key does not fit the certificate: tls: private key does not match public key"},
		{"expired", expired, certificate.ErrExpired, expired.Certificate + ": the certificate has expired, on 2020-02-03 04:05 UTC"},
		{"early", notYet, certificate.ErrNotYetValid, notYet.Certificate + ": the certificate is not valid yet, but from 2099-02-03 04:05 UTC on"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := certificate.Config{Pairs: []certificate.Pair{tt.pair}, Now: time.Now, Log: slog.New(slog.DiscardHandler)}
			_, err := certificate.Open(cfg)
			if tt.text == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if err == nil || err.Error() != tt.text || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got\n%v\nwant\n%s", err, tt.text)
			}
			_, again := certificate.Read(tt.pair, now)
			if again == nil || again.Error() != tt.text {
				t.Errorf("read alone\n%v\nwant\n%s", again, tt.text)
			}
			cfg = certificate.Config{
				Pairs: []certificate.Pair{tt.pair, good, expired}, Client: certificate.ClientRequest, ClientCA: words,
				Now: time.Now, Log: slog.New(slog.DiscardHandler),
			}
			_, err = certificate.Open(cfg)
			want := tt.text + "\n" + expired.Certificate + ": the certificate has expired, on 2020-02-03 04:05 UTC\n" +
				words + ": there is no certificate in PEM in it"
			if err == nil || err.Error() != want {
				t.Errorf("got\n%v\nwant\n%s", err, want)
			}
		})
	}
}

func read(t testing.TB, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Keys of every form that there is are read.
func TestKeyForms(t *testing.T) {
	now, dir := time.Now(), t.TempDir()
	a := newAuthority(t, now)
	ec, rsa := a.issue(a.forHosts("ec.example")), a.issueRSA(a.forHosts("rsa.example"))
	sec1, err := x509.MarshalECPrivateKey(ec.ecdsa())
	if err != nil {
		t.Fatal(err)
	}
	parameters := pem.EncodeToMemory(&pem.Block{Type: "EC PARAMETERS", Bytes: []byte{6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7}})
	for name, form := range map[string]struct {
		issued
		key []byte
	}{
		"PKCS8": {ec, keyPEM(t, ec.key)},
		"SEC1":  {ec, append(parameters, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: sec1})...)},
		"PKCS1": {rsa, pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsa.rsa())})},
	} {
		p := form.save(t, dir, name)
		write(t, p.Key, form.key)
		if _, err := certificate.Read(p, now); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A key that everybody can read is told of, and used.
func TestExposedKey(t *testing.T) {
	a := newAuthority(t, time.Now())
	for mode, want := range map[os.FileMode]int{0o600: 0, 0o640: 0, 0o644: 1, 0o604: 1} {
		p := a.issue(a.forHosts("a.example")).save(t, t.TempDir(), "a")
		if err := os.Chmod(p.Key, mode); err != nil {
			t.Fatal(err)
		}
		var log strings.Builder
		open(t, certificate.Config{Pairs: []certificate.Pair{p}, Log: slog.New(slog.NewTextHandler(&log, nil))})
		if got := strings.Count(log.String(), "level=WARN msg=\"key can be read by everybody on this host\" file="+p.Key); got != want {
			t.Errorf("%04o: %q", mode, log.String())
		}
	}
}

// Without certificates, or without those of clients' CAs when clients are asked, there is no store.
func TestOpenNothing(t *testing.T) {
	cfg := certificate.Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	if _, err := certificate.Open(cfg); err == nil {
		t.Error("a store without certificates")
	}
	a := newAuthority(t, time.Now())
	cfg.Pairs = []certificate.Pair{a.issue(a.forHosts("a.example")).save(t, t.TempDir(), "a")}
	cfg.Client = certificate.ClientRequire
	if _, err := certificate.Open(cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("without a CA: %v", err)
	}
}
