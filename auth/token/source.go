package token

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"
)

// A source is where a keySet comes from.
type source interface {
	// load returns the keys as they are now, which is old, or has its digest, if they have not changed. It is called by one
	// goroutine at a time.
	load(ctx context.Context, old *keySet) (*keySet, error)
	pace() pace
	String() string
}

// A pace is how often a source is looked at.
type pace struct {
	fresh   time.Duration // that keys are used for without a look
	unknown time.Duration // from a look to another one for a key that is not there
	failed  time.Duration // from a look that has failed to another one
	near    bool          // a look takes no time, so that it is waited for even if there are keys
}

// A keyURL is a source at a URL.
type keyURL struct{ *endpoint }

func (u keyURL) String() string { return u.name }

func (keyURL) pace() pace {
	return pace{fresh: time.Hour, unknown: time.Minute, failed: 5 * time.Second}
}

func (u keyURL) load(ctx context.Context, _ *keySet) (*keySet, error) {
	text, err := u.get(ctx)
	if err != nil {
		return nil, err
	}
	set, err := parseKeySet(text)
	if err != nil {
		return nil, fmt.Errorf("%s answered: %w", u.name, err)
	}
	return set, nil
}

// A keyFile is a source in a file.
type keyFile struct {
	path string
	now  func() time.Time
	read os.FileInfo // when it was last taken; nil: it is to be read again
}

func (f *keyFile) String() string { return f.path }

func (*keyFile) pace() pace {
	return pace{fresh: time.Second, unknown: time.Second, failed: time.Second, near: true}
}

func (f *keyFile) load(_ context.Context, old *keySet) (*keySet, error) {
	info, err := os.Stat(f.path)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // a FIFO would open when somebody writes to it
		return nil, fmt.Errorf("%s is not a regular file", f.path)
	case old != nil && f.read != nil && isSame(f.read, info):
		return old, nil
	}
	f.read = nil
	text, err := readFile(f.path)
	if err != nil {
		return nil, err
	}
	set, err := parseKeySet(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.path, err)
	}
	// Another change as soon as this might leave the same time behind.
	if f.now().Sub(info.ModTime()).Abs() >= 2*time.Second {
		f.read = info
	}
	return set, nil
}

func isSame(a, b os.FileInfo) bool {
	return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

func readFile(path string) ([]byte, error) {
	in, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer in.Close()
	text, err := io.ReadAll(io.LimitReader(in, maxKeySet+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxKeySet:
		return nil, fmt.Errorf("%s has more than %d octets", path, maxKeySet)
	}
	return text, nil
}
