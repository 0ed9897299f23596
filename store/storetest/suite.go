// Package storetest holds what every store must pass, and a store in memory for the tests of others.
//
// It tests the contract of package store and nothing of how a store keeps it; faults inside a store are that store's own
// tests.
package storetest

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"lmtpd/store"
)

// Run tests the stores that open makes: each one new and empty.
func Run(t *testing.T, open func(t *testing.T) store.Store) {
	for _, test := range []struct {
		name string
		run  func(*suite)
	}{
		{"content", (*suite).content},
		{"trace", (*suite).trace},
		{"flags", (*suite).flags},
		{"keywords", (*suite).keywords},
		{"folders", (*suite).folders},
		{"missing folder", (*suite).missingFolder},
		{"mixed", (*suite).mixed},
		{"duplicates", (*suite).duplicates},
		{"hostile mailboxes", (*suite).hostileMailboxes},
		{"hostile folders", (*suite).hostileFolders},
		{"short content", (*suite).shortContent},
		{"cancelled", (*suite).cancelled},
		{"concurrent", (*suite).concurrent},
		{"order", (*suite).order},
		{"dates", (*suite).dates},
		{"change", (*suite).change},
		{"make folder", (*suite).makeFolder},
		{"move", (*suite).move},
		{"move counts", (*suite).moveCounts},
		{"subscriptions", (*suite).subscriptions},
		{"identity", (*suite).identity},
		{"nothing there", (*suite).nothingThere},
		{"check makes nothing", (*suite).checkMakesNothing},
		{"mailboxes", (*suite).mailboxes},
		{"quota", (*suite).quota},
		{"full mailbox", (*suite).fullMailbox},
		{"ignored folders", (*suite).ignoredFolders},
		{"changed quota", (*suite).changedQuota},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := open(t)
			test.run(&suite{T: t, Store: s})
			if err := s.Close(); err != nil {
				t.Errorf("Close: %v", err)
			}
		})
	}
}

// A suite is one test on one store.
type suite struct {
	*testing.T
	store.Store
}

var (
	ann = store.Mailbox{Name: "ann@example.org"}
	bob = store.Mailbox{Name: "bob@example.org"}
)

// deliver must succeed for all placements.
func (s *suite) deliver(content string, to ...store.Placement) {
	s.Helper()
	for i, err := range s.Deliver(s.Context(), strings.NewReader(content), to) {
		if err != nil {
			s.Fatalf("Deliver to %s %q: %v", to[i].Mailbox, to[i].Folder, err)
		}
	}
}

// list must succeed.
func (s *suite) list(mailbox store.Mailbox, folder string) []store.Message {
	s.Helper()
	list, err := s.Messages(s.Context(), mailbox, folder)
	if err != nil {
		s.Fatalf("Messages of %s %q: %v", mailbox, folder, err)
	}
	return list
}

// one is the only message of a folder.
func (s *suite) one(mailbox store.Mailbox, folder string) store.Message {
	s.Helper()
	list := s.list(mailbox, folder)
	if len(list) != 1 {
		s.Fatalf("%d messages in %s %q, want 1", len(list), mailbox, folder)
	}
	return list[0]
}

// read reads a message, and checks its size.
func (s *suite) read(mailbox store.Mailbox, m store.Message) string {
	s.Helper()
	r, err := s.Open(s.Context(), mailbox, m.Folder, m.ID)
	if err != nil {
		s.Fatalf("Open %s: %v", m.ID, err)
	}
	b, err := io.ReadAll(r)
	if err := fmt.Errorf("%v %v", err, r.Close()); err.Error() != "<nil> <nil>" {
		s.Fatalf("read %s: %v", m.ID, err)
	}
	if int64(len(b)) != m.Size {
		s.Errorf("message of %d octets has size %d", len(b), m.Size)
	}
	return string(b)
}

// empty says that a mailbox has nothing in it.
func (s *suite) empty(mailbox store.Mailbox) {
	s.Helper()
	if u, err := s.Usage(s.Context(), mailbox); err == nil && u != (store.Usage{}) {
		s.Errorf("%s holds %+v, want nothing", mailbox, u)
	}
}

// readBack is how content may be read: as it came, but that a store of files with LF line ends cannot tell a bare LF
// from a line end.
func readBack(content string) (exact, lines string) {
	return content, strings.ReplaceAll(strings.ReplaceAll(content, "\r\n", "\n"), "\n", "\r\n")
}
