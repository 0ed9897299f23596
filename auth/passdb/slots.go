package passdb

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// ErrBusy says that as many hashes as may be were being computed, for as long as one waits.
var ErrBusy = errors.New("too many passwords are being verified at once")

// slots bound how many hashes are computed at once: each takes a processor and, some, hundreds of megabytes.
type slots struct {
	taken chan struct{}
	wait  time.Duration
}

// take waits for a slot, which is to be given back.
func (s slots) take(ctx context.Context) error {
	select {
	case s.taken <- struct{}{}:
		return nil
	default:
	}
	enough := time.NewTimer(s.wait)
	defer enough.Stop()
	select {
	case s.taken <- struct{}{}:
		return nil
	case <-enough.C:
		return fmt.Errorf("%w: none was done within %s", ErrBusy, s.wait)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrBusy, ctx.Err())
	}
}

func (s slots) give() { <-s.taken }
