package sqlite

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"
	"sync"
)

// What a transaction takes at most, so that nobody waits long for one that came late.
const (
	batchJobs   = 1000
	batchOctets = 4 << 20
)

// A writer is the one goroutine that writes to a database. What waits while a commit is under way shares the next one.
type writer struct {
	*database
	queue   chan *job
	stopped chan struct{}
	known   map[place]int64 // folders that are there, by id
	logged  int64           // octets written since the last checkpoint, about
	ripe    chan struct{}   // says that it is time for one
}

// maxKnown is how many folders are remembered.
const maxKnown = 20_000

func newWriter(d *database) *writer {
	w := &writer{
		database: d,
		queue:    make(chan *job, 128),
		stopped:  make(chan struct{}),
		known:    map[place]int64{},
		ripe:     make(chan struct{}, 1),
	}
	var both sync.WaitGroup
	both.Go(func() {
		defer close(w.ripe)
		for first := range w.queue {
			w.commit(first)
		}
	})
	both.Go(w.checkpoints)
	go func() {
		both.Wait()
		close(w.stopped)
	}()
	return w
}

// close waits until all that is in the queue has been done. Nobody may be putting anything into it.
func (w *writer) close() {
	close(w.queue)
	<-w.stopped
}

// enqueue hands a job over. After an error it was not, and the caller still answers for it.
func (w *writer) enqueue(ctx context.Context, j *job) error {
	select {
	case w.queue <- j:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// commit does the first job and all that wait behind it in one transaction. Whose changes could not be made together are
// made one by one, so that what is wrong with one is not another's trouble.
func (w *writer) commit(first *job) {
	jobs := []*job(nil)
	err := w.transact(func(t *tx) error {
		jobs = w.gather(first)
		for _, j := range jobs {
			if err := j.run(t); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case jobs == nil: // it did not even begin
		jobs = w.gather(first)
		for _, j := range jobs {
			j.fail(err)
		}
	case err != nil:
		for _, j := range jobs {
			w.apart(j, err, len(jobs) == 1)
		}
	}
	w.settle(jobs)
	w.count(jobs)
}

// checkpointPages is how much of a log comes together before it is brought into the file, by a goroutine of its own: nobody
// waits for that. If that does not keep up, a commit does the rest (sqldb.Kind.LogPages).
const checkpointPages = 1024

// count counts what was written, with what rows and indexes need besides.
func (w *writer) count(jobs []*job) {
	for _, j := range jobs {
		w.logged += j.octets + pageSize*int64(1+len(j.steps))
	}
	if w.logged < checkpointPages*pageSize {
		return
	}
	select {
	case w.ripe <- struct{}{}:
		w.logged = 0
	default:
	}
}

// checkpoints makes checkpoints until the writer ends.
func (w *writer) checkpoints() {
	for range w.ripe {
		if err := w.checkpoint(context.Background()); err != nil {
			w.store.log.Error("the log of a database cannot be brought into it", "database", w.path, "cause", err)
		}
	}
}

// gather takes what waits, up to a limit, without those that have been given up.
func (w *writer) gather(first *job) []*job {
	jobs, octets := []*job{}, int64(0)
	for j := first; ; {
		if j.enter() {
			jobs = append(jobs, j)
			octets += j.octets
		} else {
			j.finish()
		}
		if len(jobs) >= batchJobs || octets >= batchOctets {
			return jobs
		}
		var ok bool
		select {
		case j, ok = <-w.queue:
			if !ok {
				return jobs
			}
		default:
			return jobs
		}
	}
}

// apart makes each change of a job in a transaction of its own, unless it was in one already.
func (w *writer) apart(j *job, err error, alone bool) {
	if alone && len(j.steps) == 1 {
		j.fail(err)
		return
	}
	for i := range j.steps {
		s := &j.steps[i]
		if err := w.transact(func(t *tx) error { return s.run(t) }); err != nil {
			s.err = err
		}
	}
}

// settle tells everybody how it ended. What nobody waits for any more is taken back.
func (w *writer) settle(jobs []*job) {
	for _, j := range jobs {
		if !j.settle() {
			w.takeBack(j)
		}
		j.finish()
	}
}

func (w *writer) takeBack(j *job) {
	undo := j.undo()
	if undo == nil {
		return
	}
	if err := w.transact(undo); err != nil {
		w.store.log.Error("delivered late", "database", w.path, "cause", err)
		return
	}
	w.store.log.Warn("taken back: its deadline had passed", "database", w.path)
}

// transact has change work in a transaction. nil says that it is durable.
func (w *writer) transact(change func(*tx) error) (err error) {
	var t *tx
	defer func() {
		if v := recover(); v != nil {
			w.store.log.Error("panic in a transaction", "database", w.path, "cause", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
		if err != nil {
			clear(w.known) // whatever was wrong, the next looks anew
			err = classify(err)
		} else {
			w.remember(t.made)
		}
	}()
	return w.db.Write(context.Background(), func(ctx context.Context, conn *sql.Conn) error {
		t = &tx{ctx: ctx, conn: conn, writer: w, made: map[place]int64{}, contents: map[*parcel]int64{}}
		if err := change(t); err != nil {
			return err
		}
		return t.fault("commit")
	})
}

func (w *writer) remember(made map[place]int64) {
	if len(w.known)+len(made) > maxKnown {
		clear(w.known)
	}
	for p, id := range made {
		w.known[p] = id
	}
}
