package main

import (
	"github.com/pelletier/go-toml/v2/unstable"

	"lmtpd/protocol/server/certificate"
)

// TLS says which certificates the daemon shows, and whether it asks clients for theirs.
type TLS struct {
	Certificates []certificate.Pair // none: a self-signed one, made below Data where a listener needs one
	CA           string             // "": file of the certificates that those of clients must lead to
	Client       certificate.Client // none; request, if there is a CA
}

// clientWords are the words for what clients are asked for, in the order of certificate.Client.
var clientWords = []string{"none", "request", "require"}

// certificatesName is how a table of one more certificate is written.
const certificatesName = "[[tls.certificates]]"

// readTLS reads the certificates: one in [tls] itself, which is for clients that ask for no name, and more in
// [[tls.certificates]].
func readTLS(c *TLS, t *table) {
	certs := &certificates{seen: map[string]position{}}
	certs.read(t)
	for _, section := range moreCertificates(t) {
		certs.read(section)
		if !section.has("certificate") && !section.has("key") && !section.torn {
			section.report.add(section.at, "%s has no certificate: give one, with its key", section.name)
		}
		section.done()
	}
	c.Certificates = certs.pairs
	field(t, "ca", &c.CA, parsePath)
	if t.has("ca") {
		c.Client = certificate.ClientRequest
	}
	field(t, "client", &c.Client, numbered[certificate.Client](clientWords))
	if c.Client != certificate.ClientNone && !t.has("ca") && !t.torn {
		t.report.add(t.where("client"), `client: %s needs a ca, which the certificates of clients must lead to`, clientWords[c.Client])
	}
	t.done()
}

// moreCertificates returns the tables of further certificates, under their whole name.
func moreCertificates(t *table) []*table {
	if e := t.values["certificates"]; e != nil && e.kind == unstable.Table {
		t.get("certificates")
		t.report.add(e.key, "tls.certificates is a list: write %s", certificatesName)
		return nil
	}
	sections := t.sections("certificates")
	for _, section := range sections {
		section.name = certificatesName
	}
	return sections
}

// certificates are those that have been read.
type certificates struct {
	pairs []certificate.Pair
	seen  map[string]position // by the certificate's file
}

// read reads the certificate of a table, if it has one.
func (c *certificates) read(t *table) {
	var p certificate.Pair
	field(t, "certificate", &p.Certificate, parsePath)
	field(t, "key", &p.Key, parsePath)
	switch {
	case t.has("certificate") && !t.has("key") && !t.torn:
		t.report.add(t.values["certificate"].key, "certificate: its key is missing: give key, which may be the same file")
	case t.has("key") && !t.has("certificate") && !t.torn:
		t.report.add(t.values["key"].key, "key: its certificate is missing: give certificate, which may be the same file")
	}
	if p.Certificate == "" || p.Key == "" {
		return
	}
	if first, twice := c.seen[p.Certificate]; twice {
		t.report.add(t.where("certificate"), "certificate: line %d has it already", first.line)
		return
	}
	c.seen[p.Certificate] = t.where("certificate")
	c.pairs = append(c.pairs, p)
}

// selfSignedDir is where below the data a self-signed certificate is made.
const selfSignedDir = "tls"
