package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"lmtpd/store"
)

// change lets a test do to a database what only somebody else would.
func change(t *testing.T, s *Store, statement string, args ...any) {
	t.Helper()
	err := writerOf(t, s).change(t.Context(), func(t *tx) error {
		_, err := t.exec("change", statement, args...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// rows counts the rows of a table.
func rows(t *testing.T, s *Store, table string) (n int) {
	t.Helper()
	if err := query(t, s, "SELECT count(*) FROM "+table, nil, &n); err != nil {
		t.Fatal(err)
	}
	return n
}

// A content is there once, whoever it came for and when, and goes with its last copy.
func TestOneContent(t *testing.T) {
	s := openTemp(t)
	large := strings.Repeat("x", 3*maxWhole/2)
	for range 2 {
		deliver(t, s, "small", ann, bob, ann)
		deliver(t, s, large, ann, bob)
	}
	if n := rows(t, s, "content"); n != 2 {
		t.Errorf("%d contents, want 2", n)
	}
	for _, m := range []store.Mailbox{ann, bob} {
		list, err := s.Messages(t.Context(), m, "")
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			if n := rows(t, s, "content"); n == 0 {
				t.Error("a content went before its last copy")
			}
			if err := s.Remove(t.Context(), m, "", one.ID); err != nil {
				t.Error(err)
			}
		}
	}
	for _, table := range []string{"content", "chunk", "copy"} {
		if n := rows(t, s, table); n != 0 {
			t.Errorf("%d rows of %s are left", n, table)
		}
	}
	sound(t, s)
}

// UIDs are never used again, nor are the IDs of messages.
func TestUIDs(t *testing.T) {
	s := openTemp(t)
	seen := map[string]bool{}
	for i := range 3 {
		deliver(t, s, "x", ann)
		var uid int
		if err := query(t, s, "SELECT uid FROM messages WHERE mailbox = ?", []any{ann.Name}, &uid); err != nil || uid != i+1 {
			t.Errorf("UID %d, %v, want %d", uid, err, i+1)
		}
		list, err := s.Messages(t.Context(), ann, "")
		if err != nil || seen[list[0].ID] {
			t.Fatalf("%v, %v: an ID comes again", list, err)
		}
		seen[list[0].ID] = true
		if err := s.Remove(t.Context(), ann, "", list[0].ID); err != nil {
			t.Fatal(err)
		}
	}
}

// The facts of a message are columns.
func TestColumns(t *testing.T) {
	s := openTemp(t)
	to := []store.Placement{{
		Mailbox: ann,
		Folder:  "Lists/Go",
		Flags:   []store.Flag{store.FlagSeen, "$Junk", store.FlagSeen, "no flag"},
		Trace:   []byte("Return-Path: <sender@example.net>\r\nX-Original-To: info@example.org\r\n"),
		Date:    time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC),
	}, {Mailbox: bob}}
	text := "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\nFrom: Ann <ann@example.org>\r\nDate: Thu, 1 Jan 2026 10:00:00 +0200\r\nMessage-ID: <1@x>\r\n\r\nhello\r\n"
	if err := errors.Join(s.Deliver(t.Context(), strings.NewReader(text), to)...); err != nil {
		t.Fatal(err)
	}
	var got [11]string
	into := make([]any, len(got))
	for i := range got {
		into[i] = &got[i]
	}
	err := query(t, s, "SELECT mailbox, folder, uid, date, octets, flags, reverse_path, original_recipient, subject, author, sent || ' ' || message_id FROM messages WHERE mailbox = ?", []any{ann.Name}, into...)
	want := []string{ann.Name, "Lists/Go", "1", "2026-01-02 03:04:05", fmt.Sprint(len(text) + len(to[0].Trace)), `\Seen $Junk`,
		"sender@example.net", "info@example.org", "Grüße", "Ann <ann@example.org>", "2026-01-01 08:00:00 <1@x>"}
	if err != nil || !slices.Equal(got[:], want) {
		t.Errorf("got  %q, %v\nwant %q", got, err, want)
	}
	if got := whole(t, s, ann); got != string(to[0].Trace)+text {
		t.Errorf("whole is %q", got)
	}
	var messages, octets, folders int
	err = query(t, s, "SELECT folders, messages, octets FROM mailboxes WHERE name = ?", []any{bob.Name}, &folders, &messages, &octets)
	if err != nil || folders != 1 || messages != 1 || octets != len(text) {
		t.Errorf("mailboxes: %d, %d, %d, %v", folders, messages, octets, err)
	}
}

// Damage is told, put right as far as it can be, and then gone.
func TestInspect(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "one", ann, bob)
	deliver(t, s, "two", ann)
	deliver(t, s, strings.Repeat("three", chunkSize), bob)
	sound(t, s)
	for what, statement := range map[string]string{
		"counted":                  "UPDATE folder SET messages = messages + 5, octets = octets - 7 WHERE id = 1",
		"size":                     "UPDATE copy SET octets = octets + 1 WHERE id = 1",
		"in no mailbox":            "INSERT INTO content (hash, octets) VALUES (zeroblob(32), 0)",
		"belong to no content":     "INSERT INTO chunk (id, data) VALUES (99999999999, x'00'), (88888888888, x'00')",
		"is not what was received": "UPDATE chunk SET data = x'00' WHERE id = 1 << 16",
	} {
		change(t, s, statement)
		for _, repair := range []store.Repair{store.OnlyTell, store.PutRight} {
			n := 0
			for d, err := range s.Inspect(t.Context(), nil, repair) {
				n++
				if err != nil || !strings.Contains(d.What, what) || d.PutRight != (repair == store.PutRight && what != "is not what was received") {
					t.Errorf("%s: %+v, %v", what, d, err)
				}
			}
			if n != 1 {
				t.Errorf("%s: %d found", what, n)
			}
		}
		if what != "is not what was received" {
			sound(t, s)
			continue
		}
		n := 0
		for d, err := range s.Inspect(t.Context(), &ann, store.OnlyTell) {
			if n++; err != nil || d.Mailbox != ann.Name || d.ID != "1" {
				t.Errorf("of ann: %+v, %v", d, err)
			}
		}
		if n != 1 {
			t.Errorf("of ann: %d found", n)
		}
		change(t, s, "UPDATE chunk SET data = ? WHERE id = 1 << 16", []byte("one"))
	}
	for range s.Inspect(t.Context(), nil, store.OnlyTell) {
		t.Error("there is damage still")
	}
}

// A recount goes on while others deliver, and is right at the end.
func TestRecount(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "one", ann)
	change(t, s, "UPDATE folder SET messages = 77, octets = -5")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 10 {
				deliver(t, s, "two", ann)
			}
		})
		all.Go(func() {
			if _, err := s.Recount(t.Context(), ann); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	u, err := s.Recount(t.Context(), ann)
	if want := (store.Usage{Messages: 41, Octets: 41 * 3}); err != nil || u != want {
		t.Errorf("%+v, %v, want %+v", u, err, want)
	}
}

// What was written ahead for a delivery that never came about is swept when it is old enough.
func TestSweep(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "one", ann)
	for _, age := range []time.Duration{time.Hour, 35 * time.Hour, 37 * time.Hour, 99 * time.Hour} {
		change(t, s, "INSERT INTO content (octets, begun) VALUES (5, ?)", time.Now().Add(-age).Unix())
		change(t, s, "INSERT INTO chunk (id, data) SELECT max(id) << 16, x'00' FROM content")
	}
	if n, err := s.Sweep(t.Context()); n != 2 || err != nil {
		t.Errorf("swept %d, %v, want 2", n, err)
	}
	if n := rows(t, s, "chunk"); n != 3 {
		t.Errorf("%d chunks are left, want 3", n)
	}
	if got := texts(t, s, ann, ""); len(got) != 1 {
		t.Errorf("ann has %q", got)
	}
}

