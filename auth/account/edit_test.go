package account

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

func addAnn(d *Draft) error { return d.Add(bare("ann")) }

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// holds checks what a file holds, and that nothing else is beside it.
func holds(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil || string(text) != want {
		t.Errorf("the file holds %q, %v; want %q", text, err, want)
	}
	names, err := filepath.Glob(filepath.Join(filepath.Dir(path), ".*"))
	if err != nil || len(names) > 0 {
		t.Errorf("left behind: %q, %v", names, err)
	}
}

func TestEdit(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	put(t, path, "# c\nbob:x\n")
	if err := Edit(path, addAnn); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "# c\nbob:x\nann:\n")
	got, err := List(path)
	if err != nil || len(got) != 2 || !got[1].equal(bare("ann")) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// What is no regular file is refused, and nobody waits for it to be written.
func TestEditIrregular(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	link := filepath.Join(dir, "link")
	if err := errors.Join(unix.Mkfifo(fifo, 0o600), os.Symlink(fifo, link)); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, fifo, link, "/dev/null"} {
		done := make(chan error, 2)
		go func() {
			done <- Edit(path, addAnn)
			_, err := List(path)
			done <- err
		}()
		for _, what := range []string{"edit", "list"} {
			select {
			case err := <-done:
				if err == nil || !strings.Contains(err.Error(), "is not a regular file") {
					t.Errorf("%s %s: %v", what, path, err)
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("%s %s hangs", what, path)
			}
		}
	}
	if err := Create(fifo); !errors.Is(err, fs.ErrExist) {
		t.Errorf("made: %v", err)
	}
}

func TestEditKeepsModeAndOwner(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	put(t, path, "bob\n")
	uid, gid := os.Getuid(), os.Getgid()
	if uid == 0 {
		uid, gid = 4711, 4712
	}
	if err := errors.Join(os.Chown(path, uid, gid), os.Chmod(path, 0o640)); err != nil {
		t.Fatal(err)
	}
	if err := Edit(path, addAnn); err != nil {
		t.Fatal(err)
	}
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	if int(st.Uid) != uid || int(st.Gid) != gid || st.Mode&0o7777 != 0o640 {
		t.Errorf("owner %d:%d and mode %o; want %d:%d, 640", st.Uid, st.Gid, st.Mode, uid, gid)
	}
}

func TestEditFollowsLinks(t *testing.T) {
	dir := t.TempDir()
	path, link := filepath.Join(dir, "users"), filepath.Join(dir, "link")
	put(t, path, "bob\n")
	if err := os.Symlink("users", link); err != nil {
		t.Fatal(err)
	}
	if err := Edit(link, addAnn); err != nil {
		t.Fatal(err)
	}
	holds(t, path, "bob\nann:\n")
	if to, err := os.Readlink(link); err != nil || to != "users" {
		t.Errorf("the link leads to %q, %v", to, err)
	}
}

func TestEditChangesNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	put(t, path, "bob\n")
	before, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	failed := errors.New("failed")
	err = Edit(path, func(d *Draft) error { return errors.Join(addAnn(d), failed) })
	if !errors.Is(err, failed) {
		t.Errorf("a change that fails: %v", err)
	}
	if err := Edit(path, func(d *Draft) error { return d.SetDisabled("bob", Disabled{}) }); err != nil {
		t.Errorf("a change to the same: %v", err)
	}
	after, err := os.Stat(path)
	if err != nil || !os.SameFile(before, after) || !before.ModTime().Equal(after.ModTime()) {
		t.Errorf("the file was written: %v", err)
	}
	holds(t, path, "bob\n")
}

func TestEditRefuses(t *testing.T) {
	dir := t.TempDir()
	if err := Edit(filepath.Join(dir, "none"), addAnn); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file that is not there: %v", err)
	}
	path := filepath.Join(dir, "users")
	put(t, path, "bob::0\n")
	var mistakes Mistakes
	if err := Edit(path, addAnn); !errors.As(err, &mistakes) || mistakes[0].Line != 1 {
		t.Errorf("a file with mistakes: %v", err)
	}
	holds(t, path, "bob::0\n")
}

func TestEditOneAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	put(t, path, "bob\n")
	err := Edit(path, func(d *Draft) error {
		if err := Edit(path, addAnn); !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), path) {
			t.Errorf("a second editor: %v", err)
		}
		return d.Add(bare("carl"))
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := Edit(path, addAnn); err != nil {
		t.Errorf("the next editor: %v", err)
	}
	holds(t, path, "bob\ncarl:\nann:\n")
}

// Whatever editors do at once, what they were told is done is there.
func TestEditAtOnce(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	put(t, path, "# c\n")
	added := make(chan string)
	names := strings.Split("abcdefgh", "")
	for _, name := range names {
		go func() {
			for {
				err := Edit(path, func(d *Draft) error { return d.Add(bare(name)) })
				if errors.Is(err, ErrLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
				}
				added <- name
				return
			}
		}()
	}
	for range names {
		<-added
	}
	all, err := List(path)
	if err != nil || len(all) != len(names) {
		t.Fatalf("got %+v, %v", all, err)
	}
	for _, name := range names {
		if !slices.ContainsFunc(all, bare(name).equal) {
			t.Errorf("%s is missing", name)
		}
	}
}

func TestEditInUnwritableDirectory(t *testing.T) {
	if os.Getuid() == 0 {
		t.Skip("root may write everywhere")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "users")
	put(t, path, "bob\n")
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	defer os.Chmod(dir, 0o700)
	if err := Edit(path, addAnn); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
	holds(t, path, "bob\n")
}

// A name that is taken by a directory cannot be renamed over: the new file is swept away again.
func TestReplaceCleansUp(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "users")
	put(t, path, "bob\n")
	in, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	taken := filepath.Join(dir, "taken")
	if err := os.Mkdir(taken, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := replace(taken, in, "ann\n"); err == nil {
		t.Error("a directory was replaced")
	}
	holds(t, path, "bob\n")
}

func TestCreate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	if err := Create(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm()&0o077 != 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if all, err := List(path); err != nil || len(all) != 0 {
		t.Errorf("got %+v, %v", all, err)
	}
	if err := Edit(path, addAnn); err != nil {
		t.Error(err)
	}
	if err := Create(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a file that is there: %v", err)
	}
}

// The whole life of an account, as a File sees it that is looked at all along.
func TestEditIsSeen(t *testing.T) {
	b := open(t, "ann:x\n")
	edit := func(change func(*Draft) error) {
		t.Helper()
		b.pass(time.Second)
		if err := Edit(b.path, change); err != nil {
			t.Fatal(err)
		}
		b.date(b.path)
	}
	edit(func(d *Draft) error { return d.Add(bare("bob")) })
	b.has("ann", "bob")
	edit(func(d *Draft) error { return d.SetDisabled("bob", Disabled{Delivery: true}) })
	if a, err := b.Lookup(t.Context(), "bob"); err != nil || !a.Disabled.Delivery {
		t.Errorf("got %+v, %v", a, err)
	}
	edit(func(d *Draft) error { return errors.Join(d.Remove("ann"), d.Remove("bob")) })
	b.pass(time.Second)
	b.has("-ann", "-bob")
	b.said("ERROR", 0)
}
