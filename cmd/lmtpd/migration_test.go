package main_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
	"lmtpd/store/maildir"
)

// mailOfAllKinds puts mail into folders of several mailboxes, of every form, with flags, keywords and dates of their own.
func mailOfAllKinds(t *testing.T, s store.Store) (messages int) {
	t.Helper()
	texts := []string{"", "x", "no end", "\r\n\r\n", "Subject: \xff\x00\r\nbare \r and \r\r\n", "From here\r\n>From there\r\n.\r\n..\r\n", "no field\r\n: \r\n folded\r\n\r\n"}
	day := time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)
	for n := range 40 {
		text := string(letter(fmt.Sprint("migrated-", n), 500*n))
		if n < len(texts) {
			text = texts[n]
		}
		var to []store.Placement
		for i, name := range []string{"ann", "größe", `"a b"`} {
			for j, folder := range []string{"", "Archive/Größe", "Work/日本語/🙂"} {
				flags := []store.Flag{store.FlagSeen, store.FlagFlagged, "$Label1", store.FlagAnswered, "work"}[:(n+i+j)%6]
				to = append(to, store.Placement{Mailbox: store.Mailbox{Name: name + "@example.org"}, Folder: folder, Flags: flags, Date: day.AddDate(0, 0, n/2)})
			}
		}
		if err := errors.Join(s.Deliver(t.Context(), strings.NewReader(text), to)...); err != nil {
			t.Fatal(err)
		}
		messages += len(to)
	}
	subscribed := []string{"Archive/Größe", "not there"}
	if err := s.(store.Subscriber).SetSubscriptions(t.Context(), store.Mailbox{Name: "ann@example.org"}, subscribed); err != nil {
		t.Fatal(err)
	}
	return messages
}

// inventory describes all that is in a store.
func inventory(t *testing.T, s store.Store) (all []string) {
	t.Helper()
	for name, err := range s.Mailboxes(t.Context()) {
		m := store.Mailbox{Name: name}
		folders, e := s.Folders(t.Context(), m)
		subscribed, e2 := s.(store.Subscriber).Subscriptions(t.Context(), m)
		if err := errors.Join(err, e, e2); err != nil {
			t.Fatal(err)
		}
		all = append(all, fmt.Sprintf("%s folders %q subscriptions %q", name, folders, subscribed))
		for _, folder := range append(folders, "") {
			list, err := s.Messages(t.Context(), m, folder)
			if err != nil {
				t.Fatal(err)
			}
			for _, one := range list {
				r, err := s.Open(t.Context(), m, folder, one.ID)
				if err != nil {
					t.Fatal(err)
				}
				text, err := io.ReadAll(r)
				if err := errors.Join(err, r.Close()); err != nil {
					t.Fatal(err)
				}
				slices.Sort(one.Flags)
				all = append(all, fmt.Sprintf("%s %q %d %q %q", name, folder, one.Date.Unix(), one.Flags, text))
			}
		}
	}
	slices.Sort(all)
	return all
}

// A store of maildirs goes to a database and back with octets, folders, subscriptions, flags and dates, and whoever kills it on its
// way, again and again, finds nothing twice when it has been run to its end.
func TestMigrationKilled(t *testing.T) {
	d := newDaemon(t)
	first := openMaildirs(t, d)
	messages := mailOfAllKinds(t, first)
	chownMail(t, d.root)
	want := inventory(t, first)

	place := filepath.Join(d.dir, "place")
	mkdirOwned(t, place)
	file, back := filepath.Join(place, "mail.db"), filepath.Join(place, "back")
	here, there := "maildir:"+d.root+"/%d/%n", "sqlite:"+file
	kills := d.copyKilled(t, []string{here, there}, database{file, "example.org"}, file+"-wal", messages)
	kills += d.copyKilled(t, []string{there, "maildir:" + back + "/%d/%n"}, maildirs{filepath.Join(back, "example.org")}, back, messages)
	t.Logf("%d messages, killed %d times", messages, kills)
	if kills == 0 {
		t.Error("it was never killed on its way")
	}

	between := database{file, "example.org"}.open(t)
	defer between.Close()
	template, err := store.ParseTemplate(back + "/%d/%n")
	if err != nil {
		t.Fatal(err)
	}
	last, err := maildir.Open(maildir.Config{Template: template})
	if err != nil {
		t.Fatal(err)
	}
	defer last.Close()
	for name, s := range map[string]store.Store{"database": between, "maildirs": last} {
		if got := inventory(t, s); !slices.Equal(got, want) {
			t.Errorf("%s: got %d\n%s\nwant %d\n%s", name, len(got), strings.Join(got, "\n"), len(want), strings.Join(want, "\n"))
		}
	}
}

// copyKilled copies one store into another and kills it when a part of all messages has come, a larger one each time; then it runs
// to its end. It returns how often that was before the end.
func (d *daemon) copyKilled(t *testing.T, stores []string, into shelf, made string, messages int) (kills int) {
	t.Helper()
	args := append([]string{"mailbox", "copy", "--domain", "example.org"}, stores...)
	for part := range 5 {
		c := startChild(t, d.command(args...))
		known := map[string]receipt{}
		for arrived := 0; arrived <= part*messages/5 && !c.hasEnded(); {
			if _, err := os.Stat(made); err != nil { // looking must not make it
				continue
			}
			all := into.visible(t, known)
			for _, f := range all {
				known[f.path] = receipt{}
			}
			arrived = len(all)
		}
		c.kill(t)
		if c.wait(t) == -1 {
			kills++
		}
		ageLocks(t, filepath.Dir(made))
	}
	d.run(t, args...)
	return kills
}

// ageLocks makes the lock files of maildirs, which a kill leaves behind, as old as they are some minutes later: nobody's.
func ageLocks(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, _ os.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(path, ".lock") {
			return err
		}
		then := time.Now().Add(-time.Hour)
		return os.Chtimes(path, then, then)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (c *child) hasEnded() bool {
	select {
	case <-c.ended:
		return true
	default:
		return false
	}
}
