//go:build !linux

package maildir

import (
	"os"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// fullFsync is F_FULLFSYNC of darwin, whose fsync leaves data in the disk's cache.
const fullFsync = 51

func syncFile(fd int) error { return syncDir(fd) }

func syncDir(fd int) error {
	return again(func() error {
		if runtime.GOOS != "darwin" {
			return unix.Fsync(fd)
		}
		_, err := unix.FcntlInt(uintptr(fd), fullFsync, 0)
		return err
	})
}

func createUnnamed(int) (int, error) { return -1, errUnnamed }

func linkUnnamed(int, int, string) error { return os.ErrInvalid }

func dateUnnamed(int, time.Time) error { return os.ErrInvalid }

func canLinkUnnamed() bool { return false }
