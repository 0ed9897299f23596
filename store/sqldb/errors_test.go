//go:build cgo

package sqldb

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"testing"

	"github.com/mattn/go-sqlite3"
)

func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		err                 error
		full, busy, corrupt bool
	}{
		{err: nil},
		{err: errors.New("x")},
		{err: sqlite3.Error{Code: sqlite3.ErrConstraint}},
		{err: sqlite3.Error{Code: sqlite3.ErrFull}, full: true},
		{err: fmt.Errorf("a: %w", sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EDQUOT}), full: true},
		{err: sqlite3.Error{Code: sqlite3.ErrIoErr, SystemErrno: syscall.EIO}},
		{err: &os.PathError{Err: syscall.ENOSPC}, full: true},
		{err: errors.Join(os.ErrClosed, sqlite3.Error{Code: sqlite3.ErrBusy}), busy: true},
		{err: sqlite3.Error{Code: sqlite3.ErrLocked}, busy: true},
		{err: sqlite3.Error{Code: sqlite3.ErrCorrupt}, corrupt: true},
		{err: sqlite3.Error{Code: sqlite3.ErrNotADB}, corrupt: true},
	} {
		if IsFull(tt.err) != tt.full || IsBusy(tt.err) != tt.busy || IsCorrupt(tt.err) != tt.corrupt {
			t.Errorf("%v: full %v, busy %v, corrupt %v", tt.err, IsFull(tt.err), IsBusy(tt.err), IsCorrupt(tt.err))
		}
	}
}
