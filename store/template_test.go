package store

import (
	"errors"
	"path"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestParseTemplate(t *testing.T) {
	for _, test := range []struct{ text, root, err string }{
		{"/var/mail/%d/%n", "/var/mail", ""},
		{"/var/mail/%u", "/var/mail", ""},
		{"/%u", "/", ""},
		{"%u", ".", ""},
		{"./lmtpd-data/mail/%d/%n/", "lmtpd-data/mail", ""},
		{"/home/%n/Maildir", "/home", ""},
		{"/var/100%%/%u", "/var/100%", ""},
		{"../mail/%n@%d", "../mail", ""},
		{"/var/mail", "", "all mailboxes would be one"},
		{"/var/mail/%d", "", "all mailboxes would be one"},
		{"", "", "all mailboxes would be one"},
		{"%h/Maildir", "", ""},
		{"%h", "", ""},
		{"%h/mail/%d/%n", "", ""},
		{"/home/%h/Maildir", "", "%h (home) can only stand at the beginning"},
		{"%h%h/Maildir", "", "%h (home) can only stand at the beginning"},
		{"~%h/Maildir", "", "%h (home) can only stand at the beginning"},
		{"%h/%h", "", "%h (home) can only stand at the beginning"},
		{"/var/mail/%x/%u", "", "unknown verb %x"},
		{"/var/mail/%é/%u", "", "unknown verb %é"},
		{"/var/mail/%u/%", "", "a single %"},
		{"/var/mail/\x00%u", "", "control character"},
		{"/var/mail/\xff%u", "", "invalid UTF-8"},
	} {
		got, err := ParseTemplate(test.text)
		switch {
		case test.err == "" && (err != nil || got.Root() != test.root):
			t.Errorf("%q: root %q, %v, want %q", test.text, got.Root(), err, test.root)
		case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%q: %v, want %q", test.text, err, test.err)
		}
	}
}

func TestLocateName(t *testing.T) {
	for _, test := range []struct{ template, mailbox, want string }{
		{"/m/%d/%n", "ann@example.org", "/m/example.org/ann"},
		{"/m/%d/%n", "Ann@EXAMPLE.Org", "/m/example.org/Ann"},
		{"/m/%u", "ann@Example.org", "/m/ann@example.org"},
		{"/m/%n@%d", "ann@example.org", "/m/ann@example.org"},
		{"/m/%%n@%d/%n", "ann@example.org", "/m/%n@example.org/ann"},
		{"/home/%n/Maildir", "ann@example.org", "/home/ann/Maildir"},
		{"m/x-%n-y/%d", "ann@example.org", "m/x-ann-y/example.org"},
		{"/m/.%n", "ann@example.org", "/m/.ann"},
		{"/m/%d/%n", "%d@%n", "/m/%n/%d"},
		{"/m/%d/%n", `"a@b"@example.org`, `/m/example.org/"a@b"`},
		{"/m/%d/%n", "jörg@ÄÖ.example", "/m/äö.example/jörg"},
		{"/m/%d/%n", "-rf *@[127.0.0.1]", "/m/[127.0.0.1]/-rf *"},
		{"/m/%d/%n", strings.Repeat("a", 255) + "@example.org", "/m/example.org/" + strings.Repeat("a", 255)},
		{"/m/%d/%n", strings.Repeat("a", 256) + "@example.org", ""},
		{"/m/%d/%n", strings.Repeat("a", 300) + "@example.org", ""},
		{"/m/%u", strings.Repeat("a", 250) + "@example.org", ""},
		{"/m/%d/%n", "ann@" + strings.Repeat("a", 300), ""},
		{"/m/%d/%n", "", ""},
		{"/m/%d/%n", "ann", ""},
		{"/m/%d/%n", "@", ""},
		{"/m/%d/%n", "ann@", ""},
		{"/m/%n", "ann@", ""},
		{"/m/%d/%n", "@example.org", ""},
		{"/m/%d/%n", "..@example.org", ""},
		{"/m/%d/%n", "../..@example.org", ""},
		{"/m/%d/%n", "ann@..", ""},
		{"/m/%d/%n", "ann@.", ""},
		{"/m/%d/%n", "a/b@example.org", ""},
		{"/m/%d/%n", "ann@exam/ple", ""},
		{"/m/%n", "ann@exam/ple", ""},
		{"/m/%d/%n", ".hidden@example.org", ""},
		{"/m/%d/%n", "ann@.hidden", ""},
		{"/m/%d/%n", "a\x00b@example.org", ""},
		{"/m/%d/%n", "a\nb@example.org", ""},
		{"/m/%d/%n", "ann@exam\x7fple", ""},
		{"/m/%d/%n", "a\u009fb@example.org", ""},
		{"/m/%d/%n", "a\xffb@example.org", ""},
		{"/m/%d/%n", "ann@exam\xffple", ""},
	} {
		template, err := ParseTemplate(test.template)
		if err != nil {
			t.Fatal(err)
		}
		at, err := template.Locate(Mailbox{Name: test.mailbox, Home: "/home/other"})
		if err == nil && at.Path() != test.want || errors.Is(err, ErrNoMailbox) != (test.want == "") {
			t.Errorf("%s of %.40q: %q, %v, want %q", test.template, test.mailbox, at.Path(), err, test.want)
		}
	}
}

func TestTemplateMailbox(t *testing.T) {
	for _, test := range []struct{ template, rel, want string }{
		{"/m/%d/%n", "example.org/ann", "ann@example.org"},
		{"/m/%u", "ann@example.org", "ann@example.org"},
		{"/m/%n@%d", "ann@example.org", "ann@example.org"},
		{"/m/%d/x-%n-y/Maildir", "example.org/x-ann-y/Maildir", "ann@example.org"},
		{"/m/%n/%u", "ann/ann@example.org", "ann@example.org"},
		{"/m/%n/%u", "bob/ann@example.org", ""},
		{"/m/%d/x-%n-y/Maildir", "example.org/ann-y/Maildir", ""},
		{"/m/%d/x-%n-y/Maildir", "example.org/x-ann/Maildir", ""},
		{"/m/%d/x-%n-y/Maildir", "example.org/x-ann-y/mail", ""},
		{"/m/%d/%n", "Example.org/ann", ""},
		{"/m/%d/%n", "example.org", ""},
		{"/m/%d/%n", "example.org/.ann", ""},
		{"/m/%d/%n", "example.org/ann/cur", ""},
		{"/m/%n", "ann", ""},
		{"/m/%n-%d", "ann-example.org", ""},
		{"%h/%d/%n", "example.org/ann", ""},
	} {
		template, err := ParseTemplate(test.template)
		if err != nil {
			t.Fatal(err)
		}
		got, ok := template.Mailbox(test.rel)
		if ok != (test.want != "") || ok && got != test.want {
			t.Errorf("%s backwards of %q: %q, %v, want %q", test.template, test.rel, got, ok, test.want)
		}
	}
}

func FuzzTemplate(f *testing.F) {
	for _, seed := range []string{"ann@example.org", "../x@y", "a@b@c", ".a@b", "a@\xff", "%n@%d", "a@İ"} {
		f.Add("/m/%d/%n", seed)
		f.Add("/m/%u/Maildir", seed)
	}
	f.Fuzz(func(t *testing.T, text, mailbox string) {
		template, err := ParseTemplate(text)
		if err != nil {
			return
		}
		at, err := template.Locate(Mailbox{Name: mailbox, Home: "/home/ann"})
		if err != nil {
			if !errors.Is(err, ErrNoMailbox) {
				t.Fatalf("%q of %q: %v", text, mailbox, err)
			}
			return
		}
		if got := at.Path(); got != path.Clean(got) || !utf8.ValidString(got) || strings.ContainsRune(got, 0) {
			t.Fatalf("%q of %q is %q", text, mailbox, got)
		}
		if at.Rel == "." { // a home itself
			return
		}
		rel := at.Rel
		if names := strings.Split(rel, "/"); len(names) != template.Depth() {
			t.Fatalf("%q of %q is %q, not %d deep", text, mailbox, rel, template.Depth())
		}
		if back, ok := template.Mailbox(rel); template.Reversible() && ok {
			if again, err := template.Rel(back); err != nil || again != rel {
				t.Fatalf("%q of %q is %q, and back %q, which is %q", text, mailbox, rel, back, again)
			}
		} else if template.Reversible() {
			t.Fatalf("%q of %q is %q, which is no mailbox", text, mailbox, rel)
		}
	})
}

func TestLevels(t *testing.T) {
	for _, test := range []struct {
		folder, want string
	}{
		{"", ""}, {"INBOX", ""}, {"inbox", ""}, {"Inbox/x", "Inbox|x"}, {"Work", "Work"}, {"Work/Sub", "Work|Sub"}, {"日本/🙂", "日本|🙂"},
		{"a.b", "a.b"}, {"/", "-"}, {"a//b", "-"}, {"a/", "-"}, {"/a", "-"}, {"..", "-"}, {"a/..", "-"}, {".a", "-"}, {"a\x00", "-"},
		{"a\u0085", "-"}, {"\xff", "-"}, {strings.Repeat("a", 256), "-"},
	} {
		levels, err := Levels(test.folder)
		if got := strings.Join(levels, "|"); errors.Is(err, ErrNoFolder) != (test.want == "-") || err == nil && got != test.want {
			t.Errorf("%.40q: %q, %v, want %q", test.folder, got, err, test.want)
		}
	}
}

func TestParseShared(t *testing.T) {
	for text, want := range map[string]string{
		"/m/mail.db":      "/m/mail.db",
		"mail.db":         "mail.db",
		"/m/%d.db":        "/m/example.org.db",
		"/m/%d/mail":      "/m/example.org/mail",
		"/m/%d/%n.sqlite": "/m/example.org/Ann.sqlite",
		"/m/%d":           "-",
		"/m/a%n":          "-",
		"/m/%n-wal":       "-",
		"/m/%n.db-shm":    "-",
		"/m/%n-journal":   "-",
		"%h/mail.db":      "-",
		"/m/%x.db":        "-",
		"/m/%d.db%":       "-",
	} {
		template, err := ParseShared(text)
		if (err != nil) != (want == "-") {
			t.Errorf("%s: %v", text, err)
		}
		if err != nil {
			continue
		}
		if at, err := template.Locate(Mailbox{Name: "Ann@Example.ORG", Home: "/home/ann"}); err != nil || at.Path() != want {
			t.Errorf("%s: %s, %v, want %s", text, at.Path(), err, want)
		}
	}
}

func TestCanonical(t *testing.T) {
	for name, want := range map[string]string{
		"ann@example.org": "ann@example.org", "Ann@Example.ORG": "Ann@example.org", `"a@b"@C`: `"a@b"@c`,
		"": "-", "ann": "-", "@x": "-", "x@": "-", "../x@y": "-", "a\x00@y": "-", "\xff@y": "-",
	} {
		got, err := Canonical(name)
		if errors.Is(err, ErrNoMailbox) != (want == "-") || err == nil && got != want {
			t.Errorf("%q: %q, %v, want %q", name, got, err, want)
		}
	}
}
