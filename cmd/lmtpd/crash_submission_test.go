package main_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// What was submitted and answered 250 arrives, once, in each mailbox, whenever the daemon was killed.
func TestCrashSubmission(t *testing.T) {
	onStores(t, crashSubmission)
}

func crashSubmission(t *testing.T, d *daemon) {
	rounds := 20
	if testing.Short() {
		rounds = 2
	}
	l := newLoad(d)
	l.hello, l.replies = "EHLO client.example.net", func(int) int { return 1 }
	l.socket = filepath.Join(d.dir, "run", "msa")
	d.configure(t, fmt.Sprintf("[[listen]]\nprotocol = \"submission\"\naddress = %q\ntls = \"off\"\ntrust = [\"unix\"]\n", "unix:"+l.socket))
	for round := range rounds {
		d.start(t)
		l.limit = len(l.receipts) + 1 + rand.IntN(300)
		l.enough = make(chan struct{})
		l.run(t, d, round)
		d.start(t)
		d.drained(t)
		l.check(t) // of all rounds
		d.shelf.checked(t)
		d.kill(t)
		if t.Failed() {
			return
		}
	}
	clear(l.known)
	l.check(t) // once more, and all is read anew
	t.Logf("%d rounds, %d receipts", rounds, len(l.receipts))
}

// drained waits until nothing is left in the queue.
func (d *daemon) drained(t *testing.T) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); <-tick.C {
		out := d.run(t, "queue", "list", "--json", "--config", d.config)
		if out == "" {
			return
		}
		var first map[string]any
		if err := json.NewDecoder(strings.NewReader(out)).Decode(&first); err != nil {
			t.Fatalf("queue list says %q: %v", out, err)
		}
	}
	t.Errorf("still in the queue:\n%s", d.run(t, "queue", "list", "--config", d.config))
}
