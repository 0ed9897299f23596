package maildir

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// A move fails at each of its steps in turn: the message is never lost, and doing it again leaves it in one place.
func TestFaultInMove(t *testing.T) {
	for _, test := range []struct {
		name  string
		p     store.Placement
		to    string
		cause error
	}{
		{"new", store.Placement{Mailbox: limited}, "Work", unix.EIO},
		{"seen", store.Placement{Mailbox: limited, Flags: []store.Flag{store.FlagSeen}}, "Work", unix.EIO},
		{"crash", store.Placement{Mailbox: limited, Folder: "Work"}, "", errPower},
		{"not counted", store.Placement{Mailbox: limited}, "Junk", unix.ENOSPC},
	} {
		t.Run(test.name, func(t *testing.T) {
			for at, more := 1, true; more; at++ {
				if at > 60 {
					t.Fatal("no end of steps")
				}
				more = moveWithFault(t, test.p, test.to, &faults{at: at, err: test.cause, crash: test.cause == errPower})
			}
		})
	}
}

// moveWithFault moves a message, then again if that failed, and says whether the fault was met.
func moveWithFault(t *testing.T, p store.Placement, to string, f *faults) (met bool) {
	dir := t.TempDir()
	s := open(t, dir)
	must(t, deliver(t, s, faultContent, p))
	id := only(t, s, p.Folder).ID
	real := s.fs
	f.into(s)
	err := s.Move(t.Context(), p.Mailbox, p.Folder, id, to)
	s.fs = real
	if err != nil && f.step < f.at {
		t.Errorf("no fault: %v", err)
	}
	if err != nil && messageFiles(t, dir) == 0 {
		t.Fatalf("step %d: the message is lost", f.at)
	}
	if err != nil && exists(t, s, p.Folder, id) {
		must(t, s.Move(t.Context(), p.Mailbox, p.Folder, id, to))
	}
	if n := messageFiles(t, dir); n != 1 {
		t.Errorf("step %d: the message is there %d times", f.at, n)
	}
	if m := only(t, s, to); m.ID != id {
		t.Errorf("step %d: %s became %s", f.at, id, m.ID)
	}
	return f.step >= f.at
}

func only(t *testing.T, s *Store, folder string) store.Message {
	t.Helper()
	list, err := s.Messages(t.Context(), limited, folder)
	if err != nil || len(list) != 1 {
		t.Fatalf("%d messages in %q, %v, want 1", len(list), folder, err)
	}
	return list[0]
}

func exists(t *testing.T, s *Store, folder, id string) bool {
	t.Helper()
	r, err := s.Open(t.Context(), limited, folder, id)
	if err != nil {
		return false
	}
	must(t, r.Close())
	return true
}

// messageFiles counts the files of messages in all folders.
func messageFiles(t *testing.T, dir string) (n int) {
	t.Helper()
	for _, where := range []string{"new", "cur"} {
		for _, folder := range []string{".", ".*"} {
			names, err := filepath.Glob(filepath.Join(dir, "*", "*", folder, where, "*"))
			must(t, err)
			n += len(names)
		}
	}
	return n
}

// Somebody reads the message while it is moved, so that it has another name: it is moved under that one.
func TestMoveWhileRead(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	must(t, deliver(t, s, faultContent, store.Placement{Mailbox: limited}))
	id := only(t, s, "").ID
	real, done := s.fs.linkNamed, false
	s.fs.linkNamed = func(from int, name string, into int, to string) error {
		err := real(from, name, into, to)
		if inbox := filepath.Join(dir, "example.org", "ann"); !done {
			done = true
			must(t, os.Rename(filepath.Join(inbox, "new", name), filepath.Join(inbox, "cur", name+":2,S")))
		}
		return err
	}
	must(t, s.Move(t.Context(), limited, "", id, "Work"))
	if m := only(t, s, "Work"); m.ID != id || len(m.Flags) != 1 || messageFiles(t, dir) != 1 {
		t.Errorf("moved %s: %+v, %d files", id, m, messageFiles(t, dir))
	}
}

// A mailbox is counted anew while messages move in it: nobody waits for ever.
func TestMoveWhileCounted(t *testing.T) {
	s := open(t, t.TempDir())
	defer s.Close()
	must(t, deliver(t, s, faultContent, store.Placement{Mailbox: limited}))
	id := only(t, s, "").ID
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	counted := make(chan error)
	go func() {
		for range 100 {
			if _, err := s.Recount(ctx, limited); err != nil {
				counted <- err
				return
			}
		}
		counted <- nil
	}()
	for i := range 100 {
		folders := []string{"", "Work"}
		must(t, s.Move(ctx, limited, folders[i%2], id, folders[(i+1)%2]))
	}
	must(t, <-counted)
}

// Who goes through a folder after listing it meets what was renamed or removed meanwhile.
func TestListedFilesChange(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	for range 3 {
		must(t, deliver(t, s, faultContent, store.Placement{Mailbox: limited}))
	}
	list, err := s.Messages(t.Context(), limited, "")
	must(t, err)
	inbox := filepath.Join(dir, "example.org", "ann")
	must(t, os.Rename(filepath.Join(inbox, "new", list[0].ID), filepath.Join(inbox, "cur", list[0].ID+":2,F")))
	must(t, os.Remove(filepath.Join(inbox, "new", list[1].ID)))
	must(t, os.Rename(filepath.Join(inbox, "new", list[2].ID), filepath.Join(inbox, "x")), os.Symlink("../x", filepath.Join(inbox, "new", list[2].ID)))
	for i, want := range []bool{true, false, false} {
		if exists(t, s, "", list[i].ID) != want {
			t.Errorf("message %d is there: %v", i, !want)
		}
	}
}