// A delivery that is given up while it is written ahead leaves nothing.
func TestGivenUpAhead(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "one", ann)
	ctx, cancel := context.WithCancel(t.Context())
	parts := 0
	s.fault = func(step string) error {
		if step == "commit" {
			if parts++; parts == 2 {
				cancel()
			}
		}
		return nil
	}
	err := s.Deliver(ctx, strings.NewReader(strings.Repeat("x", 4*maxWhole)), []store.Placement{{Mailbox: ann}})[0]
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	s.running.Wait()
	deliver(t, s, "two", ann) // comes after whatever was taken back
	if n := rows(t, s, "content"); n != 2 {
		t.Errorf("%d contents, want 2", n)
	}
	sound(t, s)
}

// A backup is the store at one moment, in a new file; what is removed later is in it still.
func TestBackup(t *testing.T) {
	for name, file := range map[string]string{"one": "mail.db", "by domain": "%d.db"} {
		t.Run(name, func(t *testing.T) {
			s := open(t, filepath.Join(t.TempDir(), file))
			defer s.Close()
			deliver(t, s, "one", ann, store.Mailbox{Name: "carl@example.net"})
			to := filepath.Join(t.TempDir(), "backup")
			if err := s.Backup(t.Context(), to); err != nil {
				t.Fatal(err)
			}
			if err := s.Backup(t.Context(), to); !errors.Is(err, fs.ErrExist) {
				t.Errorf("over a backup: %v", err)
			}
			deliver(t, s, "two", ann)
			template := to
			if file != "mail.db" {
				template = filepath.Join(to, file)
			}
			b := open(t, template)
			defer b.Close()
			for _, m := range []string{ann.Name, "carl@example.net"} {
				if got := texts(t, b, store.Mailbox{Name: m}, ""); !slices.Equal(got, []string{"one"}) {
					t.Errorf("%s has %q in the backup", m, got)
				}
			}
			sound(t, b)
			deliver(t, b, "three", ann)
		})
	}
}

// Vacuum gives the disk back what removed messages took.
func TestVacuum(t *testing.T) {
	s := openTemp(t)
	deliver(t, s, "one", ann)
	deliver(t, s, strings.Repeat("x", 8<<20), bob)
	list, err := s.Messages(t.Context(), bob, "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(t.Context(), bob, "", list[0].ID); err != nil {
		t.Fatal(err)
	}
	n, err := s.Vacuum(t.Context())
	if err != nil || n < 8<<20 {
		t.Errorf("gave back %d, %v", n, err)
	}
	if info, err := os.Stat(s.template.Root()); err != nil || info.Size() > 1<<20 {
		t.Errorf("the file has %d octets, %v", info.Size(), err)
	}
	if n, err := s.Vacuum(t.Context()); n != 0 || err != nil {
		t.Errorf("again: %d, %v", n, err)
	}
	sound(t, s)
}
