package maildir

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// The count in a home is kept with its owner's rights: it is the owner's file, and leads nowhere the owner could not go.
func TestCountInHome(t *testing.T) {
	for name, plant := range map[string]func(at, prey, maildir string) error{
		"nothing":   func(at, prey, maildir string) error { return nil },
		"symlink":   func(at, prey, maildir string) error { return os.Symlink(prey, at) },
		"hard link": func(at, prey, maildir string) error { return os.Link(prey, at) },
		"another's": func(at, prey, maildir string) error {
			return os.WriteFile(at, []byte("1000S\n500 5\n"), 0o600) // root's, here
		},
		"no right to make it": func(at, prey, maildir string) error { return os.Chown(maildir, 0, 0) },
	} {
		t.Run(name, func(t *testing.T) {
			dir := homes(t, map[string]int{"ann": annID, "bob": bobID})
			s := openHomes(t)
			a, b := ann(dir), bob(dir)
			a.Quota.Octets, b.Quota.Octets = 1000, 1000
			for _, m := range []store.Mailbox{a, b} {
				must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: m}))
			}
			_, err := s.Usage(t.Context(), b)
			must(t, err)
			maildir, prey := filepath.Join(dir, "ann", "Maildir"), filepath.Join(dir, "bob", "Maildir", countFile)
			at := filepath.Join(maildir, countFile)
			must(t, os.Chmod(maildir, 0o755), plant(at, prey, maildir))
			for n := range int64(3) {
				must(t, deliver(t, s, "ab\r\n", store.Placement{Mailbox: a}))
				if u, err := s.Usage(t.Context(), a); err != nil || u != (store.Usage{Messages: n + 2, Octets: 3*n + 5}) {
					t.Errorf("Usage: %+v, %v", u, err)
				}
			}
			if b, err := os.ReadFile(prey); err != nil || string(b) != "1000S\n2 1\n" {
				t.Errorf("the other's count is %q, %v", b, err)
			}
			var st unix.Stat_t
			err = unix.Lstat(at, &st)
			if name == "no right to make it" {
				if err == nil {
					t.Error("made without the right to")
				}
			} else if err != nil || st.Uid != annID || st.Mode != unix.S_IFREG|0o600 || st.Nlink != 1 {
				t.Errorf("in its place is a file of %d, mode %o, %d names, %v", st.Uid, st.Mode, st.Nlink, err)
			}
		})
	}
}
