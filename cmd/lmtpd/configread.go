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
	readTLS(&cfg.TLS, t.section("tls"))
	readAuth(&cfg.Auth, t.section("auth"))
	readSubmission(&cfg.Submission, t.section("submission"))
	readQueue(&cfg.Queue, t.section("queue"))
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
