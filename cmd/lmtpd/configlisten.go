package main

import (
	"lmtpd/protocol/server"
)

// The words of the configuration for a listener.
var (
	protocolWords = []string{"lmtp", "submission", "submissions"}
	tlsWords      = []string{"off", "starttls", "implicit"}
)

// readListen reads one listener. ok is false if even its address is not known.
func readListen(t *table) (l Listen, ok bool) {
	protocol := "lmtp"
	field(t, "protocol", &protocol, oneOf(protocolWords...))
	field(t, "address", &l, parseListener)
	if !t.has("address") && !t.torn {
		t.report.add(t.at, `%s has no address: give one such as "127.0.0.1:24" or "unix:/run/lmtpd.sock"`, t.name)
	}
	l.setProtocol(protocol)
	field(t, "mode", &l.Mode, parseMode)
	field(t, "owner", &l.Owner, parseUser)
	field(t, "group", &l.Group, parseGroup)
	if t.has("peers") {
		l.Peers = []uint32{}
	}
	fields(t, "peers", parseUser, func(uid int, _ position) { l.Peers = append(l.Peers, uint32(uid)) })
	l.readTLS(t)
	l.readClients(t, "proxies", &l.Proxies)
	l.readClients(t, "trust", &l.Trust)
	l.readProxyProtocol(t)
	if l.Network == "tcp" {
		unixOnly(t)
	}
	if t.has("trust") && !l.submits() {
		t.report.add(t.values["trust"].key, "trust is for submission; whoever can connect here may hand over mail")
	}
	t.done()
	return l, l.Network != ""
}

// setProtocol sets the protocol, with the way of TLS that goes with it.
func (l *Listen) setProtocol(protocol string) {
	l.Protocol = protocol
	switch protocol {
	case "submission":
		l.TLS = TLSStart
	case "submissions":
		l.TLS = TLSImplicit
	}
}

// readTLS reads when TLS begins. That of submissions (RFC 8314 §3.3) is in its name.
func (l *Listen) readTLS(t *table) {
	field(t, "tls", &l.TLS, numbered[TLSMode](tlsWords))
	if l.Protocol == "submissions" && l.TLS != TLSImplicit {
		t.report.add(t.where("tls"), `tls: submissions is with implicit TLS; for anything else the protocol is "submission"`)
	}
}

// readClients reads a list of clients.
func (l *Listen) readClients(t *table, key string, to *Clients) {
	fields(t, key, parseClients, func(c Clients, at position) {
		if c.Unix && l.Network == "tcp" {
			t.report.add(at, `%s: nobody connects to this listener by "unix"`, key)
		}
		to.Unix = to.Unix || c.Unix
		to.Nets = append(to.Nets, c.Nets...)
	})
}

// readProxyProtocol reads whether proxies say for whom they connect before anything else is said.
func (l *Listen) readProxyProtocol(t *table) {
	on := false
	t.flag("proxy_protocol", &on)
	if !on {
		return
	}
	l.Proxy = server.ProxyProtocol
	if !l.Proxies.Unix && len(l.Proxies.Nets) == 0 && !t.torn {
		t.report.add(t.where("proxy_protocol"), `proxy_protocol: nobody's is believed; name the proxies, as in proxies = ["192.0.2.1"]`)
	}
}

// unixOnly reports the keys that mean nothing for a listener on TCP.
func unixOnly(t *table) {
	for _, key := range []string{"mode", "owner", "group", "peers"} {
		if t.has(key) {
			t.report.add(t.values[key].key, "%s is for unix sockets only, and this listener is on TCP", key)
		}
	}
}
