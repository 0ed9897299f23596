package main_test

import (
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// A logLine is what the daemon wrote about one recipient of one message.
type logLine map[string]string

var logField = regexp.MustCompile(`(\w+)=("(?:[^"\\]|\\.)*"|\S*)`)

// parseLog takes a line of log/slog's text form apart.
func parseLog(t testing.TB, line string) logLine {
	t.Helper()
	fields := logLine{}
	for _, m := range logField.FindAllStringSubmatch(line, -1) {
		value := m[2]
		if strings.HasPrefix(value, `"`) {
			plain, err := strconv.Unquote(value)
			if err != nil {
				t.Errorf("log: %s: %v", value, err)
			}
			value = plain
		}
		fields[m[1]] = value
	}
	return fields
}

// deliveries returns the daemon's lines about recipients so far.
func (d *daemon) deliveries(t testing.TB) (all []logLine) {
	t.Helper()
	for _, line := range d.matching(`\bstatus=(delivered|deferred|bounced)\b`) {
		all = append(all, parseLog(t, line))
	}
	return all
}

// logged returns the one line about a recipient, whose address is unlike that of any other.
func (d *daemon) logged(t testing.TB, to string) logLine {
	t.Helper()
	d.await(t, `\bto="?<?`+regexp.QuoteMeta(to)+`.*\bstatus=`)
	var its []logLine
	for _, l := range d.deliveries(t) {
		if strings.Trim(l["to"], "<>") == to {
			its = append(its, l)
		}
	}
	if len(its) != 1 {
		t.Fatalf("%d log lines about %s, want one: %v", len(its), to, its)
	}
	return its[0]
}
