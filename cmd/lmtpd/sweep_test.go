package main_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// What a crash has left in tmp/ is removed when the daemon starts, if it is old enough to be nobody's.
func TestSweepAtStart(t *testing.T) {
	d := newDaemon(t)
	tmp := filepath.Join(d.mailbox("ann"), "tmp")
	for _, sub := range []string{"tmp", "new", "cur"} {
		mkdirOwned(t, filepath.Join(d.mailbox("ann"), sub))
	}
	chownMail(t, d.root)
	old, young := filepath.Join(tmp, "1.old.host"), filepath.Join(tmp, "2.young.host")
	for file, age := range map[string]time.Duration{old: 37 * time.Hour, young: time.Hour} {
		writeFile(t, file, "half a mess")
		then := time.Now().Add(-age)
		if err := os.Chtimes(file, then, then); err != nil {
			t.Fatal(err)
		}
	}
	d.start(t)
	d.await(t, "msg=swept files=1")
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old file is still there: %v", err)
	}
	if _, err := os.Stat(young); err != nil {
		t.Errorf("the young file is gone: %v", err)
	}
}
