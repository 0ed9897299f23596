package main_test

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A found is a message as it lies in a maildir or a database, visible to its reader.
type found struct {
	path    string // in a database what stands for it
	mailbox string // the local-part
	folder  string // as its directory is called; "" is INBOX
	text    []byte // as it was when it was read
}

// visible returns all that a reader would see below a domain's directory: what is in new and cur of every maildir.
func visible(t testing.TB, domain string) []found {
	t.Helper()
	all := listing(t, domain)
	for i := range all {
		all[i].read(t)
	}
	return all
}

// listing is visible without the texts.
func listing(t testing.TB, domain string) (all []found) {
	t.Helper()
	err := filepath.WalkDir(domain, func(path string, entry fs.DirEntry, err error) error {
		box := filepath.Dir(path)
		if base := filepath.Base(box); err != nil || entry.IsDir() || base != "new" && base != "cur" {
			return err
		}
		within, err := filepath.Rel(domain, filepath.Dir(box))
		mailbox, folder, _ := strings.Cut(within, string(filepath.Separator))
		all = append(all, found{path: path, mailbox: mailbox, folder: folder})
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Error(err)
	}
	return all
}

func (f *found) read(t testing.TB) {
	t.Helper()
	var err error
	if f.text, err = os.ReadFile(f.path); err != nil {
		t.Error(err)
	}
}

// only returns the one message of a mailbox.
func only(t testing.TB, d *daemon, localPart string) found {
	t.Helper()
	all := inMailbox(d.shelf.visible(t, nil), localPart)
	if len(all) != 1 {
		t.Fatalf("%s has %d messages, want one", localPart, len(all))
	}
	return all[0]
}

// inMailbox picks what belongs to a mailbox.
func inMailbox(all []found, localPart string) (its []found) {
	for _, f := range all {
		if f.mailbox == localPart {
			its = append(its, f)
		}
	}
	return its
}

// header returns the unfolded values of a field, the topmost first.
func (f found) header(name string) (values []string) {
	head, _, _ := bytes.Cut(f.text, []byte("\n\n"))
	unfolded := strings.NewReplacer("\n ", " ", "\n\t", " ").Replace(string(head))
	for line := range strings.Lines(unfolded) {
		field, value, _ := strings.Cut(line, ":")
		if strings.EqualFold(field, name) {
			values = append(values, strings.TrimSpace(value))
		}
	}
	return values
}

// sameContent checks that the stored message ends with the content that was sent, octet for octet.
func (f found) sameContent(t testing.TB, sent []byte) {
	t.Helper()
	want := onDisk(sent)
	if !bytes.HasSuffix(f.text, want) {
		t.Errorf("%s: %d octets do not end with the %d that were sent", f.path, len(f.text), len(want))
	}
}

// temporaries returns what lies in the tmp directories below root.
func temporaries(t testing.TB, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() && filepath.Base(filepath.Dir(path)) == "tmp" {
			all = append(all, path)
		}
		return err
	})
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return all
}

func paths(all []found) (names []string) {
	for _, f := range all {
		names = append(names, f.path)
	}
	return names
}

func removeAll(t testing.TB, all []found) {
	t.Helper()
	for _, f := range all {
		if err := os.Remove(f.path); err != nil {
			t.Fatal(err)
		}
	}
}
