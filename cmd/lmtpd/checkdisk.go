package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"lmtpd/protocol/server"
)

// directoryState says whether dir is there and may be written by this process, or where it would be made.
func directoryState(dir string) string {
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := existingParent(dir)
		return fmt.Sprintf("not there yet; to be made below %s, %s", parent, access(parent))
	case err != nil:
		return "cannot tell: " + err.Error()
	case !info.IsDir():
		return "in the way: not a directory"
	}
	return "there, " + access(dir)
}

// existingParent returns the nearest directory above dir that exists.
func existingParent(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Stat(parent); err == nil || parent == dir {
			return parent
		}
		dir = parent
	}
}

// What permission asks for.
const (
	writable            = 0o2 // W_OK
	writableAndSearched = 0o3 // W_OK | X_OK
)

func access(dir string) string { return permission(dir, writableAndSearched) }

func permission(path string, mode uint32) string {
	who := fmt.Sprintf("by uid %d", os.Getuid())
	if err := syscall.Access(path, mode); err != nil {
		return "not writable " + who
	}
	return "writable " + who
}

// socketState says what stands where a unix socket is to be. Its directory is not made by serve, because who may
// enter it decides who may connect.
func socketState(path string) string {
	err := server.ProbeSocket(path)
	switch {
	case err == nil:
		return newSocketState(filepath.Dir(path))
	case errors.Is(err, server.ErrNotSocket):
		return "in the way: not a socket"
	case errors.Is(err, server.ErrSocketInUse):
		return "live: somebody listens there"
	case errors.Is(err, server.ErrSocketStale):
		return "stale: nobody listens there, and serve replaces it"
	}
	return "cannot tell: " + err.Error()
}

// newSocketState says whether a socket can be made in dir.
func newSocketState(dir string) string {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return "cannot be made: its directory " + dir + " is not there"
	}
	return "not there yet; to be made in " + dir + ": " + directoryState(dir)
}
