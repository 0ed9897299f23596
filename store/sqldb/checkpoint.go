package sqldb

import (
	"context"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// When checkpoints are made, which bring the log into the file. A log is used from its beginning again after one that met its
// end, so that is what matters: it is written once more where it lies.
//
// They cost as much as deliveries do, and what they flush is flushed before what a commit does. At 32 sessions with 10 KB there
// were 5,300 messages/s with one for every 32 MiB, p99 22 ms, and 6,200 with none, p99 10 ms; with 1 MB 251 and 337. So they
// wait until nothing comes, and only a log that is large by then is brought in under load: for every 64 MiB that gave 5,900
// messages/s over 20 s, p99 25 ms, at most 45; for every 512 MiB 6,200, p99 10, at most 172. Passes of 2 to 8 MiB gave fewer
// messages and no better p99. What a delivery waits for while one is flushed grows with it: in turn over 30 s the p99.9 was
// 64 to 112 ms for every 128 MiB, 99 to 150 for 256 and 145 to 177 for 512, with some percent of the messages between them.
const (
	// checkpointOctets is how much comes together before one is made under load.
	checkpointOctets = 128 << 20
	// checkpointIdle is how long nothing must have been written for one to be made.
	checkpointIdle = time.Second
	// checkpointRest is how much may be left when a leader makes the last of them himself, before his own transaction: no
	// more than some milliseconds of waiting.
	checkpointRest = 2 << 20
	// maxPasses is how many are made one after the other while others go on writing: each leaves less.
	maxPasses = 8
	// LogOctets is what a log may have before a commit itself does all the rest, whatever that takes.
	LogOctets = 1 << 30
	// logKept is what a log keeps when nothing comes, to be written where it lies.
	logKept = 64 << 20
)

// A Checkpointer makes the checkpoints of a database that is written to a lot, in place of the commits. A goroutine does it beside
// the writer, again and again until little is left at the end of the log; that is for the writer to bring in, when nobody adds to it.
type Checkpointer struct {
	of     *DB
	log    *slog.Logger
	logged atomic.Int64  // octets written since the last one began, about
	last   atomic.Bool   // little is left, and a leader is to bring it in
	ripe   chan struct{} // says that it is time for one
	quit   chan struct{}
	idle   *time.Timer
	after  time.Duration // that it goes off
	once   sync.Once
	done   sync.WaitGroup
}

// NewCheckpointer starts the Checkpointer of a database, which is to be of a Kind whose LogPages come to LogOctets. What it cannot
// do, it tells log.
func NewCheckpointer(db *DB, log *slog.Logger) *Checkpointer {
	c := &Checkpointer{of: db, log: log, ripe: make(chan struct{}, 1), quit: make(chan struct{}), after: checkpointIdle}
	c.idle = time.AfterFunc(checkpointIdle, c.wake)
	c.done.Go(c.run)
	return c
}

// Stop ends the goroutine, and checkpoints are made no more but on demand.
func (c *Checkpointer) Stop() {
	c.idle.Stop()
	c.once.Do(func() { close(c.quit) })
	c.done.Wait()
}

func (c *Checkpointer) run() {
	for {
		select {
		case <-c.ripe:
			c.bringIn()
		case <-c.quit:
			return
		}
	}
}

func (c *Checkpointer) wake() {
	select {
	case c.ripe <- struct{}{}:
	default:
	}
}

// Count counts what was committed: octets of the log, about.
func (c *Checkpointer) Count(octets int64) {
	if c.logged.Add(octets) >= checkpointOctets {
		c.wake()
	}
	c.idle.Reset(c.after)
}

// bringIn makes checkpoints until little is left.
func (c *Checkpointer) bringIn() {
	if c.logged.Load() == 0 {
		return
	}
	left := int64(0)
	for range maxPasses {
		c.logged.Store(0)
		c.make()
		if left = c.logged.Load(); left <= checkpointRest {
			break
		}
	}
	if c.last.Store(left > 0); left == 0 {
		c.cut()
	}
}

// cut gives back to the disk what a log has that was large.
func (c *Checkpointer) cut() {
	if err := c.of.CutLog(context.Background(), logKept); err != nil && !IsBusy(err) {
		c.log.Warn("the log of a database cannot be cut", "database", c.of.path, "cause", err)
	}
}

// BringInRest makes the last of the checkpoints, if it is time. The caller leads.
func (c *Checkpointer) BringInRest() {
	if c.last.CompareAndSwap(true, false) {
		c.logged.Store(0)
		c.make()
	}
}

func (c *Checkpointer) make() {
	if err := c.Checkpoint(context.Background()); err != nil {
		c.log.Error("the log of a database cannot be brought into it", "database", c.of.path, "cause", err)
	}
}

// Checkpoint brings the log into the file. That somebody reads what is older is no mistake: then it is done later.
func (c *Checkpointer) Checkpoint(ctx context.Context) error {
	left, err := c.of.Checkpoint(ctx)
	if most := c.of.kind.LogPages; left > 2*most {
		c.log.Warn("the log of a database grows while somebody reads it", "database", c.of.path, "octets", left*(LogOctets/most))
	}
	if err != nil && !IsBusy(err) {
		return err
	}
	return nil
}
