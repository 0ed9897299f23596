package storetest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"lmtpd/store"
)

func (s *suite) content() {
	head := "Subject: x\r\n\r\n"
	for _, test := range []struct{ name, text string }{
		{"nothing", ""},
		{"one octet", "x"},
		{"one line", "Subject: x\r\n"},
		{"no last line end", head + "x"},
		{"dots", head + ".\r\n..\r\n"},
		{"8 bit and NUL", head + "\x00\xff\xfe caf\xc3\xa9\r\n"},
		{"bare CR", head + "a\rb\r\rc\r"},
		{"bare LF", head + "a\nb\n\nc\n"},
		{"CR CR LF", head + "a\r\r\nb\r\r\r\n\r\n"},
		{"LF CR", head + "a\n\rb\r\n\n\r\n"},
		{"only line ends", strings.Repeat("\r\n", 40_000)},
		{"only CR", strings.Repeat("\r", 300_000)},
		{"long line", head + strings.Repeat("y", 1<<20) + "\r\n"},
		{"every length of line", everyLength()},
		{"20 MB", head + strings.Repeat(strings.Repeat("z", 70)+"\r\n", 20<<20/72)},
	} {
		mailbox := fmt.Sprintf("m%d@example.org", len(test.text))
		s.deliver(test.text, store.Placement{Mailbox: store.Mailbox{Name: mailbox}})
		got := s.read(store.Mailbox{Name: mailbox}, s.one(store.Mailbox{Name: mailbox}, ""))
		if exact, lines := readBack(test.text); got != exact && got != lines {
			s.Errorf("%s: %d octets came back as %d others", test.name, len(test.text), len(got))
		}
		s.Remove(s.Context(), store.Mailbox{Name: mailbox}, "", s.one(store.Mailbox{Name: mailbox}, "").ID)
	}
}

// everyLength has line ends at all distances, so that some lie across the borders of any block.
func everyLength() string {
	var b strings.Builder
	for n := range 1500 {
		b.WriteString(strings.Repeat("l", n) + "\r\n")
	}
	return b.String()
}

func (s *suite) trace() {
	to := []store.Placement{
		{Mailbox: ann, Trace: []byte("Delivered-To: ann@example.org\r\n")},
		{Mailbox: bob, Trace: []byte("Delivered-To: bob@example.org\r\nX: " + strings.Repeat("t", 100_000) + "\r\n")},
	}
	s.deliver("Subject: x\r\n\r\nhello\r\n", to...)
	for _, p := range to {
		if got, want := s.read(p.Mailbox, s.one(p.Mailbox, "")), string(p.Trace)+"Subject: x\r\n\r\nhello\r\n"; got != want {
			s.Errorf("%s has %.80q, want %.80q", p.Mailbox, got, want)
		}
	}
}

func (s *suite) flags() {
	for i, flags := range [][]store.Flag{
		nil,
		{store.FlagSeen},
		{store.FlagSeen, store.FlagFlagged, store.FlagAnswered, store.FlagDraft, store.FlagDeleted, store.FlagPassed},
	} {
		folder := fmt.Sprintf("f%d", i)
		s.deliver("x\r\n", store.Placement{Mailbox: ann, Folder: folder, Flags: flags})
		s.sameFlags(s.one(ann, folder), flags)
	}
}

// keywords stay with a message in whatever folder it is.
func (s *suite) keywords() {
	flags := []store.Flag{"work", store.FlagSeen, "$Label1", "NonJunk"}
	s.deliver("x\r\n", store.Placement{Mailbox: ann, Folder: "Work", Flags: []store.Flag{"other", "NonJunk"}})
	s.deliver("x\r\n", store.Placement{Mailbox: ann, Flags: flags})
	one := s.one(ann, "")
	s.sameFlags(one, flags)
	id := s.one(ann, "Work").ID
	if err := s.Move(s.Context(), ann, "", one.ID, "Work"); err != nil {
		s.Fatalf("Move: %v", err)
	}
	for _, m := range s.list(ann, "Work") {
		if m.ID == id {
			s.sameFlags(m, []store.Flag{"other", "NonJunk"})
		} else {
			s.sameFlags(m, flags)
		}
	}
	for _, flags := range [][]store.Flag{{"other"}, {"new", store.FlagPassed}, nil} {
		if err := s.SetFlags(s.Context(), ann, "Work", id, flags); err != nil {
			s.Fatalf("SetFlags: %v", err)
		}
		for _, m := range s.list(ann, "Work") {
			if m.ID == id {
				s.sameFlags(m, flags)
			}
		}
	}
}

