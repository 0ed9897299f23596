package sqlite

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// When checkpoints are made, which bring the log into the file. A log is used from its beginning again after one that met its
// end, so that is what matters: it is written once more where it lies.
const (
	// checkpointOctets is how much comes together before one is made: what is written again meanwhile, as the leaves of
	// indexes are, goes into the file once.
	checkpointOctets = 32 << 20
	// checkpointIdle is how long nothing must have been written for one to be made.
	checkpointIdle = time.Second
	// checkpointRest is how much may be left when a leader makes the last of them himself, before his own transaction: no
	// more than some milliseconds of waiting.
	checkpointRest = 2 << 20
	// maxPasses is how many are made one after the other while others go on writing.
	maxPasses = 4
	// logOctets is what a log may have before a commit itself does all the rest, whatever that takes.
	logOctets = 128 << 20
)

// A checkpointer makes the checkpoints of a database. A goroutine does it beside the writer, again and again until little is left
// at the end of the log; that is for the writer to bring in, when nobody adds to it.
type checkpointer struct {
	of     *database
	logged atomic.Int64  // octets written since the last one began, about
	last   atomic.Bool   // little is left, and a leader is to bring it in
	ripe   chan struct{} // says that it is time for one
	quit   chan struct{}
	idle   *time.Timer
	done   sync.WaitGroup
}

func newCheckpointer(d *database) *checkpointer {
	c := &checkpointer{of: d, ripe: make(chan struct{}, 1), quit: make(chan struct{})}
	c.idle = time.AfterFunc(checkpointIdle, c.wake)
	c.done.Go(c.run)
	return c
}

// stop ends the goroutine. Nobody may be writing.
func (c *checkpointer) stop() {
	c.idle.Stop()
	close(c.quit)
	c.done.Wait()
}

func (c *checkpointer) run() {
	for {
		select {
		case <-c.ripe:
			c.bringIn()
		case <-c.quit:
			return
		}
	}
}

func (c *checkpointer) wake() {
	select {
	case c.ripe <- struct{}{}:
	default:
	}
}

// count counts what was written, with what rows and indexes need besides.
func (c *checkpointer) count(jobs []*job) {
	octets := int64(0)
	for _, j := range jobs {
		octets += j.octets + pageSize*int64(1+len(j.steps))
	}
	if c.logged.Add(octets) >= checkpointOctets {
		c.wake()
	}
	c.idle.Reset(checkpointIdle)
}

// bringIn makes checkpoints until little is left.
func (c *checkpointer) bringIn() {
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
	c.last.Store(left > 0)
}

// bringInRest makes the last of the checkpoints, if it is time. The caller leads.
func (c *checkpointer) bringInRest() {
	if c.last.CompareAndSwap(true, false) {
		c.logged.Store(0)
		c.make()
	}
}

func (c *checkpointer) make() {
	if err := c.of.checkpoint(context.Background()); err != nil {
		c.of.store.log.Error("the log of a database cannot be brought into it", "database", c.of.path, "cause", err)
	}
}
