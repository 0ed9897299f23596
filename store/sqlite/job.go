package sqlite

import (
	"context"
	"errors"
	"slices"
	"sync"

	"lmtpd/store"
)

// A job is what one caller wants done and waits for. Either it settles or it is given up, whichever comes first.
type job struct {
	steps  []step
	octets int64           // that it writes, about
	done   chan struct{}   // closed when it has settled
	after  func()          // called when nothing of the job is needed any more; may be nil
	waste  func(*tx) error // removes what was written ahead for it, unless a step has put it to use; may be nil

	mu      sync.Mutex
	settled bool
	givenUp bool
}

// A step is a change that is made as a whole or not at all. When the transaction that it was made in comes to nothing, it is
// made again in another.
type step struct {
	do  func(*tx) error
	err error           // that it ended with; set by the writer, to be read once the job has settled
	rid func(*tx) error // undoes it; nil: nothing to undo
}

func newJob(steps ...step) *job { return &job{steps: steps, done: make(chan struct{})} }

// run makes the change. An answer is no failure: nothing has been changed then.
func (s *step) run(t *tx) error {
	s.err = s.do(t)
	if isAnswer(s.err) {
		return nil
	}
	return s.err
}

func isAnswer(err error) bool {
	return errors.Is(err, store.ErrNoMailbox) || errors.Is(err, store.ErrNoFolder) || errors.Is(err, store.ErrNoMessage)
}

func (j *job) run(t *tx) error {
	for i := range j.steps {
		if err := j.steps[i].run(t); err != nil {
			return err
		}
	}
	return nil
}

// fail gives all steps the same error.
func (j *job) fail(err error) {
	for i := range j.steps {
		j.steps[i].err = err
	}
}

// enter says whether somebody still wants it done.
func (j *job) enter() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return !j.givenUp
}

// settle says that the steps have ended, and tells whether anybody still wants to know.
func (j *job) settle() bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if !j.settled && !j.givenUp {
		j.settled = true
		close(j.done)
	}
	return j.settled
}

// wait waits until the job has settled or ctx ends. An error says that the job has been given up.
func (j *job) wait(ctx context.Context) error {
	select {
	case <-j.done:
		return nil
	case <-ctx.Done():
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.settled {
		return nil
	}
	j.givenUp = true
	return context.Cause(ctx)
}

// undo gives what takes the steps back that were made, nil if there is nothing.
func (j *job) undo() func(*tx) error {
	var all []func(*tx) error
	for _, s := range j.steps {
		if s.err == nil && s.rid != nil {
			all = append(all, s.rid)
		}
	}
	if all == nil {
		return nil
	}
	return func(t *tx) error {
		for _, rid := range all {
			if err := rid(t); err != nil {
				return err
			}
		}
		return nil
	}
}

// isWasted says whether what was written ahead for it is of no use, since it has failed or been given up.
func (j *job) isWasted() bool {
	return j.waste != nil && (!j.settle() || !slices.ContainsFunc(j.steps, func(s step) bool { return s.err == nil }))
}

// finish is called once, by whoever is the last to need the job.
func (j *job) finish() {
	if j.after != nil {
		j.after()
	}
}
