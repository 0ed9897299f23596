//go:build !linux

package store

import "golang.org/x/sys/unix"

// blockSize gives the size of the blocks that are counted.
func blockSize(st *unix.Statfs_t) int64 { return int64(st.Bsize) }