func (s *suite) sameFlags(m store.Message, want []store.Flag) {
	s.Helper()
	if got, want := slices.Sorted(slices.Values(m.Flags)), slices.Sorted(slices.Values(want)); !slices.Equal(got, want) {
		s.Errorf("flags %q, want %q", got, want)
	}
}

func (s *suite) folders() {
	names := []string{"Archive/2026", "Entwürfe & Ähnliches", "Work", "Work/日本語/🙂", "a&b-", "~peter/mail"}
	for _, folder := range names {
		s.deliver("Subject: "+folder+"\r\n", store.Placement{Mailbox: ann, Folder: folder})
		s.deliver("again\r\n", store.Placement{Mailbox: ann, Folder: folder})
		if n := len(s.list(ann, folder)); n != 2 {
			s.Errorf("%d messages in %q, want 2", n, folder)
		}
		if m := s.list(ann, folder)[0]; m.Folder != folder {
			s.Errorf("message of %q says it is in %q", folder, m.Folder)
		}
	}
	s.deliver("x\r\n", store.Placement{Mailbox: ann, Folder: "inbox"})
	s.one(ann, "")
	got, err := s.Folders(s.Context(), ann)
	if err != nil || !slices.Equal(got, names) {
		s.Errorf("Folders: %q, %v, want %q", got, err, names)
	}
}

// missingFolder has a message go to INBOX, or to the folder if that is there, and say where it went.
func (s *suite) missingFolder() {
	s.deliver("x\r\n", store.Placement{Mailbox: ann, Folder: "Work"})
	to := []store.Placement{
		{Mailbox: ann, Folder: "Work", Missing: store.UseInbox}, {Mailbox: ann, Folder: "Play", Missing: store.UseInbox},
		{Mailbox: bob, Folder: "Work", Missing: store.UseInbox}, {Mailbox: bob, Folder: "a//b", Missing: store.UseInbox},
		{Mailbox: bob, Folder: "../x", Missing: store.MakeOrInbox}, {Mailbox: ann, Folder: "New", Missing: store.MakeOrInbox},
	}
	s.deliver("x\r\n", to...)
	for i, want := range []string{"Work", "", "", "", "", "New"} {
		if to[i].Folder != want {
			s.Errorf("%s: went to %q, want %q", to[i].Mailbox, to[i].Folder, want)
		}
	}
	if n := len(s.list(ann, "Work")); n != 2 {
		s.Errorf("%d messages in Work, want 2", n)
	}
	s.one(ann, "")
	s.one(ann, "New")
	if n := len(s.list(bob, "")); n != 3 {
		s.Errorf("%d messages in bob's INBOX, want 3", n)
	}
	if folders, err := s.Folders(s.Context(), bob); err != nil || len(folders) > 0 {
		s.Errorf("bob has %q (%v), want no folder", folders, err)
	}
}

func (s *suite) mixed() {
	to := []store.Placement{
		{Mailbox: ann}, {Mailbox: store.Mailbox{Name: "../etc@example.org"}}, {Mailbox: bob, Folder: "a//b"}, {Mailbox: bob}, {Mailbox: store.Mailbox{Name: "nobody"}},
		{Mailbox: ann, Folder: "Work"},
	}
	want := []error{nil, store.ErrNoMailbox, store.ErrNoFolder, nil, store.ErrNoMailbox, nil}
	errs := s.Deliver(s.Context(), strings.NewReader("x\r\n"), to)
	if len(errs) != len(to) {
		s.Fatalf("%d errors for %d placements", len(errs), len(to))
	}
	for i, err := range errs {
		if !errors.Is(err, want[i]) {
			s.Errorf("placement %d: %v, want %v", i, err, want[i])
		}
	}
	s.one(ann, "")
	s.one(bob, "")
	s.one(ann, "Work")
}

func (s *suite) duplicates() {
	s.deliver("x\r\n", store.Placement{Mailbox: ann}, store.Placement{Mailbox: ann}, store.Placement{Mailbox: store.Mailbox{Name: "ann@EXAMPLE.org"}})
	list := s.list(ann, "")
	if len(list) != 3 {
		s.Fatalf("%d messages, want 3", len(list))
	}
	if list[0].ID == list[1].ID || list[1].ID == list[2].ID || list[0].ID == list[2].ID {
		s.Errorf("messages share an id: %q %q %q", list[0].ID, list[1].ID, list[2].ID)
	}
}

