package spool

import (
	"context"
	"database/sql"
	"fmt"
	"runtime/debug"

	"lmtpd/store"
	"lmtpd/store/sqldb"
)

// What a transaction takes at most, so that nobody waits long for one that came late.
const (
	batchJobs   = 1000
	batchOctets = 4 << 20
)

// A job is a change that is made as a whole or not at all.
type job struct {
	do     func(*tx) error // called again if the transaction that it was made in comes to nothing
	octets int64           // that it writes, about
	done   func(error)     // told how it ended; nil: it is there even if the power fails now
}

// A writer makes the changes to the spool, one transaction after the other, each with what waits by then.
type writer struct {
	*sqldb.Group[*job]
	*sqldb.Checkpointer
	spool *Spool
}

func newWriter(s *Spool) *writer {
	w := &writer{spool: s, Checkpointer: sqldb.NewCheckpointer(s.db, s.cfg.Log)}
	w.Group = sqldb.NewGroup[*job](w.commit)
	return w
}

// change has a change made and waits for it. The caller leads if nobody does.
func (w *writer) change(octets int64, do func(*tx) error) error {
	ended := make(chan error, 1)
	w.EnqueueAndLead(context.Background(), &job{do: do, octets: octets, done: func(err error) { ended <- err }})
	return <-ended
}

// commit does what waits in one transaction. When that comes to nothing, each change is made in one of its own, so that what is wrong
// with one is not another's trouble.
func (w *writer) commit(ctx context.Context) {
	w.BringInRest()
	var jobs []*job
	err := w.transact(ctx, func(t *tx) error {
		jobs = w.gather()
		for _, j := range jobs {
			if err := j.do(t); err != nil {
				return err
			}
		}
		return nil
	})
	if jobs == nil { // it did not even begin
		jobs = w.gather()
	} else if err != nil && len(jobs) > 1 {
		for _, j := range jobs {
			j.done(w.transact(ctx, j.do))
		}
		return
	}
	octets := int64(0)
	for _, j := range jobs {
		octets += j.octets + 2*pageSize
		j.done(err)
	}
	w.Count(octets)
}

// gather takes what waits, up to a limit.
func (w *writer) gather() (jobs []*job) {
	jobs = make([]*job, 0, min(w.Len(), batchJobs))
	octets := int64(0)
	w.Take(func(j *job) bool {
		jobs = append(jobs, j)
		octets += j.octets
		return len(jobs) == batchJobs || octets >= batchOctets
	})
	return jobs
}

// transact has change work in a transaction. nil says that it is durable.
func (w *writer) transact(ctx context.Context, change func(*tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			w.spool.cfg.Log.Error("panic in a transaction", "database", w.spool.db.Path(), "cause", v, "stack", string(debug.Stack()))
			err = fmt.Errorf("panic: %v", v)
		}
		err = classify(err)
	}()
	return w.spool.db.Write(ctx, func(_ context.Context, conn *sql.Conn) error {
		t := &tx{conn: conn, fault: w.spool.fault}
		if err := change(t); err != nil {
			return err
		}
		return t.meet("commit")
	})
}

// classify gives SQLite's errors the names that they have in the contract of a store.
func classify(err error) error {
	if sqldb.IsFull(err) {
		return fmt.Errorf("%w: %w", store.ErrFull, err)
	}
	return err
}

// A tx is a transaction.
type tx struct {
	conn  *sql.Conn
	fault func(step string) error
}

// meet lets a test be in the way of a step.
func (t *tx) meet(step string) error {
	if t.fault == nil {
		return nil
	}
	if err := t.fault(step); err != nil {
		return fmt.Errorf("%s: %w", step, err)
	}
	return nil
}

// exec runs a statement that changes something.
func (t *tx) exec(step, query string, args ...any) (sql.Result, error) {
	if err := t.meet(step); err != nil {
		return nil, err
	}
	r, err := t.conn.ExecContext(context.Background(), query, args...)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", step, err)
	}
	return r, nil
}

// changed is exec, and says whether there was anything to change.
func (t *tx) changed(step, query string, args ...any) (bool, error) {
	r, err := t.exec(step, query, args...)
	if err != nil {
		return false, err
	}
	n, err := r.RowsAffected()
	return n > 0, err
}
