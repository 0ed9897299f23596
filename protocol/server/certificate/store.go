// Package certificate keeps the certificates that a server shows, and reads them again when their files change.
//
// A server may have several; which one is shown is decided by the name that the client asks for (SNI, RFC 6066 §3). Clients may be
// asked for certificates, too, and what one names is who SASL EXTERNAL takes its owner for (RFC 4422, appendix A). For a first
// try there are self-signed ones.
//
// What it does not do: it gets no certificates from anywhere but files, asks nobody whether one is revoked, and staples no
// answers to that.
package certificate

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// A Pair names the files of a certificate and its key, which may be one. Both are PEM (RFC 7468): the server's certificate
// first, then those that lead from it towards a root.
type Pair struct {
	Certificate string
	Key         string
}

// Client says what clients are asked for.
type Client int

const (
	ClientNone    Client = iota // nothing
	ClientRequest               // for a certificate; one that is shown must be good
	ClientRequire               // likewise, and who shows none does not come in
)

// Config is what a Store needs.
type Config struct {
	Pairs    []Pair // at least one; the first is for clients that ask for no name, or for one that nobody has
	ClientCA string // file of the certificates, in PEM, that those of clients must lead to
	Client   Client
	Now      func() time.Time
	Log      *slog.Logger
}

// A Store has certificates and their keys in memory. Its methods may be called from many goroutines.
type Store struct {
	cfg     Config
	tickets *tls.Config // whose keys encrypt tickets, whatever certificates come and go
	current atomic.Pointer[version]
	looked  atomic.Int64 // when the last look began of those that have ended

	looking sync.Mutex // held by who looks at the files, for what is below
	pairs   []*watched[*tls.Certificate]
	ca      *watched[*x509.CertPool] // nil: none
	warned  time.Time                // when it was last told that certificates expire
}

// Open reads certificates. The error tells everything that is wrong with any of them, a line each: not to be read, without PEM,
// with a key that does not fit or is encrypted, expired, not valid yet. A key that everybody can read is told to the log.
func Open(cfg Config) (*Store, error) {
	if len(cfg.Pairs) == 0 {
		return nil, errors.New("there is no certificate")
	}
	s := &Store{cfg: cfg, tickets: &tls.Config{Time: cfg.Now}}
	now := cfg.Now()
	var wrong []error
	for _, p := range cfg.Pairs {
		w := watchPair(p)
		wrong = append(wrong, w.open(now, cfg.Log))
		s.pairs = append(s.pairs, w)
	}
	if cfg.Client != ClientNone {
		s.ca = watchCA(cfg.ClientCA)
		wrong = append(wrong, s.ca.open(now, cfg.Log))
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, err
	}
	s.current.Store(s.version())
	s.warn(now)
	s.looked.Store(now.UnixNano())
	return s, nil
}

// TLSConfig returns a configuration for servers that shows the certificates, as they are when a client comes. TLS begins at 1.2;
// all else is as Go has it. Clients may resume sessions (RFC 8446 §2.2) until a certificate changes.
//
// A connection that is a Witness is told which certificate is shown on it.
func (s *Store) TLSConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		Time:       s.cfg.Now,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			s.refresh(hello.Context())
			v := s.current.Load()
			if w, ok := hello.Conn.(Witness); ok {
				w.Shown(v.pick(hello).Leaf)
			}
			return v.config, nil
		},
		// Some look here for whether there is a certificate at all.
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			return s.current.Load().pick(hello), nil
		},
	}
}

// A Witness is a connection that has to know which certificate is shown on it, as channel binding has. A client that resumes a
// session is shown none, and still goes by the one that it has seen then: this is that one.
type Witness interface {
	// Shown is called during the handshake.
	Shown(leaf *x509.Certificate)
}

// warnBefore is how long before it expires a certificate is warned of, and warnEvery how often. Those who renew certificates by
// themselves do so a month before, or when a third of their time is left.
const (
	warnBefore = 14 * 24 * time.Hour
	warnEvery  = 24 * time.Hour
)

// warn tells the log of certificates that have expired or soon will.
func (s *Store) warn(now time.Time) {
	if now.Sub(s.warned).Abs() < warnEvery {
		return
	}
	for i, w := range s.pairs {
		left := w.value.Leaf.NotAfter.Sub(now)
		level, what := slog.LevelWarn, "certificate expires soon"
		switch {
		case left > warnBefore:
			continue
		case left < 0:
			level, what = slog.LevelError, "certificate has expired"
		}
		s.warned = now
		s.cfg.Log.Log(context.Background(), level, what, "file", s.cfg.Pairs[i].Certificate, "expires", w.value.Leaf.NotAfter.UTC(), "left", days(left))
	}
}

// days writes a duration as people think of a certificate's.
func days(d time.Duration) string { return fmt.Sprintf("%d days", int(d.Hours()/24)) }
