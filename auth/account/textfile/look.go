package textfile

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// patience is how long a look is waited for. A file system or a name service that hangs, or a host that is busy, may take any time.
const patience = 2 * time.Second

// A look is one at the files, under way.
type look struct {
	done chan struct{} // closed when it has ended
	late time.Time     // when nobody waits for it any more
	told sync.Once     // that it is
}

// see has the file looked at, and says whether it has been seen lately enough. Who begins a look waits for it; others do if what
// was seen last is older than a change may stay unseen.
func (f *File[T]) see(ctx context.Context, now time.Time) bool {
	l, isNew := f.begin(now)
	if l == nil || !isNew && f.age(now) < 2*lookEvery {
		return true
	}
	select {
	case <-l.done:
		return true
	default:
	}
	t := time.NewTimer(time.Until(l.late))
	defer t.Stop()
	select {
	case <-l.done:
		return true
	case <-t.C:
		l.told.Do(func() {
			f.cfg.Log.Error(f.cfg.Name+" file cannot be looked at in time; "+f.cfg.Name+" stay as they were", "file", f.cfg.Path)
		})
	case <-ctx.Done():
	}
	return false
}

// begin returns the look that is under way, or a new one, in a goroutine of its own: it may hang. There is none if one has ended
// just now.
func (f *File[T]) begin(now time.Time) (l *look, isNew bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.look != nil || f.age(now) < lookEvery {
		return f.look, false
	}
	l = &look{done: make(chan struct{}), late: time.Now().Add(patience)}
	f.look = l
	go func() {
		defer f.end(l, now)
		f.examine(now)
	}()
	return l, true
}

// end ends a look. What a panic was about cannot be taken.
func (f *File[T]) end(l *look, began time.Time) {
	if v := recover(); v != nil {
		f.refuse(fmt.Errorf("panic: %v", v))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.looked.Store(began.UnixNano())
	f.look = nil
	close(l.done)
}
