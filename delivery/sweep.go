package delivery

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// sweepAge is how old a temporary file must be to be taken for left behind. A living one loses its name at once.
const sweepAge = time.Hour

// Sweep removes temporary files of content that a crash has left between making them and taking their names away.
// It is a store.Sweeper's.
func (a *Agent) Sweep(ctx context.Context) (removed int, err error) {
	names, err := filepath.Glob(filepath.Join(a.cfg.TempDir, temporary))
	for _, name := range names {
		if ctx.Err() != nil {
			return removed, ctx.Err()
		}
		info, failed := os.Lstat(name)
		if failed == nil && a.cfg.Now().Sub(info.ModTime()) > sweepAge && info.Mode().IsRegular() {
			if failed = os.Remove(name); failed == nil {
				removed++
			}
		}
		if !errors.Is(failed, fs.ErrNotExist) {
			err = cmp.Or(err, failed)
		}
	}
	return removed, err
}