func (s *suite) hostileMailboxes() {
	for _, mailbox := range []string{
		"", "@", "ann", "ann@", "@example.org", "../ann@example.org", "..@example.org", "ann@..", ".@example.org", ".ann@example.org",
		"ann@.example", "a/b@example.org", "ann@a/b", "/@example.org", "a\x00b@example.org", "a\nb@example.org", "ann@\x7f",
		"\xff@example.org", "ann@\xff", "a\u0085b@example.org", strings.Repeat("a", 300) + "@example.org",
		"ann@" + strings.Repeat("a", 300),
	} {
		errs := s.Deliver(s.Context(), strings.NewReader("x\r\n"), []store.Placement{{Mailbox: store.Mailbox{Name: mailbox}}})
		_, messages := s.Messages(s.Context(), store.Mailbox{Name: mailbox}, "")
		_, usage := s.Usage(s.Context(), store.Mailbox{Name: mailbox})
		for _, err := range []error{s.Check(s.Context(), store.Mailbox{Name: mailbox}, store.Usage{}), errs[0], messages, usage} {
			if !errors.Is(err, store.ErrNoMailbox) {
				s.Errorf("%.40q: %v, want ErrNoMailbox", mailbox, err)
			}
		}
	}
	for name := range s.Mailboxes(s.Context()) {
		s.Errorf("mailbox %q was made", name)
	}
}

func (s *suite) hostileFolders() {
	s.deliver("x\r\n", store.Placement{Mailbox: ann})
	for _, folder := range []string{
		"/", "//", "a/", "/a", "a//b", ".", "..", "../x", "a/../b", "a/..", ".hidden", "a/.b", "a\x00b", "a\nb", "a\tb", "\x7f", "\xff",
		strings.Repeat("a", 300), strings.Repeat("a/", 140) + "a",
	} {
		errs := s.Deliver(s.Context(), strings.NewReader("x\r\n"), []store.Placement{{Mailbox: ann, Folder: folder}})
		_, messages := s.Messages(s.Context(), ann, folder)
		for _, err := range []error{errs[0], messages} {
			if !errors.Is(err, store.ErrNoFolder) {
				s.Errorf("%.40q: %v, want ErrNoFolder", folder, err)
			}
		}
	}
	if folders, err := s.Folders(s.Context(), ann); err != nil || len(folders) > 0 {
		s.Errorf("Folders: %q, %v, want none", folders, err)
	}
}

// broken is content that cannot be read to its end.
type broken struct{ io.ReaderAt }

func (broken) Size() int64 { return 100_000 }

func (s *suite) shortContent() {
	c := broken{strings.NewReader(strings.Repeat("x\r\n", 20_000))}
	for i, err := range s.Deliver(s.Context(), c, []store.Placement{{Mailbox: ann}, {Mailbox: bob, Folder: "Work"}}) {
		if err == nil {
			s.Errorf("placement %d of content that ends early: no error", i)
		}
	}
	s.empty(ann)
	s.empty(bob)
}

func (s *suite) cancelled() {
	ctx, cancel := context.WithCancel(s.Context())
	cancel()
	for i, err := range s.Deliver(ctx, strings.NewReader("x\r\n"), []store.Placement{{Mailbox: ann}, {Mailbox: bob}, {Mailbox: ann}}) {
		if !errors.Is(err, context.Canceled) {
			s.Errorf("placement %d: %v, want context.Canceled", i, err)
		}
	}
	s.empty(ann)
	s.empty(bob)
	if err := s.Check(ctx, ann, store.Usage{}); !errors.Is(err, context.Canceled) {
		s.Errorf("Check: %v, want context.Canceled", err)
	}
}

func (s *suite) concurrent() {
	const senders, each = 8, 10
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range each {
				to := []store.Placement{{Mailbox: ann}, {Mailbox: bob, Folder: "Work"}, {Mailbox: bob, Flags: []store.Flag{store.FlagSeen}}}
				for _, err := range s.Deliver(s.Context(), strings.NewReader("Subject: x\r\n\r\nhello\r\n"), to) {
					if err != nil {
						s.Errorf("Deliver: %v", err)
					}
				}
			}
		})
	}
	wg.Wait()
	for _, p := range []store.Placement{{Mailbox: ann}, {Mailbox: bob, Folder: "Work"}, {Mailbox: bob}} {
		if n := len(s.list(p.Mailbox, p.Folder)); n != senders*each {
			s.Errorf("%d messages in %s %q, want %d", n, p.Mailbox, p.Folder, senders*each)
		}
	}
}
