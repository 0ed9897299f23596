package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// Relay says where mail goes whose recipients are not here: nowhere, unless there is a route.
type Relay struct {
	Hello     string    // Hostname: what this host calls itself there
	Rewriting Rewriting // keep
	Routes    []Route   // none; the first that takes a recipient is his. [relay] itself is the last.
}

// Rewriting says what becomes of the reverse-path of mail that is forwarded.
type Rewriting int

const (
	RewriteKeep Rewriting = iota // it stays
	RewriteSRS                   // it is rewritten, so that this host may use it (Sender Rewriting Scheme)
)

// A Route is one smarthost, or several that stand in for one another, and how this host is known there.
type Route struct {
	Senders    []string         // any; else those of these domains. *.example.org is every domain below example.org
	Recipients []string         // any; else those in these domains
	Servers    []client.Address // tried in this order
	User       string           // "": nobody logs in
	Password   string           // path of a file
	Token      string           // path of a file
	Mechanism  string           // "": the strongest that both know
	TLS        RelayTLS         // required; none on a unix socket
	CA         string           // "": file of the certificates that those of the servers must lead to; those of the system
	// The only certificate that is believed, by its SHA-256; zero: any that leads to CA and has the server's name.
	Fingerprint client.Fingerprint
	Connections int // 10 to one server at once
}

// RelayTLS says what becomes of mail when there is no TLS to be had.
type RelayTLS int

const (
	RelayTLSRequired      RelayTLS = iota // it waits
	RelayTLSOpportunistic                 // it goes on in plaintext; no certificate is verified
	RelayTLSNone                          // there is no asking for TLS
)

// The words of the configuration for a relay.
var (
	relayTLSWords  = []string{"required", "opportunistic", "none"}
	rewritingWords = []string{"keep", "srs"}
)

// routeKeys are the keys that [relay] has in common with a route for some mail.
var routeKeys = []string{"server", "user", "password_file", "token_file", "auth", "tls", "ca", "fingerprint", "connections"}

// routesName is how a table of one more route is written.
const routesName = "[[relay.route]]"

// relayConnections is how many connections to one server there are at once.
const relayConnections = 10

// readRelay reads the routes: those of [[relay.route]] for some mail, and [relay] itself for all the rest.
func readRelay(r *Relay, t *table) {
	if t.at == (position{}) {
		return // there is no such table
	}
	field(t, "hello", &r.Hello, parseHello)
	field(t, "sender_rewriting", &r.Rewriting, numbered[Rewriting](rewritingWords))
	for _, section := range moreRoutes(t) {
		route := readRoute(section)
		fields(section, "sender_domains", parseRouteDomain, func(d string, _ position) { route.Senders = append(route.Senders, d) })
		fields(section, "recipient_domains", parseRouteDomain, func(d string, _ position) { route.Recipients = append(route.Recipients, d) })
		checkSelection(section)
		section.done()
		r.Routes = append(r.Routes, route)
	}
	if !t.has("route") || slices.ContainsFunc(routeKeys, t.has) {
		r.Routes = append(r.Routes, readRoute(t))
	}
	t.done()
}

// moreRoutes returns the tables of routes for some mail, under their whole name.
func moreRoutes(t *table) []*table {
	if e := t.values["route"]; e != nil && e.kind == unstable.Table {
		t.get("route")
		t.report.add(e.key, "relay.route is a list: write %s", routesName)
		return nil
	}
	sections := t.sections("route")
	for _, section := range sections {
		section.name = routesName
	}
	return sections
}

// checkSelection reports a route that takes everything, so that those behind it get nothing.
func checkSelection(t *table) {
	for _, key := range []string{"sender_domains", "recipient_domains"} {
		if e := t.values[key]; e != nil && e.isEmptyList() {
			t.report.add(e.at, "%s: there is none", key)
		}
	}
	if !t.has("sender_domains") && !t.has("recipient_domains") && !t.torn {
		t.report.add(t.at, "%s: give sender_domains or recipient_domains; the servers for everything else stand in [relay]", t.name)
	}
}

// readRoute reads what [relay] and a route of its own have in common.
func readRoute(t *table) Route {
	r := Route{Connections: relayConnections}
	r.readServers(t)
	r.readTLS(t)
	r.readLogin(t)
	t.count("connections", &r.Connections)
	return r
}

// readServers reads one server, or a list of them.
func (r *Route) readServers(t *table) {
	seen := func(a client.Address, at position) {
		if slices.Contains(r.Servers, a) {
			t.report.add(at, "server: %s is there twice", a)
			return
		}
		r.Servers = append(r.Servers, a)
	}
	e := t.get("server")
	switch {
	case e == nil && !t.torn:
		t.report.add(t.at, `%s has no server: give one, as in server = "smtp://smtp.example.net:587"`, t.name)
	case e == nil:
	case e.kind == unstable.String:
		var a client.Address
		field(t, "server", &a, parseSmarthost)
		if a.Name != "" {
			seen(a, e.at)
		}
	case e.isEmptyList():
		t.report.add(e.at, "server: there is none")
	default:
		fields(t, "server", parseSmarthost, seen)
	}
}

// parseSmarthost reads the address of a server that takes mail for other hosts.
func parseSmarthost(s string) (client.Address, error) {
	a, err := client.ParseAddress(s)
	switch {
	case err != nil:
		return client.Address{}, err
	case a.Dialect != client.ESMTP():
		return client.Address{}, fmt.Errorf("%q: a relay speaks ESMTP: write smtp://HOST:PORT, smtps://HOST:PORT or smtp+unix:PATH", s)
	}
	return a, nil
}

// parseRouteDomain reads a domain, or, as *.DOMAIN, all that are below it.
func parseRouteDomain(s string) (string, error) {
	parent, below := strings.CutPrefix(s, "*.")
	d, err := parseDomain(parent)
	if err == nil && below {
		d = "*." + d
	}
	return d, err
}

// parseHello reads what a client may call itself (RFC 5321 §4.1.1.1).
func parseHello(s string) (string, error) {
	if smtp.IsAddressLiteral(s) {
		return s, nil
	}
	return parseHostname(s)
}

// parseRelayMechanism reads by which mechanism to log in.
func parseRelayMechanism(s string) (string, error) {
	return oneOf(relayMechanisms...)(strings.ToUpper(s))
}

var relayMechanisms = []string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "NTLM", "XOAUTH2", "OAUTHBEARER", "EXTERNAL"}
