package account

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"lmtpd/auth/account/textfile"
)

// A bench is a File under test: its file, the clock it goes by and what it says.
type bench struct {
	*File
	t     testing.TB
	path  string
	clock atomic.Int64
	log   bytes.Buffer
}

func (b *bench) now() time.Time { return time.Unix(0, b.clock.Load()) }

// pass lets time go by.
func (b *bench) pass(d time.Duration) { b.clock.Add(int64(d)) }

// write writes the file in its place, as of now.
func (b *bench) write(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.path, []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.date(b.path)
}

// put puts another file in its place, as of now.
func (b *bench) put(text string) {
	b.t.Helper()
	if err := os.WriteFile(b.path+".new", []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	b.date(b.path + ".new")
	if err := os.Rename(b.path+".new", b.path); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) date(path string) {
	b.t.Helper()
	if err := os.Chtimes(path, b.now(), b.now()); err != nil {
		b.t.Fatal(err)
	}
}

// has looks names up: those with a minus must not be there, those with a question mark must be in doubt because the file
// is being changed, those with an exclamation mark because it is refused.
func (b *bench) has(names ...string) {
	b.t.Helper()
	for _, name := range names {
		want := error(nil)
		if rest, ok := strings.CutPrefix(name, "-"); ok {
			name, want = rest, ErrNotFound
		} else if rest, ok := strings.CutPrefix(name, "?"); ok {
			name, want = rest, textfile.ErrChanging
		} else if rest, ok := strings.CutPrefix(name, "!"); ok {
			name, want = rest, textfile.ErrRefused
		}
		if _, err := b.Lookup(context.Background(), name); !errors.Is(err, want) {
			b.t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

// said checks how often the log said something since the last time.
func (b *bench) said(what string, times int) {
	b.t.Helper()
	if n := strings.Count(b.log.String(), what); n != times {
		b.t.Errorf("the log says %q %d times, not %d:\n%s", what, n, times, b.log.String())
	}
	b.log.Reset()
}

// open opens a file that was written an hour ago, and lets two seconds pass.
func open(t testing.TB, text string) *bench { return openWith(t, text, nil) }

// openWith is open on a host that find asks.
func openWith(t testing.TB, text string, find findID) *bench {
	t.Helper()
	b := &bench{t: t, path: filepath.Join(t.TempDir(), "users")}
	b.clock.Store(time.Now().UnixNano())
	b.write(text)
	b.pass(time.Hour)
	f, err := OpenFile(FileConfig{Path: b.path, Now: b.now, Log: slog.New(slog.NewTextHandler(&b.log, nil)), find: find})
	if err != nil {
		t.Fatal(err)
	}
	b.File = f
	b.pass(2 * time.Second)
	return b
}

func TestLookup(t *testing.T) {
	b := open(t, "ann@example.org:x:1000\nbob\n")
	b.has("ann@example.org", "Ann@EXAMPLE.org", "bob", "bob@example.org", "-ann", "-carl@example.org")
	a, err := b.Lookup(t.Context(), "Bob@Example.Org")
	if err != nil || a.Name != "bob" {
		t.Errorf("got %+v, %v", a, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, name := range []string{"bob", "nobody"} {
		if _, err := b.Lookup(ctx, name); !errors.Is(err, context.Canceled) || errors.Is(err, ErrNotFound) {
			t.Errorf("cancelled: %v", err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	broken := filepath.Join(dir, "broken")
	fifo := filepath.Join(dir, "fifo")
	if err := errors.Join(os.WriteFile(broken, []byte("ann::0\nann\n:\n"), 0o600), syscall.Mkfifo(fifo, 0o600)); err != nil {
		t.Fatal(err)
	}
	openAt := func(path string) error {
		_, err := OpenFile(FileConfig{Path: path, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		return err
	}
	if err := openAt(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	var mistakes Mistakes
	if err := openAt(broken); !errors.As(err, &mistakes) || len(mistakes) != 2 || mistakes[1].Line != 3 {
		t.Errorf("a broken file: %v", err)
	}
	for _, path := range []string{dir, fifo} {
		if openAt(path) == nil {
			t.Errorf("%s is read", path)
		}
	}
}

func TestReadAgain(t *testing.T) {
	for name, write := range map[string]func(*bench, string){"in place": (*bench).write, "by rename": (*bench).put} {
		t.Run(name, func(t *testing.T) {
			b := open(t, "ann\n")
			b.has("ann")
			write(b, "ann\nbob\n")
			b.has("-bob") // it was looked at just now
			b.pass(time.Second)
			b.has("ann", "bob")
			b.said("accounts read", 1)
			write(b, "bob:new\n") // shorter by nothing
			b.pass(time.Second)
			b.has("bob", "-ann")
		})
	}
}

func TestTakesWhatGrewAtOnce(t *testing.T) {
	b := open(t, "ann\n")
	b.write("ann\nbob\n")
	b.has("bob") // within the second of the change
}

// An editor empties the file and writes it piece by piece.
func TestHalfWritten(t *testing.T) {
	b := open(t, "ann\nbob\ncarl\n")
	for _, text := range []string{"", "a", "ann\n", "ann\nbo", "ann\nbob\nca"} {
		b.write(text)
		b.has("ann", "bob", "carl", "?dora")
		b.pass(time.Second)
	}
	b.write("ann\nbob\ncarl\ndora\n")
	b.has("ann", "bob", "carl", "dora", "-eve")
	b.said("ERROR", 0)
}

func TestTakesWhatShrankWhenSettled(t *testing.T) {
	b := open(t, "ann\nbob\n")
	b.write("bob\n")
	b.has("ann", "bob", "?carl")
	b.pass(time.Second)
	b.has("-ann", "bob", "-carl")

	b.write("# nobody\n") // and nobody asks for an hour
	b.pass(time.Hour)
	b.has("-bob")
	b.said("ERROR", 0)
}

// The last line has no end, as some write it.
func TestTakesUnendedWhenSettled(t *testing.T) {
	b := open(t, "ann\n")
	b.write("ann\nbob")
	b.has("ann", "?bob")
	b.pass(time.Second)
	b.has("ann", "bob")
	b.write("bob")
	b.pass(time.Second)
	b.has("-ann", "bob")
}

func TestKeepsWhatItHas(t *testing.T) {
	const old = "ann\nbob\ncarl\n"
	tests := []struct{ name, text, cause string }{
		{"empty", "", "the file has become empty"},
		{"blank", "\n \n", "the file has become empty"},
		{"cut off", "ann\nbo", "ends in mid-line"},
		{"a broken line", old + "dora::0\n:\n", "mistakes=2"},
		{"a duplicate", old + "ann\n", "ann has an account already, in line 1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := open(t, old)
			b.has("-dora")
			b.write(tt.text)
			for range 5 {
				b.pass(time.Second)
				b.has("ann", "bob", "carl@example.org", "!dora", "!dora@example.org")
			}
			b.said(tt.cause, 1)
			b.write(old + "dora\n")
			b.pass(time.Second)
			b.has("ann", "dora", "-eve")
			b.write(tt.text)
			b.pass(time.Minute)
			b.has("ann", "dora", "!eve")
			b.said(tt.cause, 1)
		})
	}
}

// A second change within the grain of the file's time, of the same size, is seen.
func TestChangedTwiceAtOnce(t *testing.T) {
	b := open(t, "ann:old\n")
	b.write("ann:one\n")
	when := b.now()
	b.has("ann")
	b.write("ann:two\n")
	if err := os.Chtimes(b.path, when, when); err != nil {
		t.Fatal(err)
	}
	b.pass(time.Second)
	if a, err := b.Lookup(t.Context(), "ann"); err != nil || a.Password != "two" {
		t.Errorf("got %+v, %v", a, err)
	}
	b.said("accounts read", 1)
}

func TestLooksOnceASecond(t *testing.T) {
	b := open(t, "ann\n")
	b.has("ann")
	b.write("ann\nbob\n")
	b.pass(time.Second - 1)
	b.has("-bob")
	b.pass(1)
	b.has("bob")
}

func TestClockSetBack(t *testing.T) {
	b := open(t, "ann\n")
	b.has("ann")
	b.write("ann\nbob\n")
	b.pass(-24 * time.Hour)
	b.has("bob")
}

// A file of the future is never old enough, but it is settled once two looks find the same.
func TestFutureFile(t *testing.T) {
	b := open(t, "ann\nbob\n")
	b.write("bob\n")
	future := b.now().Add(time.Hour)
	if err := os.Chtimes(b.path, future, future); err != nil {
		t.Fatal(err)
	}
	b.has("ann")
	b.pass(time.Second)
	b.has("-ann", "bob")
}

// Lookups go on while the file is replaced, and nobody who is in every version is ever unknown.
func TestReadAgainUnderLookups(t *testing.T) {
	b := open(t, "ann\nbob\n")
	done := make(chan struct{})
	failed := make(chan error, 8)
	for range cap(failed) {
		go func() {
			for {
				b.pass(50 * time.Millisecond)
				if _, err := b.Lookup(context.Background(), "Ann@example.org"); err != nil {
					failed <- err
					return
				}
				select {
				case <-done:
					failed <- nil
					return
				default:
				}
			}
		}()
	}
	for i := range 200 {
		switch text := "ann\n" + strings.Repeat("# more\n", i%7); i % 4 {
		case 0:
			b.put(text + "bob\n")
		case 1:
			b.write(text)
		case 2:
			b.write(text + "\x00\n")
		case 3:
			b.write("")
		}
	}
	close(done)
	for range cap(failed) {
		if err := <-failed; err != nil {
			t.Error(err)
		}
	}
	b.put("ann\ncarl\n")
	b.pass(time.Minute)
	b.has("ann", "carl", "-bob")
}
