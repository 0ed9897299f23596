package token

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// A keyring keeps the keys of an issuer, and looks for new ones now and then. When that fails the keys stay as they were, and
// the log says so once. Its methods may be called from many goroutines.
type keyring struct {
	from source
	now  func() time.Time
	log  *slog.Logger

	mu     sync.Mutex
	set    *keySet   // nil: there are none yet
	looked time.Time // when the last look began; zero: there was none
	fault  error     // why it failed; nil if it did not
	look   *look     // under way; nil: none
}

// A look is one at the source, under way.
type look struct {
	done chan struct{} // closed when it has ended
}

// current returns the keys. If they are stale it has them looked for, and waits if there are none, or the source is near.
func (r *keyring) current(ctx context.Context) (*keySet, error) {
	set, l, _ := r.begin(r.from.pace().fresh)
	if set != nil && (l == nil || !r.from.pace().near) {
		return set, nil
	}
	set, err := r.wait(ctx, l)
	if set != nil {
		return set, nil
	}
	return nil, err
}

// newer looks for keys that were not there, unless that was done lately. An error says that there may be more keys than those
// that are returned, if any.
func (r *keyring) newer(ctx context.Context) (*keySet, error) {
	set, l, fault := r.begin(r.from.pace().unknown)
	if l == nil {
		return set, fault
	}
	return r.wait(ctx, l)
}

// begin returns what is known, and the look that is under way; if there is none and the last one is that long ago, a new one.
// It has a goroutine of its own: no one of those who wait for it owns it.
func (r *keyring) begin(age time.Duration) (*keySet, *look, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.look != nil {
		return r.set, r.look, r.fault
	}
	now := r.now()
	if r.fault != nil {
		age = min(age, r.from.pace().failed)
	}
	// A clock that was set back makes what is known old, too.
	if !r.looked.IsZero() && now.Sub(r.looked).Abs() < age {
		return r.set, nil, r.fault
	}
	r.looked, r.look = now, &look{done: make(chan struct{})}
	go r.load(r.look, r.set)
	return r.set, r.look, r.fault
}

// wait waits for a look, if there is one, and returns what is known then.
func (r *keyring) wait(ctx context.Context, l *look) (*keySet, error) {
	if l != nil {
		ctx, cancel := context.WithTimeout(ctx, timeout)
		defer cancel()
		select {
		case <-l.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for token keys: %w", ctx.Err())
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.set, r.fault
}

// load looks at the source.
func (r *keyring) load(l *look, old *keySet) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	set, err := r.try(ctx, old)
	r.mu.Lock()
	defer r.mu.Unlock()
	defer close(l.done)
	r.tell(set, err)
	r.fault, r.look = err, nil
	if err == nil {
		r.set = set
	}
}

// try makes an error of a panic: nobody else would catch it here.
func (r *keyring) try(ctx context.Context, old *keySet) (set *keySet, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("panic while reading a JWK Set")
			r.log.Error("panic while reading a JWK Set", "source", r.from.String(), "panic", fmt.Sprint(v))
		}
	}()
	return r.from.load(ctx, old)
}

// tell says in the log what a look has found, unless that is known.
func (r *keyring) tell(set *keySet, err error) {
	switch {
	case err != nil && (r.fault == nil || r.fault.Error() != err.Error()):
		r.log.Error("token keys cannot be had; they stay as they were", "source", r.from.String(), "cause", err.Error())
	case err != nil:
	case r.set == nil || r.set.digest != set.digest:
		r.log.Info("token keys read", "source", r.from.String(), "keys", len(set.keys))
	case r.fault != nil:
		r.log.Info("token keys are back", "source", r.from.String())
	}
}
