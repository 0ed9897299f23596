package spool

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Room that mail had which is gone is given back to the disk, but for some.
func TestVacuum(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := open(t, config(tempPath(t), &carrier{}))
		text := strings.Repeat("x", 8<<20)
		for range 4 {
			put(t, s, mail("ann@here.example", text, "bob@a.example"))
		}
		stop := run(t, s)
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		empty(t, s)
		stop()
		info, err := os.Stat(s.cfg.Path)
		if err != nil || info.Size() > keptPages*pageSize+1<<20 {
			t.Errorf("the file has %d octets, %v", info.Size(), err)
		}
	})
}
