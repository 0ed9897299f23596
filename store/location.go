package store

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
)

// A Location says where a mailbox is.
type Location struct {
	Base string // directory that the operator answers for: Root, a home, or what a path of its own lies in
	Rel  string // what is the mailbox's, from there; "." is Base itself
}

// Path gives the whole path.
func (l Location) Path() string { return filepath.Join(l.Base, l.Rel) }

// Locate says where a mailbox is: where its account says, else where the template does. A name that may not become a path
// gives an error wrapping ErrNoMailbox; a home that cannot be used is the operator's mistake and no answer.
func (t Template) Locate(m Mailbox) (Location, error) {
	if m.Path != "" {
		return t.locatePath(m)
	}
	rel, err := t.Rel(m.Name)
	if err != nil || !t.InHome() {
		return Location{t.root, rel}, err
	}
	if err := checkAbsolute(m.Home); err != nil {
		return Location{}, fmt.Errorf("home of %s: %w", m.Name, err)
	}
	return Location{filepath.Clean(m.Home), rel}, nil
}

// locatePath divides a mailbox's own path where the operator's part ends: at its home or at Root if it lies in one of
// them, else in front of its last element.
func (t Template) locatePath(m Mailbox) (Location, error) {
	if err := checkAbsolute(m.Path); err != nil {
		return Location{}, fmt.Errorf("path of %s: %w", m.Name, err)
	}
	path := filepath.Clean(m.Path)
	if path == "/" {
		return Location{}, fmt.Errorf("path of %s: / is no mailbox", m.Name)
	}
	for _, base := range []string{m.Home, t.root} {
		if checkAbsolute(base) != nil || filepath.Clean(base) == "/" {
			continue
		}
		if rel, err := filepath.Rel(base, path); err == nil && filepath.IsLocal(rel) {
			return Location{filepath.Clean(base), rel}, nil
		}
	}
	return Location{filepath.Dir(path), filepath.Base(path)}, nil
}

func checkAbsolute(path string) error {
	switch {
	case path == "":
		return errors.New("none is known")
	case !filepath.IsAbs(path):
		return fmt.Errorf("%q is not absolute", path)
	case slices.Contains(strings.Split(path, "/"), "..") || strings.ContainsRune(path, 0):
		return fmt.Errorf("%q has .. or NUL in it", path)
	}
	return nil
}
