package maildir

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// limited is a mailbox with a quota.
var limited = store.Mailbox{Name: "ann@example.org", Quota: store.Quota{
	Usage: store.Usage{Octets: 1000, Messages: 10}, Ignore: []string{"Junk"},
}}

// A counted is a limited mailbox in a store.
type counted struct {
	*testing.T
	*Store
	dir string // the mailbox's
}

func openCounted(t *testing.T) *counted {
	root := t.TempDir()
	s := open(t, root)
	t.Cleanup(func() { s.Close() })
	c := &counted{t, s, filepath.Join(root, "example.org", "ann")}
	c.deliver("x\r\n", "")
	return c
}

func (c *counted) deliver(text, folder string) {
	c.Helper()
	must(c, deliver(c, c.Store, text, store.Placement{Mailbox: limited, Folder: folder}))
}

// usage must be so.
func (c *counted) usage(messages, octets int64) {
	c.Helper()
	u, err := c.Usage(c.Context(), limited)
	if want := (store.Usage{Messages: messages, Octets: octets}); err != nil || u != want {
		c.Errorf("Usage: %+v, %v, want %+v", u, err, want)
	}
}

// file is the text of maildirsize, "" if there is none.
func (c *counted) file() string {
	b, err := os.ReadFile(filepath.Join(c.dir, countFile))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		c.Error(err)
	}
	return string(b)
}

func (c *counted) write(text string) {
	c.Helper()
	must(c, os.WriteFile(filepath.Join(c.dir, countFile), []byte(text), 0o600))
}

// The file is made when somebody asks, has a line for each change of what counts, and is what is believed.
func TestCountIsKept(t *testing.T) {
	c := openCounted(t)
	if got := c.file(); got != "" {
		t.Errorf("a delivery made %q", got)
	}
	c.usage(1, 2)
	want := "1000S,10C\n2 1\n"
	for _, step := range []struct {
		do   func()
		line string
	}{
		{func() { c.deliver("ab\r\n", "") }, "3 1\n"},
		{func() { c.deliver("abc\r\n", "Work") }, "4 1\n"},
		{func() { c.deliver("abcd\r\n", "Junk") }, ""},
		{func() { c.deliver("abcd\r\n", "Junk/Old") }, ""},
		{func() { c.deliver("a\nb\r\n", "inbox") }, "4 1\n"},
		{func() { c.removeAll("Work") }, "-4 -1\n"},
		{func() { c.removeAll("Junk") }, ""},
	} {
		step.do()
		want += step.line
		if got := c.file(); got != want {
			t.Errorf("maildirsize is %q, want %q", got, want)
		}
	}
	c.usage(3, 9)
	c.write("1000S,10C\n500 5\n20 1\n") // as somebody else may have written
	c.usage(6, 520)
	if u, err := c.Recount(t.Context(), limited); err != nil || u != (store.Usage{Messages: 3, Octets: 9}) {
		t.Errorf("Recount: %+v, %v", u, err)
	}
	if got, want := c.file(), "1000S,10C\n9 3\n"; got != want {
		t.Errorf("Recount wrote %q, want %q", got, want)
	}
	fi, err := os.Stat(filepath.Join(c.dir, countFile))
	if err != nil || fi.Mode() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
}

func (c *counted) removeAll(folder string) {
	c.Helper()
	list, err := c.Messages(c.Context(), limited, folder)
	must(c, err)
	for _, m := range list {
		must(c, c.Remove(c.Context(), limited, folder, m.ID))
	}
}

// Without a limit nothing is kept count of.
func TestCountNeedsLimit(t *testing.T) {
	c := openCounted(t)
	unlimited := store.Mailbox{Name: limited.Name}
	for _, count := range []func(context.Context, store.Mailbox) (store.Usage, error){c.Usage, c.Recount} {
		if u, err := count(t.Context(), unlimited); err != nil || u != (store.Usage{Messages: 1, Octets: 3}) {
			t.Errorf("%+v, %v", u, err)
		}
	}
	if got := c.file(); got != "" {
		t.Errorf("maildirsize is %q", got)
	}
}

