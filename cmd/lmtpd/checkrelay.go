package main

import (
	"cmp"
	"fmt"
	"log/slog"
	"strings"

	"lmtpd/protocol/client"
)

// relay tells where mail goes that is for nobody here. Nobody is asked over the network.
func (p printer) relay(r Relay) {
	if len(r.Routes) == 0 {
		return
	}
	for _, route := range r.Routes {
		p.line("relay", selectionMeaning(route))
		for i, s := range route.Servers {
			p.line([]string{"  server", "  else"}[min(i, 1)], s.String()+", "+relayTLSMeaning(route, s))
		}
		p.line("  login", loginMeaning(route))
		p.line("  connections", fmt.Sprintf("%d to one server at once", route.Connections))
	}
	last := r.Routes[len(r.Routes)-1]
	if len(last.Senders) > 0 || len(last.Recipients) > 0 {
		p.line("relay", "nothing else: other recipients that are not here are refused")
	}
	p.line("relay hello", r.Hello)
	p.line("forwarded mail", []string{"keeps its reverse-path", "has its reverse-path rewritten (SRS)"}[r.Rewriting])
}

// selectionMeaning tells what goes by a route, if none before it took it.
func selectionMeaning(r Route) string {
	var parts []string
	if len(r.Senders) > 0 {
		parts = append(parts, "from senders at "+strings.Join(r.Senders, ", "))
	}
	if len(r.Recipients) > 0 {
		parts = append(parts, "for recipients at "+strings.Join(r.Recipients, ", "))
	}
	return cmp.Or(strings.Join(parts, " "), "for all recipients that are not here")
}

// relayTLSMeaning tells what is done on the way to a server that nobody may listen, and who it must be.
func relayTLSMeaning(r Route, s client.Address) string {
	how := "with STARTTLS"
	if s.TLS {
		how = "with TLS from the first octet"
	}
	switch {
	case s.Network == "unix":
		return "in plaintext on this host"
	case r.TLS == RelayTLSNone:
		return "in plaintext: others can listen"
	case r.TLS == RelayTLSOpportunistic:
		return how + " where it is offered, to whoever answers; else in plaintext"
	case r.Fingerprint != client.Fingerprint{}:
		return how + "; its certificate must be " + fingerprintText(r.Fingerprint)
	}
	return how + "; its certificate must have that name, and be by " + cmp.Or(r.CA, "an authority of this system")
}

// loginMeaning tells as whom this host logs in, and how the file stands that proves it.
func loginMeaning(r Route) string {
	how := "the strongest mechanism that both know"
	if r.Mechanism != "" {
		how = r.Mechanism + " and nothing else"
	}
	switch path := cmp.Or(r.Password, r.Token); {
	case r.User == "" && r.Mechanism == "":
		return "none"
	case r.User == "":
		return how
	case path == "":
		return r.User + " with " + how
	default:
		return r.User + " with " + how + "; " + secretState(path)
	}
}

// checkRelay tells the mistakes in the files that the routes name.
func checkRelay(cfg *Config) error {
	r, err := openRelay(cfg, slog.New(slog.DiscardHandler))
	if r != nil {
		r.Close()
	}
	return err
}
