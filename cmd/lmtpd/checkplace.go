package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"lmtpd/store"
)

// place says where mailboxes are.
func (p printer) place(m Mailboxes, all []Mailboxes) {
	if m.Store.Template.InHome() {
		p.line("  directory", "in the home of each account, which must be there")
		return
	}
	root := m.Store.Template.Root()
	if m.Store.Template.Depth() == 0 {
		p.line("  database", root+": "+databaseState(root))
		return
	}
	p.line("  directory", root+": "+directoryState(root))
	sample := "postmaster@" + m.Domains[0]
	at, err := m.Store.Template.Locate(store.Mailbox{Name: sample})
	path := at.Path()
	if err != nil {
		path = err.Error()
	}
	p.line("  for example", sample+" in "+path)
	if m.Store.shared() {
		return
	}
	if same := sharers(m.Domains[0], path, all); len(same) > 0 {
		p.line("  shared", "with the same local-part of "+strings.Join(same, ", ")+": the path does not tell their domains apart")
	}
}

// databaseState says whether a file is there, or where it would be made.
func databaseState(path string) string {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		parent := existingParent(path)
		return fmt.Sprintf("not there yet; to be made below %s, %s", parent, access(parent))
	case err != nil:
		return "cannot tell: " + err.Error()
	case !info.Mode().IsRegular():
		return "in the way: not a file"
	}
	return "there, " + permission(path, writable)
}

// sharers lists the other domains whose postmaster has the mailbox at path, too. That may be wanted, where one
// domain is another name of the other.
func sharers(domain, path string, all []Mailboxes) []string {
	var same []string
	for _, m := range all {
		for _, d := range m.Domains {
			other, err := m.Store.Template.Locate(store.Mailbox{Name: "postmaster@" + d})
			if d != domain && err == nil && other.Path() == path {
				same = append(same, d)
			}
		}
	}
	return same
}