// A file that cannot be believed is replaced; one that can, is not, though it says something else than the mailbox.
func TestCountBelieved(t *testing.T) {
	const right = "1000S,10C\n2 1\n"
	for _, test := range []struct {
		name, text string
		age        time.Duration
		anew       bool
	}{
		{"true", right, 0, false},
		{"wrong", "1000S,10C\n500 5\n", 0, false},
		{"old", "1000S,10C\n500 5\n", 1000 * time.Hour, false},
		{"other limits", "2000S,10C\n500 5\n", 0, true},
		{"fewer limits", "1000S\n500 5\n", 0, true},
		{"over the limit, counted just now", "1000S,10C\n1001 5\n", 14 * time.Minute, false},
		{"over the limit, counted long ago", "1000S,10C\n1001 5\n", 16 * time.Minute, true},
		{"over the limit, changed since", "1000S,10C\n900 5\n101 1\n", 0, true},
		{"too many messages", "1000S,10C\n5 9\n5 2\n", 0, true},
		{"almost too long", "1000S,10C\n2 1\n" + strings.Repeat("0 0\n", 1276), 0, false},
		{"too long", "1000S,10C\n2 1\n" + strings.Repeat("0 0\n", 1277), 0, true},
		{"empty", "", 0, true},
		{"garbage", "\x00\x00\x00", 0, true},
		{"negative", "1000S,10C\n500 5\n-501 -1\n", 0, true},
		{"cut off", "1000S,10C\n500 5\n10", 0, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := openCounted(t)
			c.write(test.text)
			then := time.Now().Add(-test.age)
			must(t, os.Chtimes(filepath.Join(c.dir, countFile), then, then))
			if _, err := c.Usage(t.Context(), limited); err != nil {
				t.Error(err)
			}
			if got := c.file(); (got == right) != (test.anew || test.text == right) || got != test.text && !test.anew {
				t.Errorf("maildirsize became %.40q, want it counted anew: %v", got, test.anew)
			}
		})
	}
}

// What a message would not fit is looked at once more before it is refused: the mailbox may have been emptied by somebody
// who keeps no count.
func TestCheckCountsAnew(t *testing.T) {
	c := openCounted(t)
	c.write("1000S,10C\n500 5\n400 1\n")
	check := func(octets int64) error {
		return c.Check(t.Context(), limited, store.Usage{Messages: 1, Octets: octets})
	}
	must(t, check(100))
	if got := c.file(); !strings.HasPrefix(got, "1000S,10C\n500 5\n") {
		t.Errorf("maildirsize became %q, though there is room", got)
	}
	must(t, check(101))
	if got := c.file(); got != "1000S,10C\n2 1\n" {
		t.Errorf("maildirsize is %q", got)
	}
	if err := check(999); !errors.Is(err, store.ErrOverQuota) {
		t.Errorf("Check: %v", err)
	}
}

// Whatever is there instead of the file is neither followed nor waited for nor written to, and the mailbox takes mail.
func TestHostileCount(t *testing.T) {
	for name, plant := range map[string]func(at, prey string) error{
		"symlink":      func(at, prey string) error { return os.Symlink(prey, at) },
		"symlink out":  func(at, prey string) error { return os.Symlink("/etc/passwd", at) },
		"symlink loop": func(at, prey string) error { return os.Symlink(countFile, at) },
		"hard link":    func(at, prey string) error { return os.Link(prey, at) },
		"pipe":         func(at, prey string) error { return unix.Mkfifo(at, 0o600) },
		"socket":       func(at, prey string) error { return unix.Mknod(at, unix.S_IFSOCK|0o600, 0) },
		"directory":    func(at, prey string) error { return os.MkdirAll(at+"/full", 0o700) },
		"unreadable":   func(at, prey string) error { return os.WriteFile(at, []byte("1000S,10C\n1 1\n"), 0) },
		"gigabytes": func(at, prey string) error {
			return errors.Join(os.WriteFile(at, []byte("1000S,10C\n1 1\n"), 0o600), os.Truncate(at, 5<<30))
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := openCounted(t)
			at, prey := filepath.Join(c.dir, countFile), filepath.Join(c.dir, "prey")
			const preyed = "1000S,10C\n500 5\n"
			must(t, os.WriteFile(prey, []byte(preyed), 0o600), plant(at, prey))
			c.deliver("ab\r\n", "")
			if name != "unreadable" || os.Getuid() != 0 {
				c.usage(2, 5)
			}
			must(t, c.Check(t.Context(), limited, store.Usage{Messages: 1}))
			if _, err := c.Recount(t.Context(), limited); err != nil {
				t.Error(err)
			}
			c.deliver("abc\r\n", "Work")
			c.usage(3, 9)
			if b, err := os.ReadFile(prey); err != nil || string(b) != preyed {
				t.Errorf("the prey is %q, %v", b, err)
			}
			if fi, err := os.Lstat(at); name != "directory" && (err != nil || !fi.Mode().IsRegular() || fi.Size() > maxCountFile) {
				t.Errorf("in its place is %v, %v", fi, err)
			}
		})
	}
}

