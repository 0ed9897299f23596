package main

import (
	"fmt"
	"slices"
	"strings"

	"lmtpd/auth"
)

// Auth says how clients authenticate.
type Auth struct {
	Backend    Backend
	Mechanisms []string // those that can work
	Domain     string   // of names without one: the first domain of all
	Masters    []string // none: accounts that may act as any other
	OAuth      OAuth
}

// A Backend is what verifies who a client is.
type Backend struct {
	Kind string // "accounts": those of the mailboxes; "dovecot"
	Arg  string // the address of Dovecot's socket
}

// String is the backend as the configuration has it.
func (b Backend) String() string {
	if b.Arg == "" {
		return b.Kind
	}
	return b.Kind + ":" + b.Arg
}

// OAuth says who vouches for bearer tokens: nobody, unless there is one of the first two.
type OAuth struct {
	Introspect   string   // URL (RFC 7662)
	JWKS         string   // URL or path (RFC 7517)
	ClientID     string   // for the first
	ClientSecret string   // path of a file
	Issuer       string   // that a token must be of; "": any
	Audience     []string // for whom it must be, one of these; none: anybody
	Scope        []string // what it must permit, all of these
	Claim        string   // that names the account: username with the first, sub with the second
}

// on says whether tokens can be looked at.
func (o OAuth) on() bool { return o.Introspect != "" || o.JWKS != "" }

func readAuth(a *Auth, t *table) {
	field(t, "backend", &a.Backend, parseBackend)
	fields(t, "mechanisms", parseMechanism, func(m string, at position) {
		if slices.Contains(a.Mechanisms, m) {
			t.report.add(at, "mechanisms: %s is there twice", m)
		}
		a.Mechanisms = append(a.Mechanisms, m)
	})
	if e := t.values["mechanisms"]; e != nil && e.isEmptyList() {
		t.report.add(e.at, "mechanisms: there is none; without any, leave the listeners for submission out")
	}
	field(t, "domain", &a.Domain, parseDomain)
	fields(t, "masters", parseLogin, func(name string, _ position) { a.Masters = append(a.Masters, name) })
	if a.Backend.Kind == "dovecot" {
		for _, key := range []string{"mechanisms", "domain", "masters", "oauth"} {
			if t.has(key) {
				t.report.add(t.values[key].key, `%s is for backend = "accounts"; Dovecot has that in its own configuration`, key)
			}
		}
	}
	oauth := t.section("oauth")
	oauth.name = "[auth.oauth]"
	readOAuth(&a.OAuth, oauth)
	for _, m := range a.Mechanisms {
		if (m == "OAUTHBEARER" || m == "XOAUTH2") && !a.OAuth.on() && !oauth.torn {
			t.report.add(t.where("mechanisms"), "mechanisms: %s needs [auth.oauth], which says who vouches for tokens", m)
		}
	}
	t.done()
}

func readOAuth(o *OAuth, t *table) {
	field(t, "introspect", &o.Introspect, parseURL)
	field(t, "jwks", &o.JWKS, parseURLOrPath)
	field(t, "client_id", &o.ClientID, parseText)
	field(t, "client_secret_file", &o.ClientSecret, parsePath)
	field(t, "issuer", &o.Issuer, parseText)
	fields(t, "audience", parseText, func(s string, _ position) { o.Audience = append(o.Audience, s) })
	fields(t, "scope", parseText, func(s string, _ position) { o.Scope = append(o.Scope, s) })
	field(t, "claim", &o.Claim, parseText)
	switch {
	case t.has("introspect") && t.has("jwks"):
		t.report.add(t.where("jwks"), "jwks: either this or introspect says whether a token is good")
	case !o.on() && len(t.order) > 0 && !t.has("introspect") && !t.has("jwks"):
		t.report.add(t.at, "%s: give introspect or jwks, else no token can be looked at", t.name)
	case o.JWKS != "" && (o.ClientID != "" || o.ClientSecret != ""):
		t.report.add(t.where("client_id"), "client_id and client_secret_file are for introspect")
	}
	t.done()
}

// parseBackend reads what verifies passwords: "accounts", "dovecot:PATH" or "dovecot:HOST:PORT".
func parseBackend(s string) (Backend, error) {
	kind, arg, _ := strings.Cut(s, ":")
	switch kind {
	case "accounts":
		if s != kind {
			return Backend{}, fmt.Errorf("%q: nothing follows accounts", s)
		}
		return Backend{Kind: kind}, nil
	case "dovecot":
		if arg == "" {
			return Backend{}, fmt.Errorf("dovecot needs the socket of its auth service, as in dovecot:/run/dovecot/auth-client")
		}
		_, err := parsePath(arg)
		return Backend{kind, arg}, err
	}
	return Backend{}, fmt.Errorf("unknown backend %q%s", s, didYouMean("", kind, []string{"accounts", "dovecot"}))
}

func parseMechanism(s string) (string, error) {
	return oneOf(auth.Mechanisms()...)(strings.ToUpper(s))
}
