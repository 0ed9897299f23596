package store

import "golang.org/x/sys/unix"

// blockSize gives the size of the blocks that are counted. Bsize is what is best read at once.
func blockSize(st *unix.Statfs_t) int64 {
	if st.Frsize > 0 {
		return int64(st.Frsize)
	}
	return int64(st.Bsize)
}
