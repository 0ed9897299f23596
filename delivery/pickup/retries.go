package pickup

import "time"

const (
	firstWait   = time.Minute
	longestWait = 30 * time.Minute
	maxRetries  = 10_000 // that are remembered; what is beyond them is tried in every round
)

// retries are the files that are to be let alone for a while, by name. They start anew with the daemon.
type retries map[string]retry

type retry struct {
	at   time.Time
	wait time.Duration
}

// due says whether it is time for a file.
func (r retries) due(name string, now time.Time) bool { return !now.Before(r[name].at) }

// later puts a file off, each time for twice as long.
func (r retries) later(name string, now time.Time) time.Duration {
	last, known := r[name]
	wait := firstWait
	if known {
		wait = min(2*last.wait, longestWait)
	}
	if known || len(r) < maxRetries {
		r[name] = retry{now.Add(wait), wait}
	}
	return wait
}

// forget drops the files that nobody has asked for any more: they have gone.
func (r retries) forget(now time.Time, after time.Duration) {
	for name, known := range r {
		if now.Sub(known.at) > after {
			delete(r, name)
		}
	}
}
