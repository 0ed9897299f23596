package auth

import "time"

// failures are those of one suspect.
type failures struct {
	count int       // since the last ban
	bans  int       // so far
	until time.Time // banned
	free  time.Time // answers are held
	last  time.Time
}

// entry returns the failures of a suspect, at first none.
func entry[K comparable](r *recent[K, *failures], k K) *failures {
	f, known := r.get(k)
	if !known {
		f = &failures{}
		r.put(k, f)
	}
	return f
}

// fail counts a failure, bans for those that are too many, and returns the delay of this one.
func (f *failures) fail(now time.Time, limit int) time.Duration {
	if now.Sub(f.last) > forgetting && now.Sub(f.until) > forgetting {
		f.count, f.bans = 0, 0
	}
	f.last = now
	f.count++
	count := f.count
	if count >= limit {
		f.until = now.Add(min(maxBan, firstBan<<min(f.bans, 10)))
		f.bans++
		f.count = 0
	}
	if count == 1 {
		return 0
	}
	return min(maxDelay, time.Second<<min(count-2, 10))
}

// hold adds a delay to those that have not passed.
func (f *failures) hold(delay time.Duration, now time.Time) { f.free = later(f.free, now).Add(delay) }

// wait is how long answers are held; nil is nobody who has failed.
func (f *failures) wait(now time.Time) time.Duration {
	if f == nil {
		return 0
	}
	return max(0, f.free.Sub(now))
}
