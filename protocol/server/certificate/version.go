package certificate

import (
	"bytes"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"strings"
)

// A version is what a store shows until a file changes. It is never changed itself, so that a handshake that has begun with it
// ends with it.
type version struct {
	leaves []*x509.Certificate
	named  map[string][]*tls.Certificate // by name or "*.domain", lower-cased
	others []*tls.Certificate            // for all other names
	config *tls.Config
	mark   []byte // of the sessions that may be resumed
}

// version makes a version of what was read last.
func (s *Store) version() *version {
	v := &version{named: map[string][]*tls.Certificate{}}
	mark := sha256.New()
	for _, w := range s.pairs {
		v.leaves = append(v.leaves, w.value.Leaf)
		for _, name := range Hosts(w.value.Leaf) {
			v.named[name] = append(v.named[name], w.value)
		}
		mark.Write(w.digest[:])
	}
	v.others = []*tls.Certificate{s.pairs[0].value}
	if names := Hosts(v.leaves[0]); len(names) > 0 {
		v.others = v.named[names[0]]
	}
	v.config = &tls.Config{
		MinVersion:     tls.VersionTLS12,
		Time:           s.cfg.Now,
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) { return v.pick(hello), nil },
	}
	if s.ca != nil {
		v.config.ClientCAs = s.ca.value
		v.config.ClientAuth = tls.VerifyClientCertIfGiven
		if s.cfg.Client == ClientRequire {
			v.config.ClientAuth = tls.RequireAndVerifyClientCert
		}
		mark.Write(s.ca.digest[:])
	}
	v.mark = mark.Sum(nil)
	v.resume(s.tickets)
	return v
}

// resume lets clients resume sessions of the same version only. One that has seen another certificate than the one that is
// shown now would bind its channel to that (RFC 5929 §4.1).
func (v *version) resume(tickets *tls.Config) {
	v.config.WrapSession = func(cs tls.ConnectionState, session *tls.SessionState) ([]byte, error) {
		session.Extra = append(session.Extra, v.mark)
		return tickets.EncryptTicket(cs, session)
	}
	v.config.UnwrapSession = func(ticket []byte, cs tls.ConnectionState) (*tls.SessionState, error) {
		session, err := tickets.DecryptTicket(ticket, cs)
		if session == nil || err != nil {
			return nil, err
		}
		if n := len(session.Extra); n == 0 || !bytes.Equal(session.Extra[n-1], v.mark) {
			return nil, nil // the handshake goes on as if there were no ticket
		}
		session.Extra = session.Extra[:len(session.Extra)-1]
		return session, nil
	}
}

// pick returns the certificate for a client. Where several have the name, as an ECDSA one and an RSA one for old clients have,
// it is the first that the client can use.
func (v *version) pick(hello *tls.ClientHelloInfo) *tls.Certificate {
	all := v.lookup(hello.ServerName)
	if len(all) == 1 {
		return all[0]
	}
	unnamed := *hello
	unnamed.ServerName = "" // the name is dealt with
	for _, c := range all {
		if unnamed.SupportsCertificate(c) == nil {
			return c
		}
	}
	return all[0]
}

// lookup returns the certificates for a name: those that have it, else those with a wildcard in the place of its first label
// (RFC 9525 §6.3), else those for all others.
func (v *version) lookup(name string) []*tls.Certificate {
	if name == "" {
		return v.others
	}
	name = strings.ToLower(name)
	if all := v.named[name]; all != nil {
		return all
	}
	if _, domain, ok := strings.Cut(name, "."); ok {
		if all := v.named["*."+domain]; all != nil {
			return all
		}
	}
	return v.others
}

// Hosts returns the names of hosts that a server's certificate is for, lower-cased: its DNS names, where "*" may be the first
// label, or else its subject's common name, as certificates had it long ago.
func Hosts(leaf *x509.Certificate) []string {
	names := leaf.DNSNames
	if len(names) == 0 && len(leaf.IPAddresses) == 0 && leaf.Subject.CommonName != "" {
		names = []string{leaf.Subject.CommonName}
	}
	hosts := make([]string, 0, len(names))
	had := make(map[string]bool, len(names))
	for _, name := range names {
		name = strings.ToLower(strings.TrimSuffix(name, "."))
		if !had[name] {
			hosts = append(hosts, name)
		}
		had[name] = true
	}
	return hosts
}
