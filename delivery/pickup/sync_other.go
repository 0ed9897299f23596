//go:build !linux

package pickup

import "golang.org/x/sys/unix"

// syncAround syncs all file systems. POSIX promises no more than that it is begun, but there is nothing else for who may not
// open the directory.
func syncAround(string) error { return unix.Sync() }
