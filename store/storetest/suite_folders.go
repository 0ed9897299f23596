package storetest

import (
	"errors"
	"slices"
	"strings"

	"lmtpd/store"
)

// makeFolder makes folders, the mailbox with the first, and again without a change.
func (s *suite) makeFolder() {
	want := []string{"Archive/2026", "Entwürfe", "Work"}
	for range 2 {
		for _, folder := range append([]string{"", "inbox"}, want...) {
			if err := s.MakeFolder(s.Context(), ann, folder); err != nil {
				s.Fatalf("MakeFolder %q: %v", folder, err)
			}
		}
		got, err := s.Folders(s.Context(), ann)
		if err != nil || !slices.Equal(got, want) {
			s.Errorf("Folders: %q, %v, want %q", got, err, want)
		}
		s.deliver("x\r\n", store.Placement{Mailbox: ann, Folder: "Work"})
	}
	if n := len(s.list(ann, "Work")); n != 2 {
		s.Errorf("%d messages in Work, want 2", n)
	}
	s.usage("x\r\n", "x\r\n")
	for _, folder := range []string{"a//b", "..", "a/../b", ".a", "a\x00", "\xff", strings.Repeat("a", 300)} {
		if err := s.MakeFolder(s.Context(), ann, folder); !errors.Is(err, store.ErrNoFolder) {
			s.Errorf("MakeFolder %.40q: %v, want ErrNoFolder", folder, err)
		}
	}
	if err := s.MakeFolder(s.Context(), store.Mailbox{Name: "../x@example.org"}, ""); !errors.Is(err, store.ErrNoMailbox) {
		s.Errorf("MakeFolder of a mailbox that may not be: %v, want ErrNoMailbox", err)
	}
}

// move takes messages from folder to folder; all they are stays.
func (s *suite) move() {
	const text = "Subject: b\r\n\r\nb\rb\r\n"
	for _, flags := range [][]store.Flag{nil, {store.FlagSeen, store.FlagFlagged}} {
		s.deliver(text, store.Placement{Mailbox: ann, Flags: flags})
		was := s.one(ann, "")
		from := ""
		for _, to := range []string{"Work", "Work", "Work/Süb", "inbox", "Work"} {
			if err := s.Move(s.Context(), ann, from, was.ID, to); err != nil {
				s.Fatalf("Move from %q to %q: %v", from, to, err)
			}
			if to == "inbox" {
				to = ""
			}
			now := s.one(ann, to)
			if now.ID != was.ID || !now.Date.Equal(was.Date) || now.Folder != to || s.read(ann, now) != text {
				s.Errorf("Move from %q to %q made %+v of %+v", from, to, now, was)
			}
			s.sameFlags(now, flags)
			s.usage(text)
			from = to
		}
		s.gone("", was.ID)
		if err := s.Remove(s.Context(), ann, "Work", was.ID); err != nil {
			s.Fatalf("Remove: %v", err)
		}
	}
	s.deliver(text, store.Placement{Mailbox: ann})
	id := s.one(ann, "").ID
	for _, test := range []struct {
		from, id, to string
		want         error
	}{
		{"", "no-such-id", "Work", store.ErrNoMessage}, {"Play", id, "Work", store.ErrNoFolder}, {"", id, "a//b", store.ErrNoFolder},
		{"", id, "../x", store.ErrNoFolder}, {"", id, "\xff", store.ErrNoFolder}, {"", "../" + id, "Work", store.ErrNoMessage},
	} {
		if err := s.Move(s.Context(), ann, test.from, test.id, test.to); !errors.Is(err, test.want) {
			s.Errorf("Move %q from %q to %q: %v, want %v", test.id, test.from, test.to, err, test.want)
		}
	}
	s.one(ann, "")
	if err := s.Move(s.Context(), bob, "", id, "Work"); !errors.Is(err, store.ErrNoMailbox) {
		s.Errorf("Move in a mailbox that is not there: %v, want ErrNoMailbox", err)
	}
}

// moveCounts moves messages into folders that do not count, and out of them.
func (s *suite) moveCounts() {
	s.deliver("in\r\n", store.Placement{Mailbox: limited})
	s.deliver("too\r\n", store.Placement{Mailbox: limited, Folder: "Work"})
	s.counts(limited, "in\r\n", "too\r\n")
	id := s.one(limited, "").ID
	for _, step := range []struct {
		from, to string
		want     []string
	}{
		{"", "Work/Sub", []string{"in\r\n", "too\r\n"}}, {"Work/Sub", "Junk", []string{"too\r\n"}},
		{"Junk", "Junk/Sub", []string{"too\r\n"}}, {"Junk/Sub", "", []string{"in\r\n", "too\r\n"}},
	} {
		if err := s.Move(s.Context(), limited, step.from, id, step.to); err != nil {
			s.Fatalf("Move from %q to %q: %v", step.from, step.to, err)
		}
		s.counts(limited, step.want...)
	}
}

// subscriptions are what stores may keep.
func (s *suite) subscriptions() {
	sub, ok := s.Store.(store.Subscriber)
	if !ok {
		s.Skip("this store keeps no subscriptions")
	}
	if _, err := sub.Subscriptions(s.Context(), ann); !errors.Is(err, store.ErrNoMailbox) {
		s.Errorf("Subscriptions of a mailbox that is not there: %v, want ErrNoMailbox", err)
	}
	s.deliver("x\r\n", store.Placement{Mailbox: ann}, store.Placement{Mailbox: ann, Folder: "Work"})
	if err := s.MakeFolder(s.Context(), ann, "Entwürfe/Alte"); err != nil {
		s.Fatalf("MakeFolder: %v", err)
	}
	s.subscribed(sub, "Entwürfe/Alte", "Work")
	if err := sub.SetSubscriptions(s.Context(), ann, []string{"Work", "", "Not there", "a", "Work"}); err != nil {
		s.Fatalf("SetSubscriptions: %v", err)
	}
	s.subscribed(sub, "Not there", "Work", "a")
	s.deliver("x\r\n", store.Placement{Mailbox: ann, Folder: "Entwürfe/Alte"}, store.Placement{Mailbox: ann, Folder: "New"})
	s.subscribed(sub, "New", "Not there", "Work", "a")
	if err := sub.SetSubscriptions(s.Context(), ann, []string{"b", "x//y"}); !errors.Is(err, store.ErrNoFolder) {
		s.Errorf("SetSubscriptions with a bad name: %v, want ErrNoFolder", err)
	}
	s.subscribed(sub, "New", "Not there", "Work", "a")
	if err := sub.SetSubscriptions(s.Context(), ann, nil); err != nil {
		s.Fatalf("SetSubscriptions: %v", err)
	}
	s.subscribed(sub)
}

func (s *suite) subscribed(sub store.Subscriber, want ...string) {
	s.Helper()
	if got, err := sub.Subscriptions(s.Context(), ann); err != nil || !slices.Equal(got, want) {
		s.Errorf("Subscriptions: %q, %v, want %q", got, err, want)
	}
}
