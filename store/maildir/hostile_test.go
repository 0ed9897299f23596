package maildir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// The owner of a mailbox may put anything into it. None of it leads a delivery, a reader or the sweep to another place.
func TestSymlinkLeadsNowhere(t *testing.T) {
	const ann = "example.org/ann"
	for _, test := range []struct{ planted, refused string }{
		{"example.org", "inbox flags folder"},
		{ann, "inbox flags folder"},
		{ann + "/new", "inbox flags"},
		{ann + "/cur", "flags"},
		{ann + "/tmp", "inbox flags"},
		{ann + "/.Work", "folder"},
		{ann + "/.Work/new", "folder"},
		{ann + "/.Work/tmp", "folder"},
	} {
		t.Run(test.planted, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "mail")
			plantSymlinks(t, dir, test.planted)
			s := openNamed(t, dir) // it needs tmp/ too
			defer s.Close()
			for what, p := range map[string]store.Placement{
				"inbox":  {Mailbox: store.Mailbox{Name: "ann@example.org"}},
				"flags":  {Mailbox: store.Mailbox{Name: "ann@example.org"}, Flags: []store.Flag{store.FlagSeen}},
				"folder": {Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"},
			} {
				err := deliver(t, s, "x\r\n", p)
				if refused := strings.Contains(test.refused, what); refused != (err != nil) || isAnswer(err) {
					t.Errorf("%s: %v, want it refused: %v", what, err, refused)
				}
			}
			s.now = func() time.Time { return time.Now().Add(2 * sweepAge) }
			_, _ = s.Sweep(t.Context())
			_, _ = s.Messages(t.Context(), store.Mailbox{Name: "ann@example.org"}, "")
			must(t, filepath.WalkDir(filepath.Join(dir, "prey"), func(path string, e fs.DirEntry, err error) error {
				if err == nil && !e.IsDir() && e.Name() != "theirs" {
					t.Errorf("%s was written", path)
				}
				return err
			}))
			if _, err := os.Stat(filepath.Join(dir, "prey", "theirs")); err != nil {
				t.Error(err)
			}
		})
	}
}

// plantSymlinks puts a symlink at planted that leads to another mailbox below the same root.
func plantSymlinks(t *testing.T, dir, planted string) {
	prey := filepath.Join(dir, "prey")
	for _, sub := range []string{"cur", "new", "tmp", "ann/cur", "ann/new", "ann/tmp", "ann/.Work"} {
		must(t, os.MkdirAll(filepath.Join(prey, sub), 0o700))
	}
	must(t, os.WriteFile(filepath.Join(prey, "theirs"), nil, 0o600)) // swept, if taken for a tmp/
	at := filepath.Join(dir, planted)
	must(t, os.MkdirAll(filepath.Dir(at), 0o700))
	to, err := filepath.Rel(filepath.Dir(at), prey)
	must(t, err, os.Symlink(to, at))
}

// Names and kinds of files that no message has are passed over, and what reads as a message is read.
func TestStrangeFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}}))
	ann := filepath.Join(dir, "example.org", "ann")
	for name, text := range map[string]string{
		"new/.hidden": "", "new/:2,S": "", "new/::": "", "cur/.nfs0001": "", // no messages
		"new/1:2,S": "a\n", "cur/2": "b\n", "cur/3:2,": "c\n", "cur/4:2,FSab": "d\n", "cur/5:1,X": "e\n", "cur/6:é\xff,": "f\n",
		"cur/7,S=notanumber,W=99999999999999999999:2,S": "g\n", "cur/8,W=3:2,öü": "h\n", "cur/9:2,S,extra": "i\n",
	} {
		must(t, os.WriteFile(filepath.Join(ann, name), []byte(text), 0o600))
	}
	must(t, os.Mkdir(filepath.Join(ann, "cur", "directory:2,S"), 0o700))
	must(t, os.Symlink("/etc/passwd", filepath.Join(ann, "cur", "symlink:2,S")))
	must(t, unix.Mkfifo(filepath.Join(ann, "cur", "pipe:2,S"), 0o600))
	for _, name := range []string{".Bad&name", ".A..B", "..x", ".", "Work", ".&AAA-"} {
		_ = os.Mkdir(filepath.Join(ann, name), 0o700)
	}
	must(t, os.WriteFile(filepath.Join(ann, ".file"), nil, 0o600))
	must(t, os.Mkdir(filepath.Join(ann, ".Empty"), 0o700))

	list, err := s.Messages(t.Context(), store.Mailbox{Name: "ann@example.org"}, "")
	if err != nil || len(list) != 10 {
		t.Errorf("%d messages, %v, want 10: %+v", len(list), err, list)
	}
	for _, m := range list {
		if m.Size != 3 {
			t.Errorf("%s has size %d, want 3", m.ID, m.Size)
		}
		must(t, s.SetFlags(t.Context(), store.Mailbox{Name: "ann@example.org"}, "", m.ID, []store.Flag{store.FlagAnswered}))
	}
	if _, err := os.Stat(filepath.Join(ann, "cur", "4:2,Rab")); err != nil {
		t.Errorf("keyword letters: %v", err)
	}
	u, err := s.Usage(t.Context(), store.Mailbox{Name: "ann@example.org"})
	if err != nil || u != (store.Usage{Messages: 10, Octets: 30}) {
		t.Errorf("Usage: %+v, %v", u, err)
	}
	if folders, err := s.Folders(t.Context(), store.Mailbox{Name: "ann@example.org"}); err != nil || len(folders) != 1 || folders[0] != "Empty" {
		t.Errorf("Folders: %q, %v", folders, err)
	}
	for _, id := range []string{"symlink", "pipe", "directory", ".hidden"} {
		if _, err := s.Open(t.Context(), store.Mailbox{Name: "ann@example.org"}, "", id); err == nil {
			t.Errorf("%s was opened", id)
		}
	}
}

// A file where a directory should be is nobody's answer: it could not be told.
func TestFileInTheWay(t *testing.T) {
	for _, at := range []string{"example.org", "example.org/ann", "example.org/ann/new"} {
		dir := t.TempDir()
		must(t, os.MkdirAll(filepath.Dir(filepath.Join(dir, at)), 0o700), os.WriteFile(filepath.Join(dir, at), nil, 0o600))
		s := open(t, dir)
		err := deliver(t, s, "x\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@example.org"}})
		if err == nil || isAnswer(err) {
			t.Errorf("%s is a file: Deliver says %v", at, err)
		}
		if err := s.Check(t.Context(), store.Mailbox{Name: "ann@example.org"}, store.Usage{Octets: 0}); isAnswer(err) || err == nil && at != "example.org/ann/new" {
			t.Errorf("%s is a file: Check says %v", at, err)
		}
		s.Close()
	}
}
