// Package certificate keeps the certificates of a daemon that goes on while they are renewed: read from PEM files, chosen by
// the name that a client asks for (SNI, RFC 6066 §3), and read again when the files have changed.
//
// What was read stays until something better has been: a file that cannot be read or is none, a key that does not fit because
// the other file is still to be replaced, a certificate that has expired while the old one has not.
package certificate

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// ClientAuth says what is wanted of a client's certificate.
type ClientAuth int

const (
	NoClient      ClientAuth = iota // none is asked for
	RequestClient                   // one is asked for, and must be good if there is one
	RequireClient                   // without a good one there is no connection
)

// A Pair names the files of a certificate, with its chain, and of its key.
type Pair struct{ Certificate, Key string }

// Config is what a Store needs.
type Config struct {
	Pairs  []Pair // at least one; the first is for clients that ask for no name, or for one that no certificate has
	CA     string // file of the certificates that clients' are verified with, read once; for Client alone
	Client ClientAuth
	Now    func() time.Time
	Log    *slog.Logger
}

// lookEvery is how often the files are looked at, at most.
const lookEvery = time.Second

// A Store has certificates at hand. Its methods may be called from many goroutines.
type Store struct {
	cfg Config

	mu      sync.Mutex // held by who looks at the files
	entries []*entry
	ca      *pool
	current atomic.Pointer[content]
	next    atomic.Int64 // when to look again, in nanoseconds
}

// content is what is offered. It is not changed.
type content struct {
	certs  []*tls.Certificate
	byName map[string]*tls.Certificate
}

// Open reads all files. Its error names everything that is wrong with them.
func Open(cfg Config) (*Store, error) {
	s := &Store{cfg: cfg}
	var errs []error
	for _, p := range cfg.Pairs {
		e := &entry{pair: p}
		if err := e.load(cfg.Now()); err != nil {
			errs = append(errs, err)
		}
		s.entries = append(s.entries, e)
	}
	if cfg.Client != NoClient {
		s.ca = &pool{path: cfg.CA}
		if err := s.ca.load(); err != nil {
			errs = append(errs, err)
		}
	}
	if len(cfg.Pairs) == 0 {
		errs = append(errs, errors.New("there is no certificate"))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.publish()
	return s, nil
}

// TLSConfig returns the configuration of a server: TLS 1.2 and later, Go's defaults otherwise, and always the certificates that
// are at hand by then.
func (s *Store) TLSConfig() *tls.Config {
	cfg := &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			s.look()
			return s.current.Load().choose(hello.ServerName), nil
		},
	}
	if s.ca == nil {
		return cfg
	}
	cfg.ClientAuth = tls.VerifyClientCertIfGiven
	if s.cfg.Client == RequireClient {
		cfg.ClientAuth = tls.RequireAndVerifyClientCert
	}
	cfg.ClientCAs = s.ca.certs
	return cfg
}

// Soonest returns the certificate that expires first, and when.
func (s *Store) Soonest() (path string, until time.Time) {
	for i, cert := range s.current.Load().certs {
		if i == 0 || cert.Leaf.NotAfter.Before(until) {
			path, until = s.cfg.Pairs[i].Certificate, cert.Leaf.NotAfter
		}
	}
	return path, until
}

// choose returns the certificate for a name.
func (c *content) choose(name string) *tls.Certificate {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	if cert := c.byName[name]; cert != nil {
		return cert
	}
	if _, parent, ok := strings.Cut(name, "."); ok {
		if cert := c.byName["*."+parent]; cert != nil {
			return cert
		}
	}
	return c.certs[0]
}

// publish offers what the entries have. The first certificate that has a name is for it.
func (s *Store) publish() {
	c := &content{byName: map[string]*tls.Certificate{}}
	for _, e := range s.entries {
		c.certs = append(c.certs, e.cert)
		for _, name := range namesOf(e.cert.Leaf) {
			if name = strings.ToLower(name); c.byName[name] == nil {
				c.byName[name] = e.cert
			}
		}
	}
	s.current.Store(c)
	s.next.Store(s.cfg.Now().Add(lookEvery).UnixNano())
}

// namesOf are the DNS names of a certificate: its common name only where it has no other (RFC 6125 §6.4.4).
func namesOf(leaf *x509.Certificate) []string {
	if len(leaf.DNSNames) == 0 && leaf.Subject.CommonName != "" {
		return []string{leaf.Subject.CommonName}
	}
	return leaf.DNSNames
}

// look reads again what has changed, unless somebody has looked a moment ago or is doing so.
func (s *Store) look() {
	now := s.cfg.Now()
	if now.UnixNano() < s.next.Load() || !s.mu.TryLock() {
		return
	}
	defer s.mu.Unlock()
	s.next.Store(now.Add(lookEvery).UnixNano())
	changed := false
	for _, e := range s.entries {
		changed = s.renew(e, now) || changed
	}
	if changed {
		s.publish()
	}
}

// renew reads one pair again if its files have changed, and says whether there is something new.
func (s *Store) renew(e *entry, now time.Time) bool {
	stamp := stampOf(e.pair.Certificate) + stampOf(e.pair.Key)
	if stamp == e.stamp {
		return false
	}
	fresh := &entry{pair: e.pair}
	if err := fresh.load(now); err != nil {
		if stamp != e.refused { // told once; and it is tried again with every look, for the other file may be on its way
			s.cfg.Log.Error("a certificate that has changed cannot be used, and the old one stays", "cause", err)
			e.refused = stamp
		}
		return false
	}
	e.cert, e.stamp, e.refused = fresh.cert, fresh.stamp, ""
	s.cfg.Log.Info("a certificate has changed", "certificate", e.pair.Certificate, "until", e.cert.Leaf.NotAfter)
	return true
}

// An entry is a pair, and what was read of it.
type entry struct {
	pair    Pair
	cert    *tls.Certificate
	stamp   string // of the files, as they were read
	refused string // of those that could not be used
}

// load reads the files of a pair. They are looked at before they are read, so what changes meanwhile is seen by the next look.
func (e *entry) load(now time.Time) error {
	stamp := stampOf(e.pair.Certificate) + stampOf(e.pair.Key)
	cert, err := read(e.pair)
	if err != nil {
		return err
	}
	switch leaf := cert.Leaf; {
	case now.After(leaf.NotAfter):
		return fmt.Errorf("%s: the certificate has expired on %s", e.pair.Certificate, leaf.NotAfter.Format(time.DateOnly))
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("%s: the certificate is not valid before %s", e.pair.Certificate, leaf.NotBefore.Format(time.DateTime))
	}
	e.cert, e.stamp = cert, stamp
	return nil
}

// stampOf tells one state of a file from another.
func stampOf(path string) string {
	info, err := os.Stat(path)
	if err != nil {
		return "-"
	}
	return fmt.Sprintf("%d.%d.%d;", info.Size(), info.ModTime().UnixNano(), inode(info))
}
