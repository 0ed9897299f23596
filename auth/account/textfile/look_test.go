package textfile

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A hanging is a file whose reading hangs when it is told to, and the clock it goes by.
type hanging struct {
	*File[words]
	t       *testing.T
	path    string
	clock   atomic.Int64
	hang    atomic.Bool
	hangs   chan struct{}
	release chan struct{}
}

func newHanging(t *testing.T, text string) *hanging {
	t.Helper()
	h := &hanging{t: t, path: filepath.Join(t.TempDir(), "words"), hangs: make(chan struct{}), release: make(chan struct{})}
	h.clock.Store(time.Now().UnixNano())
	h.write(text)
	f, err := Open(Config[words]{
		Path: h.path, Name: "words", Log: slog.New(slog.DiscardHandler),
		Now: func() time.Time { return time.Unix(0, h.clock.Load()) },
		Parse: func(_ *Reading, text string) (words, error) {
			if h.hang.CompareAndSwap(true, false) {
				close(h.hangs)
				<-h.release
			}
			return strings.Fields(text), nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	h.File = f
	return h
}

// write writes the file, and lets an hour pass.
func (h *hanging) write(text string) {
	h.t.Helper()
	if err := os.WriteFile(h.path, []byte(text), 0o600); err != nil {
		h.t.Fatal(err)
	}
	h.clock.Add(int64(time.Hour))
}

func (h *hanging) expect(ctx context.Context, n int, want error) {
	h.t.Helper()
	if w, err := h.Content(ctx); len(w) != n || !errors.Is(err, want) || want == nil && err != nil {
		h.t.Errorf("%q, %v, want %d and %v", w, err, n, want)
	}
}

// A look that hangs keeps nobody beyond his context: what was known is known, and nothing else is. Afterwards all is as it was.
func TestLookHangs(t *testing.T) {
	h := newHanging(t, "one two\n")
	h.write("one two three\n")
	h.hang.Store(true)
	ctx, cancel := context.WithCancel(t.Context())
	var first sync.WaitGroup
	first.Go(func() { h.expect(ctx, 2, ErrChanging) }) // it was seen that it is not what it was
	<-h.hangs
	cancel()
	first.Wait()
	h.expect(ctx, 2, ErrChanging)
	h.clock.Add(int64(time.Hour))
	h.expect(ctx, 2, ErrChanging)
	close(h.release)
	h.expect(t.Context(), 3, nil)
	h.clock.Add(int64(time.Hour))
	h.expect(t.Context(), 3, nil)
}

// Who asks while somebody looks is told of what was seen if that is not long ago, and waits otherwise: a word that came in
// the meantime is not unknown.
func TestLookedAtByTwo(t *testing.T) {
	h := newHanging(t, "one two\n")
	h.write("one two three\n")
	h.hang.Store(true)
	var both sync.WaitGroup
	both.Go(func() { h.expect(t.Context(), 3, nil) })
	<-h.hangs
	began := make(chan struct{})
	both.Go(func() { close(began); h.expect(t.Context(), 3, nil) })
	<-began
	close(h.release)
	both.Wait()
}

// A file that was never seen to change, and cannot be looked at now, is in doubt by that alone.
func TestUnseen(t *testing.T) {
	h := newHanging(t, "one two\n")
	h.clock.Add(int64(time.Hour))
	h.mu.Lock()
	h.look = &look{done: make(chan struct{}), late: time.Now().Add(-time.Second)} // as one that hangs in stat
	h.mu.Unlock()
	var log strings.Builder
	h.cfg.Log = slog.New(slog.NewTextHandler(&log, nil))
	h.expect(t.Context(), 2, ErrUnseen)
	h.expect(t.Context(), 2, ErrUnseen)
	if strings.Count(log.String(), "words file cannot be looked at in time; words stay as they were") != 1 {
		t.Errorf("the log says %q, and should say once that the file cannot be looked at", log.String())
	}
	if l, isNew := h.begin(h.cfg.Now()); l == nil || isNew {
		t.Error("another look was begun beside one that hangs")
	}
}

// A panic in what reads a file's text is a file that cannot be taken.
func TestLookPanics(t *testing.T) {
	h := newHanging(t, "one two\n")
	h.cfg.Parse = func(*Reading, string) (words, error) { panic("x") }
	h.write("one two three\n")
	h.expect(t.Context(), 2, ErrRefused)
}
