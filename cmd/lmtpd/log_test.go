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

// At the level trace the log has whole dialogues, but no secret: none behind AUTH, nor in a line that is no command,
// since a client that was refused its mechanism may send its password all the same.
func TestTrace(t *testing.T) {
	d := newDaemon(t)
	d.configure(t, "[log]\nlevel = \"trace\"\n")
	d.start(t)
	c := dial(t, "unix", d.socket).lhlo()
	c.say(500, "AUTH PLAIN c2VjcmV0")
	c.say(500, "c2VjcmV0")
	body := "Subject: c2VjcmV0\r\n\r\n"
	if replies := c.transaction([]byte(body), "ann@example.org"); !strings.HasPrefix(replies[0], "250 ") {
		t.Fatal(replies)
	}
	c.say(221, "QUIT")
	c.ended()
	d.await(t, `level=TRACE msg=C .*line=QUIT`)
	for _, want := range []string{`msg=S .*line="220 mda\.example\.org`, `msg=C .*line="LHLO client\.example\.net"`,
		`msg=C .*line="AUTH PLAIN \*\*\*"`, `msg=C .*line=\*\*\*`, `msg=C .*line="RCPT TO:<ann@example\.org>"`, `msg=S .*line="354 `} {
		if len(d.matching(want)) == 0 {
			t.Errorf("no line with %s", want)
		}
	}
	if leaked := d.matching("c2VjcmV0"); len(leaked) > 0 {
		t.Errorf("secrets in the log: %q", leaked)
	}
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
