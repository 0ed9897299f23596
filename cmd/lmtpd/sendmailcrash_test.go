package main_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// A daemon that is killed again and again loses nothing that sendmail was called for: each message arrives, once as a rule.
func TestSendmailCrash(t *testing.T) {
	const rounds, calls = 6, 8
	d := newMailHost(t, `trust = ["unix"]`)
	uid := uint32(os.Getuid())
	for round := range rounds {
		d.start(t)
		var all sync.WaitGroup
		for call := range calls {
			cmd := d.sendmail(uid, fmt.Sprintf("Subject: %d.%d\n\nHello.\n", round, call), "crash@example.org")
			if uid != 0 {
				cmd.SysProcAttr = nil
			}
			all.Go(func() {
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Errorf("%v: %s", err, out)
				}
			})
		}
		<-time.After(rand.N(100 * time.Millisecond)) // so that it dies at any moment
		d.kill(t)
		all.Wait()
	}
	d.start(t)
	found := map[string]int{}
	for deadline := time.Now().Add(patience); len(found) < rounds*calls && time.Now().Before(deadline); {
		clear(found)
		for _, m := range visible(t, d.mailbox("crash")) {
			_, after, _ := strings.Cut(string(m.text), "Subject: ")
			subject, _, _ := strings.Cut(after, "\n")
			found[strings.TrimSpace(subject)]++
		}
	}
	twice := 0
	for round := range rounds {
		for call := range calls {
			if n := found[fmt.Sprintf("%d.%d", round, call)]; n == 0 {
				t.Errorf("%d.%d is lost", round, call)
			} else if n > 1 {
				twice++
			}
		}
	}
	if _, err := os.Stat(d.dir + "/data/drop"); errors.Is(err, os.ErrNotExist) {
		t.Error("there is no directory to leave messages in")
	}
	t.Logf("%d of %d arrived more than once", twice, rounds*calls)
}
