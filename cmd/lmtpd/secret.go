package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"lmtpd/store/directory"
)

// secretSize is how many octets the secret has.
const secretSize = 32

// readSecret reads the secret that is below data, and makes one if there is none. It outlives the daemon, so that what is made up
// for names that have no account is the same after it was started anew; it opens nothing.
func readSecret(data string) ([]byte, error) {
	path := filepath.Join(data, "secret")
	secret, err := os.ReadFile(path)
	switch {
	case err == nil && len(secret) == secretSize:
		return secret, nil
	case err == nil:
		return nil, fmt.Errorf("%s has not %d octets; remove it, and another is made", path, secretSize)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	secret = make([]byte, secretSize)
	rand.Read(secret) // never fails
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(data, ".secret-") // of mode 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(f.Name()) // it is gone if all went well
	_, err = f.Write(secret)
	if err == nil {
		err = f.Sync() // else a power cut leaves an empty one
	}
	if closed := f.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return nil, err
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return nil, err
	}
	return secret, directory.Sync(data)
}
