package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime/debug"

	"lmtpd/store/sqldb"
)

// What a transaction takes at most, so that nobody waits long for one that came late.
const (
	batchJobs   = 1000
	batchOctets = 4 << 20
)

// A writer makes the changes to a database, one transaction after the other, each with what waits by then.
type writer struct {
	*database
	*sqldb.Group[*job]
	*sqldb.Checkpointer

	// These are the leader's.
	known map[place]int64 // folders that are there, by id
	late  []*job          // that were given up before they were begun, to be finished
}

// maxKnown is how many folders are remembered.
const maxKnown = 20_000

func newWriter(d *database) *writer {
	w := &writer{database: d, known: map[place]int64{}, Checkpointer: sqldb.NewCheckpointer(d.db, d.store.log)}
	w.Group = sqldb.NewGroup[*job](w.commit)
	return w
}

// close waits until all that is in the queue has been done. Nobody may be putting anything into it.
func (w *writer) close() {
	w.Wait()
	w.Stop()
}

// commit does what waits in one transaction. Whose changes could not be made together are made one by one, so that what is wrong
// with one is not another's trouble. When ctx ends before the transaction has begun, all stays in the queue.
func (w *writer) commit(ctx context.Context) {
	w.BringInRest()
	jobs := []*job(nil)
	err := w.transact(ctx, func(t *tx) error {
		jobs = w.gather()
		for _, j := range jobs {
			if err := j.run(t); err != nil {
				return err
			}
		}
		return nil
	})
	switch {
	case jobs == nil && ctx.Err() != nil:
		return
	case jobs == nil: // it did not even begin
		jobs = w.gather()
		for _, j := range jobs {
			j.fail(err)
		}
	case err != nil:
		for _, j := range jobs {
			w.apart(j, err, len(jobs) == 1)
		}
	}
	w.settle(jobs)
	w.Count(logged(jobs))
}

// logged is about what jobs have put into the log, with what rows and indexes need besides.
func logged(jobs []*job) (octets int64) {
	for _, j := range jobs {
		octets += j.octets + pageSize*int64(1+len(j.steps))
	}
	return octets
}

// gather takes what waits, up to a limit, without those that have been given up.
func (w *writer) gather() (jobs []*job) {
	jobs = make([]*job, 0, min(w.Len(), batchJobs))
	octets := int64(0)
	w.Take(func(j *job) bool {
		if !j.enter() {
			w.late = append(w.late, j)
			return false
		}
		jobs = append(jobs, j)
		octets += j.octets
		return len(jobs) == batchJobs || octets >= batchOctets
	})
	return jobs
}

// apart makes each change of a job in a transaction of its own, unless it was in one already.
func (w *writer) apart(j *job, err error, alone bool) {
	if alone && len(j.steps) == 1 {
		j.fail(err)
		return
	}
	for i := range j.steps {
		s := &j.steps[i]
		if !j.enter() { // nobody waits for it, and others wait behind it
			s.err = err
			continue
		}
		if err := w.transact(context.Background(), func(t *tx) error { return s.run(t) }); err != nil {
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
		w.finish(j)
	}
	for _, j := range w.late {
		w.finish(j)
	}
	w.late = nil
}

// finish ends a job. What was written ahead for nothing goes at once: whoever tries again will write it again.
func (w *writer) finish(j *job) {
	if j.isWasted() {
		if err := w.transact(context.Background(), j.waste); err != nil {
			w.store.log.Warn("a content that nobody has stays until it is swept", "database", w.path, "cause", err)
		}
	}
	j.finish()
}

func (w *writer) takeBack(j *job) {
	undo := j.undo()
	if undo == nil {
		return
	}
	if err := w.transact(context.Background(), undo); err != nil {
		w.store.log.Error("delivered late", "database", w.path, "cause", err)
		return
	}
	w.store.log.Warn("taken back: its deadline had passed", "database", w.path)
}

// transact has change work in a transaction. nil says that it is durable. ctx ends the waiting for a lock, and nothing else: it may
// be one of several that wait for the change.
func (w *writer) transact(ctx context.Context, change func(*tx) error) (err error) {
	var t *tx
	defer func() {
		if v := recover(); v != nil {
			w.store.log.Error("panic in a transaction", "database", w.path, "cause", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
		if errors.Is(err, sqldb.ErrMoved) {
			w.store.pool.leave(w.database)
		}
		if err != nil {
			clear(w.known) // whatever was wrong, the next looks anew
			err = classify(err)
		} else {
			w.remember(t.made)
		}
	}()
	waiting, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	begin := context.AfterFunc(ctx, func() { cancel(context.Cause(ctx)) })
	defer begin()
	return w.db.Write(waiting, func(_ context.Context, conn *sql.Conn) error {
		if !begin() {
			return context.Cause(ctx)
		}
		t = &tx{ctx: context.Background(), conn: conn, writer: w, made: map[place]int64{}, contents: map[*parcel]int64{}}
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
