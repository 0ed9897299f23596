// Package directory makes directories that survive a power cut.
//
// What it does not do: it follows symlinks, so it is for what the operator has named, and not for what the owner of a mailbox
// may have put there.
package directory

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Make makes path and what is missing above it, for the owner alone, and syncs every directory that its name rests on: one
// that is there already may have been made a moment ago, by whoever died before the sync. Of those that were there, the ones
// that may not be opened are passed over: they are somebody else's, and older than the first mail.
func Make(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	parent := filepath.Dir(path)
	if parent == path {
		return nil
	}
	if err := Make(parent); err != nil {
		return err
	}
	err = os.Mkdir(path, 0o700)
	made := err == nil
	if err != nil && !is(path) {
		return err
	}
	d, err := os.Open(parent)
	if err != nil && !made {
		return nil
	}
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && made {
		return fmt.Errorf("sync %s: %w", parent, err)
	}
	return nil
}

func is(path string) bool {
	fi, err := os.Stat(path)
	return err == nil && fi.IsDir()
}

// Sync brings a directory's names to the disk.
func Sync(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
