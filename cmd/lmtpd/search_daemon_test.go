package main_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// awaitFound searches until so many are found.
func (d *daemon) awaitFound(t *testing.T, query string, n int) {
	t.Helper()
	for began := time.Now(); ; {
		got := d.run(t, "mailbox", "search", "--config", d.config, "ann", query)
		if strings.Count(got, "\n") == n {
			return
		}
		if time.Since(began) > patience {
			t.Fatalf("%s: found\n%s, want %d", query, got, n)
		}
	}
}

// The daemon keeps the index up: with what it delivers, with what others put in and remove, and with what came while it was
// not there.
func TestDaemonSearch(t *testing.T) {
	d := newDatabaseDaemon(t)
	d.configure(t, "search = true")
	d.start(t)
	deliver := func(n int) {
		c := dial(t, "unix", d.socket).lhlo()
		for i := range n {
			c.transaction(fmt.Appendf(nil, "Subject: invoice %d\r\n\r\nword\r\n", i), "ann@example.org")
		}
		c.say(221, "QUIT")
	}
	deliver(3)
	d.awaitFound(t, "invoice", 3)
	mbox := filepath.Join(d.root, "mail.mbox")
	writeFile(t, mbox, "From a@b Thu Jan  1 00:00:00 2026\nSubject: invoice by mbox\n\nx\n")
	d.run(t, "mailbox", "import", "--config", d.config, "ann", "mbox:"+mbox)
	d.awaitFound(t, "mbox", 1)
	d.run(t, "mailbox", "remove", "--config", d.config, "ann", "1")
	d.awaitFound(t, "invoice", 3)

	deliver(5)
	d.kill(t) // whatever it was doing
	d.start(t)
	d.awaitFound(t, "invoice", 8)
	if got := d.run(t, "mailbox", "check", "--config", d.config, "--all"); got != "" {
		t.Errorf("check: %s", got)
	}
	d.stop(t)
	if lines := d.matching("index"); lines != nil {
		t.Errorf("told of: %q", lines)
	}
}

// A daemon that is killed while it indexes loses no letter, and its index is sound.
func TestCrashIndexed(t *testing.T) {
	d := newDatabaseDaemon(t)
	d.configure(t, "search = true")
	crash(t, d)
}
