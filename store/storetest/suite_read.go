package storetest

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"lmtpd/store"
)

func (s *suite) order() {
	for i := range 12 {
		s.deliver(fmt.Sprintf("%d\r\n", i), store.Placement{Mailbox: ann})
	}
	for i, m := range s.list(ann, "") {
		if got, want := s.read(ann, m), fmt.Sprintf("%d\r\n", i); got != want {
			s.Errorf("message %d is %q", i, got)
		}
		if m.Date.IsZero() {
			s.Errorf("message %d has no date", i)
		}
	}
}

// dates has messages come with dates of their own, which order them and stay to the second.
func (s *suite) dates() {
	days := []time.Time{
		time.Date(2026, 2, 28, 23, 59, 59, 0, time.UTC), time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC), {},
		time.Date(1970, 1, 1, 0, 0, 1, 0, time.UTC), time.Date(2020, 5, 4, 3, 2, 1, 987654321, time.FixedZone("", 3*3600)),
	}
	for i, day := range days {
		flags := []store.Flag{store.FlagSeen}[:i%2]
		s.deliver(fmt.Sprintf("%d\r\n", i), store.Placement{Mailbox: ann, Folder: "Old", Date: day, Flags: flags})
	}
	list := s.list(ann, "Old")
	if len(list) != len(days) {
		s.Fatalf("%d messages, want %d", len(list), len(days))
	}
	for i, n := range []int{3, 1, 4, 0, 2} {
		if got, want := s.read(ann, list[i]), fmt.Sprintf("%d\r\n", n); got != want {
			s.Errorf("message %d by its date is %q, want %q", i, got, want)
		}
		if !days[n].IsZero() && list[i].Date.Unix() != days[n].Unix() {
			s.Errorf("message of %v has the date %v", days[n], list[i].Date)
		}
	}
}

func (s *suite) usage(want ...string) {
	s.Helper()
	u, err := s.Usage(s.Context(), ann)
	octets := len(strings.Join(want, ""))
	if err != nil || u.Messages != int64(len(want)) || u.Octets != int64(octets) {
		s.Errorf("Usage: %+v, %v, want %d messages of %d octets", u, err, len(want), octets)
	}
}

// change takes a message through its life: what the readers say must agree at every step.
func (s *suite) change() {
	const first, second = "a\r\n", "Subject: b\r\n\r\nb\rb\r\n"
	s.deliver(first, store.Placement{Mailbox: ann})
	s.deliver(second, store.Placement{Mailbox: ann, Folder: "Work"})
	s.usage(first, second)
	for _, flags := range [][]store.Flag{{store.FlagSeen, store.FlagFlagged}, {store.FlagAnswered}, nil, {store.FlagDeleted}} {
		before := s.one(ann, "Work")
		if err := s.SetFlags(s.Context(), ann, "Work", before.ID, flags); err != nil {
			s.Fatalf("SetFlags %q: %v", flags, err)
		}
		after := s.one(ann, "Work")
		if after.ID != before.ID || !after.Date.Equal(before.Date) {
			s.Errorf("SetFlags %q made %+v of %+v", flags, after, before)
		}
		s.sameFlags(after, flags)
		if got := s.read(ann, after); got != second {
			s.Errorf("after SetFlags it reads %q", got)
		}
	}
	s.usage(first, second)
	id := s.one(ann, "Work").ID
	if err := s.Remove(s.Context(), ann, "Work", id); err != nil {
		s.Fatalf("Remove: %v", err)
	}
	s.usage(first)
	s.gone("Work", id)
	s.one(ann, "")
}

// gone says that every operation on a message tells that it is not there.
func (s *suite) gone(folder, id string) {
	s.Helper()
	_, open := s.Open(s.Context(), ann, folder, id)
	flags := s.SetFlags(s.Context(), ann, folder, id, nil)
	for _, err := range []error{open, flags, s.Remove(s.Context(), ann, folder, id)} {
		if !errors.Is(err, store.ErrNoMessage) {
			s.Errorf("message %q in %q: %v, want ErrNoMessage", id, folder, err)
		}
	}
}

func (s *suite) nothingThere() {
	_, list := s.Messages(s.Context(), ann, "")
	_, folders := s.Folders(s.Context(), ann)
	_, usage := s.Usage(s.Context(), ann)
	_, open := s.Open(s.Context(), ann, "", "1")
	flags := s.SetFlags(s.Context(), ann, "", "1", nil)
	for _, err := range []error{list, folders, usage, open, flags, s.Remove(s.Context(), ann, "", "1")} {
		if !errors.Is(err, store.ErrNoMailbox) {
			s.Errorf("mailbox that is not there: %v, want ErrNoMailbox", err)
		}
	}
	s.deliver("x\r\n", store.Placement{Mailbox: ann})
	if _, err := s.Messages(s.Context(), ann, "Work"); !errors.Is(err, store.ErrNoFolder) {
		s.Errorf("folder that is not there: %v, want ErrNoFolder", err)
	}
	for _, id := range []string{"", "no-such-id", "../x", "cur", "/", ":2,S", "\x00"} {
		s.gone("", id)
	}
}

func (s *suite) checkMakesNothing() {
	for _, size := range []int64{0, 1000} {
		if err := s.Check(s.Context(), ann, store.Usage{Octets: size}); err != nil {
			s.Errorf("Check of a mailbox to be made: %v", err)
		}
	}
	for name := range s.Mailboxes(s.Context()) {
		s.Errorf("mailbox %q was made", name)
	}
	s.deliver("x\r\n", store.Placement{Mailbox: ann})
	if err := s.Check(s.Context(), ann, store.Usage{Messages: 1, Octets: 1000}); err != nil {
		s.Errorf("Check: %v", err)
	}
}

func (s *suite) mailboxes() {
	want := []string{ann.Name, "bøb@example.net", "x y@xn--80ak6aa92e.example"}
	for _, mailbox := range want {
		s.deliver("x\r\n", store.Placement{Mailbox: store.Mailbox{Name: mailbox}})
	}
	var got []string
	for name, err := range s.Mailboxes(s.Context()) {
		if err != nil {
			s.Fatalf("Mailboxes: %v", err)
		}
		got = append(got, name)
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		s.Errorf("Mailboxes: %q, want %q", got, want)
	}
	for range s.Mailboxes(s.Context()) {
		break // must stop
	}
}

// identity tells mailboxes apart, and not the spellings of one.
func (s *suite) identity() {
	i, ok := s.Store.(store.Identifier)
	if !ok {
		s.Skip("a mailbox of this store has one name")
	}
	names := map[string]string{}
	for _, name := range []string{ann.Name, bob.Name, "ann@example.net", "ann@EXAMPLE.org"} {
		id, err := i.Identity(store.Mailbox{Name: name})
		if err != nil {
			s.Fatalf("Identity: %v", err)
		}
		if other, there := names[id]; there != (name == "ann@EXAMPLE.org") {
			s.Errorf("%s and %s are both %s: %v", name, other, id, there)
		}
		names[id] = name
	}
	if id, err := i.Identity(store.Mailbox{Name: "../x@example.org"}); !errors.Is(err, store.ErrNoMailbox) {
		s.Errorf("Identity of a mailbox that may not be: %s, %v", id, err)
	}
}
