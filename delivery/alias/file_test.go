package alias

import (
	"bytes"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account/textfile"
)

// A bench is a File under test with a list beside it, the clock it goes by and what it says.
type bench struct {
	t          testing.TB
	path, list string
	clock      time.Time
	log        bytes.Buffer
	domains    Domains
}

func (b *bench) write(path, text string) {
	b.t.Helper()
	err := os.WriteFile(path, []byte(text), 0o600)
	if err = errors.Join(err, os.Chtimes(path, b.clock, b.clock)); err != nil {
		b.t.Fatal(err)
	}
}

// openBench opens a file in which LIST is the path of the list. Both were written an hour ago.
func openBench(t testing.TB, text, list string) *bench {
	t.Helper()
	dir := t.TempDir()
	b := &bench{t: t, path: filepath.Join(dir, "aliases"), list: filepath.Join(dir, "list"), clock: time.Now()}
	b.write(b.path, strings.ReplaceAll(text, "LIST", b.list))
	b.write(b.list, list)
	b.clock = b.clock.Add(time.Hour)
	f, err := Open(Config{Path: b.path, Fold: lower, Now: func() time.Time { return b.clock }, Log: slog.New(slog.NewTextHandler(&b.log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	b.domains = func(string) (Domain, bool) { return Domain{Aliases: f}, true }
	b.clock = b.clock.Add(2 * time.Second)
	return b
}

// is expands an address; what it is may be "none", or of one that has no account "doubt", because the file is being
// changed, or "refused".
func (b *bench) is(local, want string) {
	b.t.Helper()
	a := Address{Local: local, Domain: "d"}
	all, err := b.domains.Expand(a)
	if all == nil && err == nil {
		all, err = b.domains.CatchAll(a)
	}
	got := strings.ReplaceAll(told(all), "@d", "")
	switch {
	case errors.Is(err, textfile.ErrChanging):
		got = "doubt"
	case errors.Is(err, textfile.ErrRefused):
		got = "refused"
	case err != nil:
		b.t.Error(err)
	case all == nil:
		got = "none"
	}
	if got != want {
		b.t.Errorf("%s is %s, want %s", local, got, want)
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

func TestReadAgain(t *testing.T) {
	b := openBench(t, "ann: bob\nall: :include:LIST\n", "ann\n")
	b.is("all", "bob")
	b.write(b.path, "ann: carl\nall: :include:"+b.list+"\neve: ann\n")
	b.clock = b.clock.Add(time.Second)
	b.is("all", "carl")
	b.is("eve", "carl")
	b.said("aliases read", 1)
	b.write(b.list, "ann\ndora\n")
	b.clock = b.clock.Add(time.Second)
	b.is("all", "carl dora")
	b.said("aliases read", 1)
}

func TestListHalfWritten(t *testing.T) {
	b := openBench(t, "all: :include:LIST\n", "ann\nbob\n")
	for _, half := range []string{"", "ann\n", "ann\nb"} {
		b.write(b.list, half)
		b.is("all", "ann bob")
		b.is("eve", "doubt")
		b.clock = b.clock.Add(time.Second)
	}
	b.write(b.list, "ann\nbob\ncarl\n")
	b.is("all", "ann bob carl")
	b.is("eve", "none")
	b.said("ERROR", 0)
}

func TestKeepsWhatItHas(t *testing.T) {
	const text = "ann: bob\nall: :include:LIST\n"
	for _, tt := range []struct{ name, text, cause string }{
		{"empty", "", "the file has become empty"},
		{"a command", text + "eve: |cmd\n", "mistakes=1"},
		{"a duplicate", text + "ann: carl\neve: :include:/none\n", "mistakes=2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			b := openBench(t, text, "dora\n")
			b.write(b.path, strings.ReplaceAll(tt.text, "LIST", b.list))
			for range 5 {
				b.clock = b.clock.Add(time.Second)
				b.is("ann", "bob")
				b.is("all", "dora")
				b.is("eve", "refused")
			}
			b.said("aliases stay as they were", 1)
			b.write(b.path, tt.text)
			b.clock = b.clock.Add(time.Second)
			b.is("ann", "bob")
		})
	}
}

// As long as the file is not what the aliases are, who has none may have got one: the mail is not for the catch-all.
func TestCatchAllInDoubt(t *testing.T) {
	const text = "ann: bob\n@d: carl\n"
	b := openBench(t, text, "")
	b.is("eve", "carl")
	b.write(b.path, text+"eve: dora\nx: |cmd\n")
	b.clock = b.clock.Add(time.Second)
	b.is("eve", "refused")
	b.is("ann", "bob")
	if err := b.file().Doubt(); !errors.Is(err, textfile.ErrRefused) || !strings.Contains(err.Error(), b.path+":4: |cmd") {
		t.Errorf("the doubt is %v", err)
	}
	b.write(b.path, text+"eve: dora\n")
	b.clock = b.clock.Add(time.Second)
	b.is("eve", "dora")
	b.is("fred", "carl")
	if err := b.file().Doubt(); err != nil {
		t.Errorf("the doubt is %v", err)
	}
}

func (b *bench) file() *File {
	d, _ := b.domains("d")
	return d.Aliases
}

func TestKeepsWhenItVanishes(t *testing.T) {
	for _, which := range []string{"file", "list"} {
		t.Run(which, func(t *testing.T) {
			b := openBench(t, "ann: bob\nall: :include:LIST\n", "dora\n")
			path := map[string]string{"file": b.path, "list": b.list}[which]
			if err := os.Rename(path, path+".away"); err != nil {
				t.Fatal(err)
			}
			b.clock = b.clock.Add(time.Second)
			b.is("all", "dora")
			for range 5 {
				b.clock = b.clock.Add(time.Second)
				b.is("all", "dora")
				b.is("eve", "refused")
			}
			b.said("aliases stay as they were", 1)
			if err := os.Rename(path+".away", path); err != nil {
				t.Fatal(err)
			}
			b.clock = b.clock.Add(time.Second)
			b.is("all", "dora")
			b.is("eve", "none")
			b.said("level=INFO", 1)
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	open := func(text string, list os.FileMode) error {
		path, lists := filepath.Join(dir, "aliases"), filepath.Join(dir, "list")
		err := errors.Join(os.WriteFile(path, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600), os.WriteFile(lists, []byte("ann\n"), 0o600), os.Chmod(lists, list))
		if err != nil {
			t.Fatal(err)
		}
		_, err = Open(Config{Path: path, Fold: lower, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		return err
	}
	if err := open("all: :include:DIR/list\n", 0o644); err != nil {
		t.Error(err)
	}
	for _, tt := range []struct {
		name, text string
		mode       os.FileMode
		want       string
	}{
		{"a command", "ann: |x", 0o600, "aliases:1: |x: lmtpd does not run commands"},
		{"a list that everybody may write", "all: :include:DIR/list", 0o602, "everybody may write"},
		{"a list that is not there", "all: :include:DIR/none", 0o600, "no such file"},
		{"a list that is a directory", "all: :include:DIR", 0o600, "not a regular file"},
	} {
		err := open(tt.text, tt.mode)
		var bad textfile.Mistakes
		if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	_, err := Open(Config{Path: filepath.Join(dir, "none"), Fold: lower, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
}
