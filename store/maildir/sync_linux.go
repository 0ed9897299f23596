package maildir

import (
	"errors"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// syncFile brings a file's octets and size to the disk: fdatasync leaves out only what is not needed to read it.
func syncFile(fd int) error {
	return again(func() error { return unix.Fdatasync(fd) })
}

// syncDir brings a directory's names to the disk.
func syncDir(fd int) error {
	return again(func() error { return unix.Fsync(fd) })
}

// createUnnamed makes a file that has no name yet and so leaves nothing behind in a crash. errUnnamed says that the
// file system of dir has no such files.
func createUnnamed(dir int) (fd int, err error) {
	err = again(func() error {
		fd, err = unix.Openat(dir, ".", unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o600)
		return err
	})
	switch {
	case errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EISDIR), errors.Is(err, unix.EINVAL), errors.Is(err, unix.ENOSYS):
		return -1, errUnnamed
	}
	return fd, err
}

// linkUnnamed gives such a file its name, and fails if the name is taken. AT_EMPTY_PATH would spare the path but takes
// a capability before Linux 6.10.
func linkUnnamed(fd, dir int, name string) error {
	path := "/proc/self/fd/" + strconv.Itoa(fd)
	return again(func() error { return unix.Linkat(unix.AT_FDCWD, path, dir, name, unix.AT_SYMLINK_FOLLOW) })
}

// dateUnnamed is dateNamed for such a file.
func dateUnnamed(fd int, date time.Time) error {
	return setDate(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), date, 0)
}

// canLinkUnnamed says whether linkUnnamed can work at all: it needs /proc.
func canLinkUnnamed() bool {
	var st unix.Stat_t
	return unix.Stat("/proc/self/fd", &st) == nil
}
