//go:build unix

package certificate

import (
	"io/fs"
	"syscall"
)

// inode tells a file from one that was put in its place with the same size and time.
func inode(info fs.FileInfo) uint64 {
	if st, is := info.Sys().(*syscall.Stat_t); is {
		return uint64(st.Ino)
	}
	return 0
}
