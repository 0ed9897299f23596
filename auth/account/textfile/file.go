// Package textfile keeps what a text file means that admins edit, and reads it again when it changes, with the files
// that it names.
//
// The file is looked at for those who ask for its content, at most once a second, and nobody waits for one that hangs. As long as what is there cannot be
// taken, because it has mistakes, has become empty, has been cut off in mid-line, has vanished or cannot be read, the
// content stays what it was, and the log says so once. Until the file is taken, or is again what it was, the content is in
// doubt: what is in it is good, and what is not may be in the file. What a file's text means is for a function of its
// user to say.
package textfile

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"
)

// lookEvery is how often, at most, a file is looked at, and how long it must not have changed to be taken for
// written to its end.
const lookEvery = time.Second

// Why a content may not be what the file means.
var (
	// ErrChanging says that the file is not what it was, and as it will be is not there yet.
	ErrChanging = errors.New("file is being changed")
	// ErrRefused says that the file is not what it was, and cannot be taken as it is.
	ErrRefused = errors.New("file cannot be taken as it is")
	// ErrUnseen says that nobody can tell what the file is: to look at it takes too long.
	ErrUnseen = errors.New("file cannot be looked at in time")
)

// Content is what a file means. It never changes once it is made, so any number may read it.
type Content interface {
	Len() int // how many there are of what the file lists
}

// Config is what a File needs. All fields but Max are needed.
type Config[T Content] struct {
	Path  string
	Name  string                                   // of what the file lists, as the log has it: "accounts"
	Parse func(r *Reading, text string) (T, error) // all that is wrong with the text is an error of type Mistakes; after any other it is tried again
	Max   int64                                    // octets that a file may have; 0: any number
	Now   func() time.Time
	Log   *slog.Logger
}

// A File is a text file and its content. Its methods may be called from many goroutines at once.
type File[T Content] struct {
	cfg    Config[T]
	taken  atomic.Pointer[version[T]]
	doubt  atomic.Pointer[error] // why the file is not what the content is; nil if it is
	looked atomic.Int64          // when the last look began of those that have ended
	watch  watch                 // of the one who looks
	mu     sync.Mutex
	look   *look // under way; nil: none
}

// A version is what a file was at some time.
type version[T Content] struct {
	content T
	parts   []part
}

// Open reads a file. If something is wrong with its text, the error is of type Mistakes.
func Open[T Content](cfg Config[T]) (*File[T], error) {
	f := &File[T]{cfg: cfg}
	now := cfg.Now()
	v, err := f.read()
	if err != nil {
		return nil, err
	}
	f.taken.Store(v)
	f.watch = watch{read: v.parts, seen: found(v.parts), young: anyYoung(v.parts, now)}
	f.looked.Store(now.UnixNano())
	return f, nil
}

// Content returns what the file meant when it was last taken. An error, which wraps ErrChanging, ErrRefused or ErrUnseen, says
// that the file may be something else by now: what is in the content is good even then, and of what is not nothing is known.
// It waits for a look at the file if the last one was too long ago, until ctx ends or the look has taken patience.
func (f *File[T]) Content(ctx context.Context) (T, error) {
	seen := true
	if now := f.cfg.Now(); f.age(now) >= lookEvery {
		seen = f.see(ctx, now)
	}
	// Asked before the content is: content that comes between the two is the new one.
	doubt := f.doubt.Load()
	v := f.taken.Load()
	switch {
	case doubt != nil:
		return v.content, *doubt
	case !seen:
		return v.content, ErrUnseen
	}
	return v.content, nil
}

// age is how long ago the file was last seen. A clock that was set back makes it old, too.
func (f *File[T]) age(now time.Time) time.Duration {
	return time.Duration(now.UnixNano() - f.looked.Load()).Abs()
}

// read reads the file and those it names. What was read of them is told even when there is an error.
func (f *File[T]) read() (*version[T], error) {
	r := Reading{max: f.cfg.Max}
	text, err := r.Read(f.cfg.Path)
	v := &version[T]{}
	if err == nil {
		v.content, err = f.cfg.Parse(&r, text)
	}
	v.parts = r.parts
	if mistakes := (Mistakes)(nil); err == nil || errors.As(err, &mistakes) {
		return v, err
	}
	return v, fmt.Errorf("read %s: %w", f.cfg.Name, err)
}
