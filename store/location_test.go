package store

import (
	"errors"
	"strings"
	"testing"
)

func TestLocate(t *testing.T) {
	for _, test := range []struct {
		template, path, home string
		base, rel            string
		err                  string
	}{
		{"%h/Maildir", "", "/home/ann", "/home/ann", "Maildir", ""},
		{"%h/Maildir", "", "/home/ann/", "/home/ann", "Maildir", ""},
		{"%h/mail/%d/%n", "", "/home/ann", "/home/ann", "mail/example.org/ann", ""},
		{"%h", "", "/home/ann", "/home/ann", ".", ""},
		{"%h/Maildir", "", "", "", "", "none is known"},
		{"%h/Maildir", "", "home/ann", "", "", "not absolute"},
		{"%h/Maildir", "", "~ann", "", "", "not absolute"},
		{"%h/Maildir", "", "/home/../etc", "", "", ".. or NUL"},
		{"%h/Maildir", "", "/home/\x00", "", "", ".. or NUL"},
		{"%h/Maildir", "/home/ann/mail", "/home/ann", "/home/ann", "mail", ""},
		{"%h/Maildir", "/home/ann/a/b", "/home/ann", "/home/ann", "a/b", ""},
		{"%h/Maildir", "/home/ann", "/home/ann", "/home/ann", ".", ""},
		{"%h/Maildir", "/home/anne", "/home/ann", "/home", "anne", ""},
		{"%h/Maildir", "/srv/mail/ann/", "/home/ann", "/srv/mail", "ann", ""},
		{"%h/Maildir", "/srv/mail/ann", "", "/srv/mail", "ann", ""},
		{"%h/Maildir", "/srv/mail/ann", "/", "/srv/mail", "ann", ""},
		{"/m/%d/%n", "", "/home/ann", "/m", "example.org/ann", ""},
		{"/m/%d/%n", "", "nonsense", "/m", "example.org/ann", ""},
		{"/m/%d/%n", "/m/other/ann", "", "/m", "other/ann", ""},
		{"/m/%d/%n", "/mail/ann", "", "/mail", "ann", ""},
		{"m/%d/%n", "/mail/ann", "", "/mail", "ann", ""},
		{"/m/%d/%n", "mail/ann", "", "", "", "not absolute"},
		{"/m/%d/%n", "/m/../etc", "", "", "", ".. or NUL"},
		{"/m/%d/%n", "/", "", "", "", "no mailbox"},
	} {
		template, err := ParseTemplate(test.template)
		if err != nil {
			t.Fatal(err)
		}
		got, err := template.Locate(Mailbox{Name: "ann@example.org", Path: test.path, Home: test.home})
		switch {
		case test.err == "" && (err != nil || got != Location{test.base, test.rel}):
			t.Errorf("%s, path %q, home %q: %+v, %v, want %q and %q", test.template, test.path, test.home, got, err, test.base, test.rel)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || errors.Is(err, ErrNoMailbox)):
			t.Errorf("%s, path %q, home %q: %v, want %q, which is no answer", test.template, test.path, test.home, err, test.err)
		}
	}
}
