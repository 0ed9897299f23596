package directory

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestMake(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "a", "b", "c")
	for range 2 { // also where they are there
		if err := Make(path); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range []string{"a", "a/b", "a/b/c"} {
		if info, err := os.Stat(filepath.Join(dir, d)); err != nil || info.Mode() != fs.ModeDir|0o700 {
			t.Errorf("%s: %v, %v", d, info, err)
		}
	}
	if err := Sync(path); err != nil {
		t.Error(err)
	}
	if err := Sync(filepath.Join(path, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Sync of nothing: %v", err)
	}
}

// What stands in the way is an error, and is left as it is.
func TestMakeOverFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(file, "below")} {
		if err := Make(path); err == nil {
			t.Errorf("%s was made", path)
		}
	}
	if b, err := os.ReadFile(file); err != nil || string(b) != "x" {
		t.Errorf("%q, %v", b, err)
	}
}

// A link to a directory is that directory.
func TestMakeThroughLink(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(t.TempDir(), link); err != nil {
		t.Fatal(err)
	}
	if err := Make(filepath.Join(link, "a")); err != nil {
		t.Error(err)
	}
}
