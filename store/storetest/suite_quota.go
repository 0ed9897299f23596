package storetest

import (
	"errors"
	"strings"

	"lmtpd/store"
)

// limited is ann's mailbox with a quota.
var limited = store.Mailbox{Name: ann.Name, Quota: store.Quota{
	Usage:  store.Usage{Messages: 4, Octets: 1000},
	Ignore: []string{"Junk", "Old/Junk"},
}}

// counts says what a limited mailbox holds: octets with CRLF line ends, or as a store of files with LF line ends has them.
func (s *suite) counts(mailbox store.Mailbox, want ...string) {
	s.Helper()
	all := strings.Join(want, "")
	n, wire, disk := int64(len(want)), int64(len(all)), int64(len(strings.ReplaceAll(all, "\r\n", "\n")))
	u, err := s.Usage(s.Context(), mailbox)
	if err != nil || u.Messages != n || u.Octets != wire && u.Octets != disk {
		s.Errorf("Usage: %+v, %v, want %d messages of %d octets (%d on a disk)", u, err, n, wire, disk)
	}
}

// takes says that a limited mailbox takes so much more and no octet above it.
func (s *suite) takes(mailbox store.Mailbox, octets int64) {
	s.Helper()
	for more, want := range map[int64]error{octets: nil, octets + 1: store.ErrOverQuota} {
		if err := s.Check(s.Context(), mailbox, store.Usage{Messages: 1, Octets: more}); !errors.Is(err, want) {
			s.Errorf("Check of %d octets: %v, want %v", more, err, want)
		}
	}
}

func (s *suite) quota() {
	const first, second, third = "a\r\n", "Subject: b\r\n\r\nb\r\n", "c\r\n"
	s.takes(limited, 1000) // and makes nothing
	if _, err := s.Usage(s.Context(), limited); !errors.Is(err, store.ErrNoMailbox) {
		s.Errorf("Usage: %v, want ErrNoMailbox", err)
	}
	if _, err := s.Recount(s.Context(), limited); !errors.Is(err, store.ErrNoMailbox) {
		s.Errorf("Recount: %v, want ErrNoMailbox", err)
	}
	s.deliver(first, store.Placement{Mailbox: limited})
	s.counts(limited, first)
	s.deliver(second, store.Placement{Mailbox: limited, Folder: "Work", Trace: []byte("X: y\r\n")})
	s.deliver(third, store.Placement{Mailbox: limited, Flags: []store.Flag{store.FlagSeen}}, store.Placement{Mailbox: bob})
	s.counts(limited, first, "X: y\r\n"+second, third)
	u, err := s.Recount(s.Context(), limited)
	if err != nil {
		s.Errorf("Recount: %v", err)
	}
	s.takes(limited, 1000-u.Octets)
	if err := s.Remove(s.Context(), limited, "Work", s.one(limited, "Work").ID); err != nil {
		s.Errorf("Remove: %v", err)
	}
	s.counts(limited, first, third)
	s.gone("Work", "no-such-id")
	s.counts(limited, first, third)
}

// Quota is not looked at by Deliver, so a mailbox may hold more than it should; then it takes nothing, whatever its size.
func (s *suite) fullMailbox() {
	for range 4 {
		s.deliver("x\r\n", store.Placement{Mailbox: limited})
	}
	for _, more := range []store.Usage{{}, {Messages: 1}, {Messages: 1, Octets: 1}} {
		if err := s.Check(s.Context(), limited, more); !errors.Is(err, store.ErrOverQuota) {
			s.Errorf("Check of %+v: %v, want ErrOverQuota", more, err)
		}
	}
	s.deliver("x\r\n", store.Placement{Mailbox: limited})
	s.counts(limited, "x\r\n", "x\r\n", "x\r\n", "x\r\n", "x\r\n")
	for _, m := range s.list(limited, "")[:2] {
		if err := s.Remove(s.Context(), limited, "", m.ID); err != nil {
			s.Errorf("Remove: %v", err)
		}
	}
	if err := s.Check(s.Context(), limited, store.Usage{Messages: 1, Octets: 1}); err != nil {
		s.Errorf("Check after messages were removed: %v", err)
	}
}

// ignoredFolders has folders that do not count, with what is below them, for a delivery, a removal and a recount.
func (s *suite) ignoredFolders() {
	s.deliver("in\r\n", store.Placement{Mailbox: limited})
	s.counts(limited, "in\r\n")
	for _, folder := range []string{"Junk", "Junk/Sub", "Old/Junk"} {
		s.deliver("junk\r\n", store.Placement{Mailbox: limited, Folder: folder})
		s.counts(limited, "in\r\n")
	}
	for _, folder := range []string{"Junkyard", "Old"} {
		s.deliver("out\r\n", store.Placement{Mailbox: limited, Folder: folder})
	}
	s.counts(limited, "in\r\n", "out\r\n", "out\r\n")
	if err := s.Remove(s.Context(), limited, "Junk", s.one(limited, "Junk").ID); err != nil {
		s.Errorf("Remove: %v", err)
	}
	s.counts(limited, "in\r\n", "out\r\n", "out\r\n")
	before, err := s.Usage(s.Context(), limited)
	if err != nil {
		s.Errorf("Usage: %v", err)
	}
	if after, err := s.Recount(s.Context(), limited); err != nil || after != before {
		s.Errorf("Recount: %+v, %v, want %+v", after, err, before)
	}
}

// Other terms are another count.
func (s *suite) changedQuota() {
	s.deliver("in\r\n", store.Placement{Mailbox: limited})
	s.deliver("junk\r\n", store.Placement{Mailbox: limited, Folder: "Junk"})
	s.counts(limited, "in\r\n")
	other := limited
	other.Quota.Octets, other.Quota.Ignore = 2000, nil
	s.counts(other, "in\r\n", "junk\r\n")
	s.deliver("x\r\n", store.Placement{Mailbox: other, Folder: "Junk"})
	s.counts(other, "in\r\n", "junk\r\n", "x\r\n")
	other.Quota.Usage = store.Usage{}
	s.counts(other, "in\r\n", "junk\r\n", "x\r\n")
	s.counts(limited, "in\r\n")
}
