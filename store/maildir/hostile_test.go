package maildir

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

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
	for _, planted := range []string{"example.org", "example.org/ann", "example.org/ann/new", "example.org/ann/cur", "example.org/ann/tmp", "example.org/ann/.Work", "example.org/ann/.Work/new"} {
		for _, kind := range []string{"absolute", "relative"} {
			t.Run(planted+" "+kind, func(t *testing.T) { plantSymlink(t, planted, kind) })
		}
	}
}

func plantSymlink(t *testing.T, planted, kind string) {
	dir := t.TempDir()
	prey := filepath.Join(dir, "mail", "prey") // inside the root even: another mailbox
	for _, sub := range []string{"cur", "new", "tmp", "ann/cur", "ann/new", "ann/tmp", ".Work/new", ".Work/cur", ".Work/tmp"} {
		must(t, os.MkdirAll(filepath.Join(prey, sub), 0o700))
	}
	at := filepath.Join(dir, "mail", planted)
	to := prey
	must(t, os.MkdirAll(filepath.Dir(at), 0o700))
	if kind == "relative" {
		rel, err := filepath.Rel(filepath.Dir(at), prey)
		must(t, err)
		to = rel
	}
	must(t, os.Symlink(to, at))
	s := openNamed(t, filepath.Join(dir, "mail"))
	defer s.Close()
	for _, p := range []store.Placement{
		{Mailbox: "ann@example.org"}, {Mailbox: "ann@example.org", Flags: []store.Flag{store.FlagSeen}},
		{Mailbox: "ann@example.org", Folder: "Work"},
	} {
		err := deliver(t, s, "x\r\n", p)
		folderOnly := strings.Contains(planted, "/.Work")
		curOnly := strings.HasSuffix(planted, "/cur")
		if err == nil && !(folderOnly && p.Folder == "") && !(curOnly && p.Flags == nil) && p.Folder == "" {
			t.Errorf("%+v was delivered through a symlink", p)
		}
		if err == nil && p.Folder != "" && (folderOnly || !strings.Contains(planted, "ann/")) {
			t.Errorf("%+v was delivered through a symlink", p)
		}
	}
	_, _ = s.Sweep(t.Context())
	_, _ = s.Messages(t.Context(), "ann@example.org", "")
	must(t, filepath.WalkDir(prey, func(path string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			t.Errorf("%s was written", path)
		}
		return err
	}))
}

// Names and kinds of files that no message has are passed over, and what reads as a message is read.
func TestStrangeFiles(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: "ann@example.org"}))
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

	list, err := s.Messages(t.Context(), "ann@example.org", "")
	if err != nil || len(list) != 10 {
		t.Errorf("%d messages, %v, want 10: %+v", len(list), err, list)
	}
	for _, m := range list {
		if m.Size != 3 {
			t.Errorf("%s has size %d, want 3", m.ID, m.Size)
		}
		must(t, s.SetFlags(t.Context(), "ann@example.org", "", m.ID, []store.Flag{store.FlagAnswered}))
	}
	if _, err := os.Stat(filepath.Join(ann, "cur", "4:2,Rab")); err != nil {
		t.Errorf("keyword letters: %v", err)
	}
	u, err := s.Usage(t.Context(), "ann@example.org")
	if err != nil || u != (store.Usage{Messages: 10, Octets: 30}) {
		t.Errorf("Usage: %+v, %v", u, err)
	}
	if folders, err := s.Folders(t.Context(), "ann@example.org"); err != nil || len(folders) != 1 || folders[0] != "Empty" {
		t.Errorf("Folders: %q, %v", folders, err)
	}
	for _, id := range []string{"symlink", "pipe", "directory", ".hidden"} {
		if _, err := s.Open(t.Context(), "ann@example.org", "", id); err == nil {
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
		err := deliver(t, s, "x\r\n", store.Placement{Mailbox: "ann@example.org"})
		if err == nil || isAnswer(err) {
			t.Errorf("%s is a file: Deliver says %v", at, err)
		}
		if err := s.Check(t.Context(), "ann@example.org", 0); isAnswer(err) || err == nil && at != "example.org/ann/new" {
			t.Errorf("%s is a file: Check says %v", at, err)
		}
		s.Close()
	}
}
