package spool

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/sys/unix"
)

// queueUp puts many messages of one sender into a spool, as fast as can be.
func queueUp(t testing.TB, path string, n int, at time.Time) {
	t.Helper()
	s := open(t, config(path, &carrier{}))
	arrived := at.UnixMicro()
	err := s.db.Write(t.Context(), func(ctx context.Context, conn *sql.Conn) error {
		for _, query := range []string{
			"INSERT INTO message (seq, id, arrived, account, local, domain, body, utf8, ret, envid, octets) " +
				"SELECT i, 'many' || i, ?2, '', 'bulk', 'here.example', '', 0, '', '', 10 FROM n",
			"INSERT INTO chunk SELECT i << 16, CAST('0123456789' AS BLOB) FROM n WHERE ?2",
			"INSERT INTO entry (message, number, destination, sender, arrived, state, next) SELECT i, 0, 'a.example', '<bulk@here.example>', ?2, 1, ?2 FROM n",
			"INSERT INTO recipient (message, entry, number, local, domain, notify, orcpt_type, orcpt) SELECT i, 0, 0, 'r' || i, 'a.example', 0, '', '' FROM n WHERE ?2",
		} {
			if _, err := conn.ExecContext(ctx, "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1) "+query, n, arrived); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// A start with 100,000 messages takes less than two seconds until the first attempt, and no more memory than one with few. The seconds
// are the processor's, for others may be at work.
func TestStartWithMany(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	const many = 100_000
	path := tempPath(t)
	queueUp(t, path, many, time.Now())
	c := &carrier{}
	first := make(chan struct{}, many)
	c.answer = func(ctx context.Context, _ string, m *Message) ([]Outcome, error) {
		first <- struct{}{}
		<-ctx.Done()
		return all(m, Deferred, later), nil
	}
	cfg := config(path, c)
	cfg.Grace = time.Millisecond
	before := memory()
	begun, cpu := time.Now(), cpuTime()
	s := open(t, cfg)
	stop := run(t, s)
	<-first
	took := cpuTime() - cpu
	t.Logf("the first attempt came after %v, %v of the processor's", time.Since(begun), took)
	if took > 2*time.Second {
		t.Errorf("the first attempt came after %v", took)
	}
	s.mu.Lock()
	if d := s.destinations["a.example"]; d.ready > maxReady || len(d.loaded) > maxReady {
		t.Errorf("%d are in memory", d.ready)
	}
	s.mu.Unlock()
	if more := memory() - before; more > 20<<20 {
		t.Errorf("it takes %d octets of memory", more)
	}
	stop()
}

func memory() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A million messages for a destination that cannot be used cost next to nothing: two hours of them, and what the process then has in
// memory.
func TestMillionDown(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a while")
	}
	path := tempPath(t)
	queueUp(t, path, 1_000_000, time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)) // as time begins in a bubble
	synctest.Test(t, func(t *testing.T) {
		c := &carrier{}
		c.answer = func(context.Context, string, *Message) ([]Outcome, error) {
			return nil, errors.New("connection refused")
		}
		cfg := config(path, c)
		cfg.DelayAfter = -1
		s := open(t, cfg)
		stop := run(t, s)
		const while = 2 * time.Hour
		cpu := cpuTime()
		time.Sleep(while)
		synctest.Wait()
		percent := 100 * (cpuTime() - cpu).Seconds() / while.Seconds()
		t.Logf("%.3f %% of a core, %d MB resident, %d attempts", percent, resident()>>20, len(c.attempts()))
		if percent > 5 {
			t.Errorf("%.3f %% of a core", percent)
		}
		if n := resident(); n > 200<<20 {
			t.Errorf("%d octets resident", n)
		}
		if n := len(c.attempts()); n < 8 || n > 40 { // some at the beginning, and then each half hour
			t.Errorf("%d attempts", n)
		}
		stop()
	})
}

func cpuTime() time.Duration {
	var u unix.Rusage
	unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// resident is what the process has in memory; 0 where that cannot be told.
func resident() (octets int64) {
	b, err := os.ReadFile("/proc/self/statm")
	if err == nil {
		fmt.Sscan(string(b), new(int64), &octets)
	}
	return octets * int64(os.Getpagesize())
}
