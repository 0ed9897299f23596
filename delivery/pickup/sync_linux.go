package pickup

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncAround syncs the file system that a file is on. It is slow where others write much.
func syncAround(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(unix.Syncfs(int(f.Fd())), f.Close())
}
