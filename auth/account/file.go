package account

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often, at most, a file is looked at, and how long it must not have changed to be taken for
// written to its end.
const lookEvery = time.Second

// errChanging says that a name is not in the file as it was, and that the file as it will be is not there yet.
var errChanging = errors.New("accounts are being changed")

// FileConfig is what a File needs.
type FileConfig struct {
	Path string
	Now  func() time.Time
	Log  *slog.Logger
}

// A File is a Source that reads a passwd-file, and reads it again when it has changed.
//
// A lookup is for the name first and then, if that is an address, for its local-part: an account without a domain
// is at home in every domain. An account's name must be the whole of it, so a@b is never found as the local-part of
// "a@b"@example.org.
//
// The file is looked at by lookups, at most once a second. As long as what is there is no accounts file, because it
// has mistakes, has become empty, has been cut off in mid-line or has vanished, the accounts stay what they were,
// and the log says so once. While a file is being written, a name that was not in it before is in doubt, which is an
// error and not ErrNotFound.
type File struct {
	cfg      FileConfig
	accounts atomic.Pointer[table]
	next     atomic.Int64 // when to look at the file again
	changing atomic.Bool  // the file is not what accounts are
	watch    watch
	watching sync.Mutex // held by the one who looks; nobody waits for it
}

// OpenFile reads a passwd-file. If something is wrong with it, the error is of type Mistakes.
func OpenFile(cfg FileConfig) (*File, error) {
	f := &File{cfg: cfg}
	now := cfg.Now()
	t, info, err := readTable(cfg.Path)
	if err != nil {
		return nil, err
	}
	f.accounts.Store(t)
	f.watch = watch{read: info, seen: info, young: isYoung(info, now)}
	f.next.Store(now.Add(lookEvery).UnixNano())
	return f, nil
}

// Lookup returns the account of a name.
func (f *File) Lookup(ctx context.Context, name string) (Account, error) {
	if err := ctx.Err(); err != nil {
		return Account{}, fmt.Errorf("look up an account: %w", err)
	}
	if now := f.cfg.Now(); f.due(now) {
		f.look(now)
	}
	// Asked before the table is: a table that comes between the two is the new one.
	changing := f.changing.Load()
	a, ok := f.accounts.Load().lookup(name)
	switch {
	case ok:
		return a, nil
	case changing:
		return Account{}, fmt.Errorf("look up an account in %s: %w", f.cfg.Path, errChanging)
	}
	return Account{}, ErrNotFound
}

// due says whether the caller is the one to look at the file. A clock that was set back does not stop the looking.
func (f *File) due(now time.Time) bool {
	next, t := f.next.Load(), now.UnixNano()
	if t < next && t > next-2*int64(lookEvery) {
		return false
	}
	return f.next.CompareAndSwap(next, t+int64(lookEvery))
}

// readTable reads a file and says what it looked like before. An error that wraps errChanging says that it changed
// meanwhile.
func readTable(path string) (*table, os.FileInfo, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, nil, fmt.Errorf("find accounts: %w", err)
	}
	if !info.Mode().IsRegular() { // a FIFO would never open
		return nil, nil, fmt.Errorf("read accounts: %s is not a regular file", path)
	}
	in, err := os.Open(path)
	if err != nil {
		return nil, nil, fmt.Errorf("open accounts: %w", err)
	}
	defer in.Close()
	var text strings.Builder
	text.Grow(int(info.Size()) + 1)
	if _, err := io.Copy(&text, in); err != nil {
		return nil, nil, fmt.Errorf("read accounts: %w", err)
	}
	after, err := in.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("read accounts: %w", err)
	}
	if !unchanged(info, after) || after.Size() != int64(text.Len()) {
		return nil, nil, fmt.Errorf("read accounts: %s: %w", path, errChanging)
	}
	t, err := parseTable(path, text.String())
	return t, info, err
}

// unchanged says whether two looks at a file saw the same. a may be nil, which is no file.
func unchanged(a, b os.FileInfo) bool {
	return a != nil && os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
}

// isYoung says whether a file was changed so lately that another change might leave the same time behind.
func isYoung(info os.FileInfo, now time.Time) bool {
	return now.Sub(info.ModTime()).Abs() < lookEvery
}
