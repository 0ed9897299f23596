package server_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"lmtpd/protocol/server"
	"lmtpd/protocol/server/certificate"
	"lmtpd/protocol/smtptest"
	"lmtpd/store"
	"lmtpd/store/maildir"
	"lmtpd/store/sqlite"
	"lmtpd/store/storetest"
)

// A stage is a daemon for one transcript after the other, each with a server and a store of its own.
type stage struct {
	network string
	store   func(t *testing.T) store.Store
	lines   bool // the store keeps lines: a LF alone is a line end to it
}

func stages() map[string]stage {
	memory := func(*testing.T) store.Store { return &storetest.Memory{} }
	return map[string]stage{
		"memory over TCP":   {"tcp", memory, false},
		"memory over unix":  {"unix", memory, false},
		"maildir over TCP":  {"tcp", openMaildir, true},
		"maildir over unix": {"unix", openMaildir, true},
		"sqlite over TCP":   {"tcp", openSQLite, false},
		"sqlite over unix":  {"unix", openSQLite, false},
	}
}

func openMaildir(t *testing.T) store.Store {
	t.Helper()
	template, err := store.ParseTemplate(filepath.Join(t.TempDir(), "%d/%n"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := maildir.Open(maildir.Config{Template: template, Hostname: "mail", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func openSQLite(t *testing.T) store.Store {
	t.Helper()
	template, err := store.ParseShared(filepath.Join(t.TempDir(), "mail.db"))
	if err != nil {
		t.Fatal(err)
	}
	s, err := sqlite.Open(sqlite.Config{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// TestTranscripts plays all transcripts against servers on sockets, in front of the delivery agent and every
// store; those of ESMTP that submit nothing in front of a queue in memory. What is said is what is said without a connection.
func TestTranscripts(t *testing.T) {
	for name, st := range stages() {
		dir := t.TempDir()
		t.Run(name, func(t *testing.T) {
			n := 0
			for _, kind := range []string{"lmtp", "esmtp", "hostile"} {
				all, err := smtptest.Load(filepath.Join("../../testdata", kind))
				if err != nil {
					t.Fatal(err)
				}
				for _, tr := range all {
					if !st.fits(tr.Settings) {
						continue
					}
					n++
					socket := filepath.Join(dir, strconv.Itoa(n), "s") // a path of a socket must be short
					t.Run(kind+"/"+filepath.Base(tr.Path), func(t *testing.T) {
						t.Parallel()
						st.play(t, tr, socket)
					})
				}
			}
		})
	}
}

// fits says whether a transcript can be played here: a unix socket is secured and a TCP connection is not, nobody but a
// session in memory can tell beforehand what tls-exporter binds, and ESMTP without submission, which has no store, is played once.
func (st stage) fits(set smtptest.Settings) bool {
	mayAuth := set.SASL != "" || bool(set.Auth)
	if (mayAuth || bool(set.TLS)) && bool(set.Secured) != (st.network == "unix") || set.Exporter != "" {
		return false
	}
	return !st.lines || set.Dialect != "esmtp" || bool(set.Submission)
}

func (st stage) play(t *testing.T, tr *smtptest.Transcript, socket string) {
	h, kept := smtptest.Behind(t, tr.Settings, func() store.Store { return st.store(t) })
	ep := server.Endpoint{
		Session:       tr.Settings.Config(t, smtptest.IDs()),
		Trusted:       func(a netip.Addr) bool { return bool(tr.Settings.Trusted) && (!a.IsValid() || a.IsLoopback()) },
		OfCertificate: certificate.Names,
		OfUID:         func(uint32) []string { return tr.Settings.Names() },
	}
	var own *tls.Config
	if tr.Settings.TLS {
		ep.TLS, own = bothEnds(t, tr.Settings.Names())
	}
	c := st.connect(t, server.New(server.Config{Handler: h, NewID: counter(), Log: slog.New(slog.DiscardHandler)}), ep, socket)
	played, err := tr.Play(smtptest.NewConn(c, own), kept)
	if err != nil {
		t.Error(err)
	}
	if st.lines {
		played, tr = played.WithKept(smtptest.CRLF), tr.WithKept(smtptest.CRLF)
	}
	if diff := smtptest.Diff(played.String(), tr.String()); diff != "" {
		t.Errorf("- as written, + as played:\n%s", diff)
	}
}

// bothEnds are what the server and the client do handshakes with. The client has a certificate if it has names.
func bothEnds(t *testing.T, names []string) (ours, theirs *tls.Config) {
	t.Helper()
	cfg := certificate.Config{Now: time.Now, Log: slog.New(slog.DiscardHandler)}
	shown, err := smtptest.Certificate()
	if err != nil {
		t.Fatal(err)
	}
	file := writePEM(t, shown)
	cfg.Pairs = []certificate.Pair{{Certificate: file, Key: file}}
	theirs = &tls.Config{InsecureSkipVerify: true}
	if len(names) > 0 {
		own, err := smtptest.Certificate(names...)
		if err != nil {
			t.Fatal(err)
		}
		cfg.Client, cfg.ClientCA = certificate.ClientRequest, writePEM(t, own)
		theirs.Certificates = []tls.Certificate{own}
	}
	all, err := certificate.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return all.TLSConfig(), theirs
}

// writePEM writes a certificate with its key to a file, and returns its path.
func writePEM(t *testing.T, c tls.Certificate) string {
	t.Helper()
	key, err := x509.MarshalPKCS8PrivateKey(c.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Certificate[0]})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	file := filepath.Join(t.TempDir(), "both.pem")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func (st stage) connect(t *testing.T, s *server.Server, ep server.Endpoint, socket string) net.Conn {
	t.Helper()
	address := "127.0.0.1:0"
	listen := func() (net.Listener, error) { return net.Listen("tcp", address) }
	if st.network == "unix" {
		if err := os.Mkdir(filepath.Dir(socket), 0o700); err != nil {
			t.Fatal(err)
		}
		listen = func() (net.Listener, error) {
			return server.ListenUnix(socket, server.SocketOwner{Mode: 0o600, UID: -1, GID: -1})
		}
	}
	l, err := listen()
	if err != nil {
		t.Fatal(err)
	}
	start(t, s, l, ep)
	c, err := net.Dial(st.network, l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}
