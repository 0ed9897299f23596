package maildir

import (
	"testing"

	"lmtpd/store"
	"lmtpd/store/storetest"
)

func TestStore(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return open(t, t.TempDir()) })
}

// Where a file system has no unnamed files, messages are written under a name in tmp/.
func TestStoreNamed(t *testing.T) {
	storetest.Run(t, func(t *testing.T) store.Store { return openNamed(t, t.TempDir()) })
}

func openNamed(t testing.TB, dir string) *Store {
	s := open(t, dir)
	s.fs.createUnnamed = func(int) (int, error) { return -1, errUnnamed }
	return s
}
