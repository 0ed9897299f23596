package sqldb

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"lmtpd/store/directory"
)

// An access is what a connection is for.
type access int

const (
	forWriting    access = iota
	forUpkeep            // what changes nothing of what is in it
	besideWriting        // reading, by one who may also write: it can keep up a write-ahead log
	forReading           // reading, with no right to write
)

// makeFile makes an empty file for its owner alone. It must not be opened later but by SQLite, because a process that
// closes any descriptor of a file loses all its locks on it.
func makeFile(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), directory.Sync(filepath.Dir(path)))
}

// findFile returns where the file is, links resolved, if it can be used as a says. SQLite would say "unable to open
// database file" of most that can be wrong with it, and opens what it must not write to as if nothing were wrong.
func findFile(path string, a access) (string, error) {
	path, err := filepath.Abs(path)
	if err == nil {
		path, err = filepath.EvalSymlinks(path)
	}
	if err != nil {
		return "", err
	}
	info, err := os.Stat(path)
	switch {
	case err != nil:
		return "", err
	case info.IsDir():
		return "", &fs.PathError{Op: "open", Path: path, Err: unix.EISDIR}
	case !info.Mode().IsRegular():
		return "", fmt.Errorf("%s is not a regular file", path)
	}
	if a == forReading {
		return path, may(path, unix.R_OK)
	}
	if err := may(path, unix.R_OK|unix.W_OK); err != nil {
		return "", err
	}
	if err := may(filepath.Dir(path), unix.W_OK|unix.X_OK); err != nil {
		return "", fmt.Errorf("the journal could not be made beside the file: %w", err)
	}
	return path, nil
}

func may(path string, what uint32) error {
	if err := unix.Access(path, what); err != nil {
		op := "write"
		if what == unix.R_OK {
			op = "read"
		}
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// fileURI names an absolute path as SQLite wants it (RFC 8089 §2), every octet with a meaning escaped, and a
// connection's settings as the driver wants them. Of those it lets unknown ones pass; the others are in settings.go.
func fileURI(path string, a access) string {
	var b strings.Builder
	b.WriteString("file://")
	for i := range len(path) {
		if c := path[i]; isPlain(c) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	q := url.Values{
		"mode":             {"rw"}, // and never rwc: a file is made by makeFile alone
		"_busy_timeout":    {strconv.Itoa(int(busyTimeout.Milliseconds()))},
		"_stmt_cache_size": {"64"},
	}
	if a == forReading {
		q.Set("mode", "ro")
	}
	return b.String() + "?" + q.Encode()
}

// isPlain says whether an octet stands for itself in a path.
func isPlain(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("/-._~", c) >= 0
}
