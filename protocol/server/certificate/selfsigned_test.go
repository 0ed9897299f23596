package certificate_test

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"
	"time"

	"lmtpd/protocol/server/certificate"
)

// A self-signed certificate is made once, for the host's name and the loopback, and clients who have it believe it.
func TestSelfSigned(t *testing.T) {
	now, dir := time.Now(), filepath.Join(t.TempDir(), "data", "tls")
	p, fingerprint, err := certificate.SelfSigned(dir, "Mail.example.org", now)
	if err != nil {
		t.Fatal(err)
	}
	s := open(t, certificate.Config{Pairs: []certificate.Pair{p}})
	leaf := s.Leaves()[0]
	if certificate.Fingerprint(leaf) != fingerprint {
		t.Errorf("fingerprint %s, not %s", fingerprint, certificate.Fingerprint(leaf))
	}
	for _, name := range []string{"mail.example.org", "localhost", "127.0.0.1", "::1"} {
		handshake(t, s.TLSConfig(), &tls.Config{ServerName: name, RootCAs: pool(leaf)}).expect(t)
	}
	for path, want := range map[string]os.FileMode{p.Key: 0o600, p.Certificate: 0o644, dir: 0o700 | os.ModeDir} {
		if info, err := os.Stat(path); err != nil || info.Mode() != want {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	if names, err := os.ReadDir(dir); err != nil || len(names) != 2 {
		t.Errorf("left behind: %v, %v", names, err)
	}
}

// It is kept as long as it can be used.
func TestSelfSignedKept(t *testing.T) {
	const day = 24 * time.Hour
	now := time.Now()
	for _, tt := range []struct {
		name   string
		change func(p certificate.Pair) error
		host   string
		after  time.Duration
		kept   bool
	}{
		{name: "as it was", kept: true},
		{name: "for a long time", after: 700 * day, kept: true},
		{name: "soon expired", after: 800 * day},
		{name: "expired", after: 1000 * day},
		{name: "clock set back", after: -day},
		{name: "another host", host: "b.example"},
		{name: "no key", change: func(p certificate.Pair) error { return os.Remove(p.Key) }},
		{name: "no certificate", change: func(p certificate.Pair) error { return os.Remove(p.Certificate) }},
		{name: "torn", change: func(p certificate.Pair) error { return os.Truncate(p.Certificate, 100) }},
		{name: "power cut between the two", change: func(p certificate.Pair) error {
			other, _, err := certificate.SelfSigned(filepath.Join(filepath.Dir(p.Key), "other"), "a.example", now)
			if err != nil {
				return err
			}
			return os.Rename(other.Key, p.Key)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			p, first, err := certificate.SelfSigned(dir, "a.example", now)
			if err != nil {
				t.Fatal(err)
			}
			if tt.change != nil {
				if err := tt.change(p); err != nil {
					t.Fatal(err)
				}
			}
			if tt.host == "" {
				tt.host = "a.example"
			}
			again, second, err := certificate.SelfSigned(dir, tt.host, now.Add(tt.after))
			if err != nil || again != p {
				t.Fatalf("%v, %v", again, err)
			}
			if kept := second == first; kept != tt.kept {
				t.Errorf("kept: %t", kept)
			}
			var leaf *x509.Certificate
			if leaf, err = certificate.Read(again, now.Add(tt.after)); err != nil || certificate.Fingerprint(leaf) != second {
				t.Errorf("%v", err)
			}
		})
	}
}

// Where it cannot be made, that is told.
func TestSelfSignedCannot(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, nil)
	if _, _, err := certificate.SelfSigned(filepath.Join(file, "tls"), "a.example", time.Now()); err == nil {
		t.Error("made below a file")
	}
}