// Sizes come from names that tell them as Dovecot does, else from the files; what is no message does not count.
func TestCountStrangeFiles(t *testing.T) {
	c := openCounted(t)
	for name, size := range map[string]int{
		"new/a": 7, "cur/b:2,S": 7, "cur/c,S=100:2,S": 7, "cur/d,S=100,W=200": 7, "cur/e,W=200,S=100": 7, // 7 7 100 100 100
		"cur/f,S=100x:2,": 7, "cur/g,S=-1:2,": 7, "cur/h,S=": 7, "cur/i,S=9223372036854775808": 7, "cur/j:2,S,S=5": 7, // 7 each
		"cur/.hidden,S=100": 7, "cur/:2,S": 7, "tmp/k": 7, "l,S=100": 7,
	} {
		must(t, os.WriteFile(filepath.Join(c.dir, name), make([]byte, size), 0o600))
	}
	must(t, os.Mkdir(filepath.Join(c.dir, "cur", "dir,S=100"), 0o700), os.Symlink("b:2,S", filepath.Join(c.dir, "cur", "link,S=100")))
	must(t, os.MkdirAll(filepath.Join(c.dir, ".Work", "cur"), 0o700), os.WriteFile(filepath.Join(c.dir, ".Work", "new"), nil, 0o600))
	must(t, os.MkdirAll(filepath.Join(c.dir, ".Junk.Old", "cur"), 0o700))
	must(t, os.WriteFile(filepath.Join(c.dir, ".Work", "cur", "m,S=10"), nil, 0o600), os.WriteFile(filepath.Join(c.dir, ".Junk.Old", "cur", "n,S=10"), nil, 0o600))
	c.usage(12, 2+7+7+300+35+10)
	must(t, os.WriteFile(filepath.Join(c.dir, "cur", "x,S=9223372036854775807"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(c.dir, "cur", "y,S=9223372036854775807"), nil, 0o600))
	if u, err := c.Recount(t.Context(), limited); err != nil || u.Octets <= 1000 {
		t.Errorf("Recount: %+v, %v", u, err)
	}
	if err := c.Check(t.Context(), limited, store.Usage{Messages: 1, Octets: 1}); !errors.Is(err, store.ErrOverQuota) {
		t.Errorf("Check: %v", err)
	}
}

func TestCountEndsWithContext(t *testing.T) {
	c := openCounted(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, usage := c.Usage(ctx, limited)
	_, recount := c.Recount(ctx, limited)
	for _, err := range []error{usage, recount, c.Check(ctx, limited, store.Usage{})} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%v, want %v", err, context.Canceled)
		}
	}
	d, giveBack, err := c.lend(limited)
	must(t, err)
	defer giveBack()
	if _, err := d.tally(ctx, limited.Quota); !errors.Is(err, context.Canceled) {
		t.Errorf("tally: %v", err)
	}
	if got := c.file(); got != "" {
		t.Errorf("maildirsize is %q", got)
	}
}

// BenchmarkUsage asks for the usage of an empty mailbox and of one with 100,000 messages, as it is kept and counted anew.
func BenchmarkUsage(b *testing.B) {
	for _, messages := range []int{0, 100_000} {
		s, m := manyMessages(b, messages)
		for name, ask := range map[string]func(context.Context, store.Mailbox) (store.Usage, error){"kept": s.Usage, "anew": s.Recount} {
			b.Run(fmt.Sprintf("messages=%d/%s", messages, name), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if u, err := ask(b.Context(), m); err != nil || u.Messages < int64(messages) {
						b.Fatal(u, err)
					}
				}
			})
		}
	}
}

// manyMessages makes a mailbox of many names for a few files: a file can have only so many.
func manyMessages(b *testing.B, messages int) (*Store, store.Mailbox) {
	const names = 30_000
	root := benchDir(b)
	s := open(b, root)
	b.Cleanup(func() { s.Close() })
	m := store.Mailbox{Name: "ann@example.org", Quota: store.Quota{Usage: store.Usage{Octets: 1 << 40}}}
	must(b, deliver(b, s, "x\r\n", store.Placement{Mailbox: m}))
	cur, err := os.OpenRoot(filepath.Join(root, "example.org", "ann", "cur"))
	must(b, err)
	defer cur.Close()
	first := ""
	for i := range messages {
		name := fmt.Sprintf("1700000000.M%dP1Q%d.mx.example.org,S=3000,W=3100:2,S", i%1_000_000, i)
		if i%names == 0 {
			first = name
			must(b, cur.WriteFile(name, nil, 0o600))
		} else {
			must(b, cur.Link(first, name))
		}
	}
	_, err = s.Usage(b.Context(), m) // makes maildirsize
	must(b, err)
	return s, m
}
