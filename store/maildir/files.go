package maildir

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"
)

// errUnnamed says that the file system knows no unnamed files.
var errUnnamed = errors.New("no unnamed files on this file system")

// files are the operations that a delivery is made of, on directories that were opened through os.Root and on single
// generated names in them. The store has them in a value so that a test can let the power fail at any of them.
type files struct {
	createUnnamed func(dir int) (fd int, err error)
	createNamed   func(dir int, name string) (fd int, err error)
	openAppend    func(dir int, name string) (fd int, err error)
	write         func(fd int, b []byte) (int, error)
	syncFile      func(fd int) error
	dateUnnamed   func(fd int, date time.Time) error
	dateNamed     func(dir int, name string, date time.Time) error
	linkUnnamed   func(fd, dir int, name string) error
	linkNamed     func(tmp int, tmpName string, dir int, name string) error
	syncDir       func(fd int) error
	unlink        func(dir int, name string) error
	mkdir         func(dir int, name string) error
	rename        func(from int, name string, dir int, to string) error
}

func realFiles() files {
	return files{
		createUnnamed: createUnnamed,
		createNamed:   createNamed,
		openAppend:    openAppend,
		write:         unix.Write,
		syncFile:      syncFile,
		dateUnnamed:   dateUnnamed,
		dateNamed:     dateNamed,
		linkUnnamed:   linkUnnamed,
		linkNamed: func(tmp int, tmpName string, dir int, name string) error {
			return again(func() error { return unix.Linkat(tmp, tmpName, dir, name, 0) })
		},
		syncDir: syncDir,
		unlink: func(dir int, name string) error {
			return again(func() error { return unix.Unlinkat(dir, name, 0) })
		},
		mkdir: func(dir int, name string) error {
			return again(func() error { return unix.Mkdirat(dir, name, 0o700) })
		},
		rename: func(from int, name string, dir int, to string) error {
			return again(func() error { return unix.Renameat(from, name, dir, to) })
		},
	}
}

func createNamed(dir int, name string) (fd int, err error) {
	const flags = unix.O_CREAT | unix.O_EXCL | unix.O_WRONLY | unix.O_CLOEXEC | unix.O_NOFOLLOW
	err = again(func() error {
		fd, err = unix.Openat(dir, name, flags, 0o600)
		return err
	})
	return fd, err
}

// openAppend opens a file that is there, for reading too. What somebody has planted in its place does not hold it up.
func openAppend(dir int, name string) (fd int, err error) {
	const flags = unix.O_RDWR | unix.O_APPEND | unix.O_CLOEXEC | unix.O_NOFOLLOW | unix.O_NONBLOCK
	err = again(func() error {
		fd, err = unix.Openat(dir, name, flags, 0)
		return err
	})
	return fd, err
}

// dateNamed sets the time of a file's last change.
func dateNamed(dir int, name string, date time.Time) error {
	return setDate(dir, name, date, unix.AT_SYMLINK_NOFOLLOW)
}

func setDate(dir int, name string, date time.Time, flags int) error {
	ts, err := unix.TimeToTimespec(date)
	if err != nil {
		return err
	}
	return again(func() error { return unix.UtimesNanoAt(dir, name, []unix.Timespec{ts, ts}, flags) })
}

// again repeats what a signal interrupted, as package os does. EINTR is no failed sync: nothing was reported by the disk.
func again(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}

// writeAll writes all of b.
func (fs *files) writeAll(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := fs.write(fd, b)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}
