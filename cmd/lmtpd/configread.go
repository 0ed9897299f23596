package main

import (
	"fmt"
	"slices"
	"strings"
)

// readConfig reads a configuration file into cfg. All mistakes go to r; what is wrong keeps its default.
func readConfig(cfg *Config, data []byte, r *report) {
	t := parseDocument(data, r)
	field(t, "hostname", &cfg.Hostname, parseHostname)
	field(t, "data", &cfg.Data, parsePath)
	field(t, "dsn", &cfg.DSN, numbered[DSN](dsnWords))
	readListeners(cfg, t)
	readMailboxes(cfg, t)
	readLimits(&cfg.Limits, t.section("limits"))
	readLog(&cfg.Log, t.section("log"))
	t.done()
}

func readListeners(cfg *Config, t *table) {
	seen := map[string]position{}
	for _, section := range t.sections("listen") {
		l, ok := readListen(section)
		if !ok {
			continue
		}
		key := l.place()
		if first, twice := seen[key]; twice {
			t.report.add(section.where("address"), "address: line %d listens there already", first.line)
			continue
		}
		seen[key] = section.where("address")
		cfg.Listen = append(cfg.Listen, l)
	}
}

// readListen reads one listener. ok is false if even its address is not known.
func readListen(t *table) (l Listen, ok bool) {
	protocol := "lmtp"
	field(t, "protocol", &protocol, parseProtocol)
	field(t, "address", &l, parseListener)
	if !t.has("address") && !t.torn {
		t.report.add(t.at, `%s has no address: give one such as "127.0.0.1:24" or "unix:/run/lmtpd.sock"`, t.name)
	}
	l.Protocol = protocol
	field(t, "mode", &l.Mode, parseMode)
	field(t, "owner", &l.Owner, parseUser)
	field(t, "group", &l.Group, parseGroup)
	if t.has("peers") {
		l.Peers = []uint32{}
	}
	fields(t, "peers", parseUser, func(uid int, _ position) { l.Peers = append(l.Peers, uint32(uid)) })
	fields(t, "proxies", parseProxy, func(p Proxies, at position) {
		if p.Unix && l.Network == "tcp" {
			t.report.add(at, `proxies: nobody connects to this listener by "unix"`)
		}
		l.Proxies.Unix = l.Proxies.Unix || p.Unix
		l.Proxies.Nets = append(l.Proxies.Nets, p.Nets...)
	})
	if l.Network == "tcp" {
		unixOnly(t)
	}
	t.done()
	return l, l.Network != ""
}

// unixOnly reports the keys that mean nothing for a listener on TCP.
func unixOnly(t *table) {
	for _, key := range []string{"mode", "owner", "group", "peers"} {
		if t.has(key) {
			t.report.add(t.values[key].key, "%s is for unix sockets only, and this listener is on TCP", key)
		}
	}
}

func readLimits(l *Limits, t *table) {
	t.size("message_size", &l.MessageSize)
	t.count("recipients", &l.Recipients)
	t.count("connections", &l.Connections)
	t.count("connections_per_peer", &l.ConnectionsPerPeer)
	t.count("errors", &l.Errors)
	t.count("hops", &l.Hops)
	t.count("deliveries", &l.Deliveries)
	t.count("per_mailbox", &l.PerMailbox)
	field(t, "deadline", &l.Deadline, parseDuration)
	t.size("min_free", &l.MinFree.Octets)
	inodes := 0
	t.count("min_free_inodes", &inodes)
	l.MinFree.Inodes = int64(inodes)
	t.size("memory", &l.Memory)
	field(t, "shutdown", &l.Shutdown, parseDuration)
	field(t, "command_timeout", &l.CommandTimeout, parseDuration)
	field(t, "content_timeout", &l.ContentTimeout, parseDuration)
	t.done()
}

func readLog(l *Log, t *table) {
	field(t, "format", &l.Format, oneOf("text", "json"))
	field(t, "level", &l.Level, parseLevel)
	t.done()
}

// oneOf makes a parser that takes the words and nothing else.
func oneOf(words ...string) func(string) (string, error) {
	return func(s string) (string, error) {
		if slices.Contains(words, s) {
			return s, nil
		}
		last := len(words) - 1
		list := strings.Join(words[:last], ", ") + " or " + words[last]
		return "", fmt.Errorf("%q is not %s%s", s, list, didYouMean("", s, words))
	}
}
