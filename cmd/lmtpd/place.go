package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/urfave/cli/v2"

	"lmtpd/store"
	"lmtpd/store/maildir"
)

// A place is where one mailbox goes to or comes from: a maildir, or an mbox file ("-": standard input or output).
type place struct {
	kind, path string
}

// parsePlace reads the second argument.
func parsePlace(c *cli.Context) (place, error) {
	arg := c.Args().Get(1)
	kind, path, ok := strings.Cut(arg, ":")
	switch {
	case !ok || kind != "maildir" && kind != "mbox":
		return place{}, usage(c, "%q is no place: write maildir:DIR or mbox:FILE", arg)
	case path == "":
		return place{}, usage(c, "%s needs a path, as in %s:PATH", kind, kind)
	case kind == "mbox" && path == "-":
		return place{kind, path}, nil
	}
	path, err := filepath.Abs(path)
	return place{kind, path}, err
}

// openMaildir opens a maildir by its path. Its name is only for messages. Which directories may be made is up to the store:
// the last one.
func (p place) openMaildir(c *cli.Context, name string) (store.Store, store.Mailbox, error) {
	inHome, err := store.ParseTemplate("%h") // the path of the mailbox goes before it
	if err != nil {
		return nil, store.Mailbox{}, err
	}
	if _, err := os.Stat(filepath.Dir(p.path)); errors.Is(err, fs.ErrNotExist) {
		return nil, store.Mailbox{}, cli.Exit(fmt.Errorf("open %s: %w", p.path, err), exCantCreate)
	}
	s, err := maildir.Open(maildir.Config{Template: inHome, Log: warnings(c)})
	own := &store.Owner{UID: os.Geteuid(), GID: os.Getegid()} // who names the directory answers for it, root too
	return s, store.Mailbox{Name: name, Path: p.path, Owner: own}, err
}
