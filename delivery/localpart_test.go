package delivery_test

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/maildir"
)

// A site is an agent with maildirs on the disk.
type site struct {
	*host
	dir string // everything that is on this disk
}

// newSite makes one whose mailboxes are where template says, below dir/mail.
func newSite(t *testing.T, template string, change func(*delivery.Block)) site {
	t.Helper()
	dir := t.TempDir()
	s := openMaildir(t, filepath.Join(dir, "mail"), template)
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks[0].Store = s
		change(&c.Blocks[0])
	})
	return site{h, dir}
}

func openMaildir(t *testing.T, dir, template string) store.Store {
	t.Helper()
	where, err := store.ParseTemplate(filepath.Join(dir, template))
	if err != nil {
		t.Fatal(err)
	}
	s, err := maildir.Open(maildir.Config{Template: where, Hostname: "mda", Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// receives says what RCPT and the content for one address are answered, which is the same.
func (s site) receives(t *testing.T, local string) string {
	t.Helper()
	env := envelope()
	env.Recipients = []smtp.Recipient{{To: smtp.Path{Local: local, Domain: "Example.org"}}}
	asked := s.Recipient(t.Context(), env, env.Recipients[0])
	s.Abandon(env)
	if told := s.Deliver(t.Context(), env, strings.NewReader(letter))[0]; told.Code != asked.Code || told.Status != asked.Status {
		t.Errorf("%q: %s, and then %s", local, asked, told)
	}
	return fmt.Sprint(asked.Code, " ", asked.Enhanced())
}

// tree lists what is on the disk, without what is in the directories of maildirs.
func (s site) tree(t *testing.T) (paths []string) {
	t.Helper()
	err := filepath.WalkDir(s.dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(s.dir, path)
		paths = append(paths, rel)
		if isMaildir(path) {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return paths
}

func isMaildir(path string) bool {
	_, newMissing := os.Stat(filepath.Join(path, "new"))
	_, curMissing := os.Stat(filepath.Join(path, "cur"))
	return errors.Join(newMissing, curMissing) == nil
}

// way is a path with all that is above it.
func way(path string) (paths []string) {
	for ; path != "."; path = filepath.Dir(path) {
		paths = append(paths, path)
	}
	slices.Reverse(paths)
	return append([]string{"."}, paths...)
}

const (
	fine    = "250 2.1.5"
	unknown = "550 5.1.1"
)

// A localPart is one that strangers or mistakes bring.
type localPart struct {
	local string
	reply string // where everybody has an account
	name  string // the local-part of the mailbox, if it is another one
}

func localParts() []localPart {
	return []localPart{
		{local: "ann", reply: fine},
		{local: "ANN", reply: fine, name: "ann"},
		// what would be a path
		{local: "", reply: unknown},
		{local: ".", reply: unknown},
		{local: "..", reply: unknown},
		{local: "../ann", reply: unknown},
		{local: "a/b", reply: unknown},
		{local: "a/../../b", reply: unknown},
		{local: "/etc/passwd", reply: unknown},
		{local: "ann/", reply: unknown},
		{local: ".hidden", reply: unknown},
		{local: "..ann", reply: unknown},
		// what would be something to a shell, a template or a maildir
		{local: "%d", reply: fine},
		{local: "%u%n%h%%", reply: fine},
		{local: "~root", reply: fine},
		{local: "-rf", reply: fine},
		{local: "$HOME", reply: fine, name: "$home"},
		{local: "new", reply: fine},
		{local: "tmp", reply: fine},
		// octets
		{local: "ann\x00", reply: unknown},
		{local: "\x00", reply: unknown},
		{local: "ann\r\nbob", reply: unknown},
		{local: "a\tb", reply: unknown},
		{local: "\x1b[31m", reply: unknown},
		{local: "ann\x7f", reply: unknown},
		{local: "ann\u0085", reply: unknown},
		{local: "ann\xe9", reply: unknown},
		{local: "\xff\xfe", reply: unknown},
		{local: "ann\xc0\xaf", reply: unknown}, // a slash, as nobody may write it
		{local: "\xed\xa0\x80", reply: unknown},
		// lengths
		{local: strings.Repeat("a", 64), reply: fine},
		{local: strings.Repeat("a", 65), reply: fine}, // QUIRK of smtp.MaxPath
		{local: strings.Repeat("a", 255-len("@example.org")), reply: fine},
		{local: strings.Repeat("a", 256), reply: unknown},
		{local: strings.Repeat("a", 300), reply: unknown},
		{local: strings.Repeat("é", 128), reply: unknown},      // 256 octets
		{local: strings.Repeat("\u0344", 100), reply: unknown}, // longer when it is normalized
		// what must be in quotes
		{local: "a b", reply: fine},
		{local: " ann", reply: fine},
		{local: "ann ", reply: fine},
		{local: `a"b`, reply: fine},
		{local: `a\b`, reply: fine},
		{local: "a..b", reply: fine},
		{local: "ann.", reply: fine},
		{local: "ann@example.net", reply: fine},
		{local: "with>angle", reply: fine},
		// what looks alike
		{local: "RENÉ", reply: fine, name: "rené"},
		{local: "Rene\u0301", reply: fine, name: "rené"},
		{local: "аnn", reply: fine},       // with a Cyrillic letter
		{local: "ａｎｎ", reply: fine},       // full width
		{local: "\u212aate", reply: fine}, // the Kelvin sign
		{local: "ann\u037e", reply: fine}, // the Greek question mark
		{local: "İlker", reply: fine},
		{local: "ann\u200b", reply: fine},
	}
}

// Whatever the local-part, there is no path but the template's, and none for who is refused.
func TestLocalPartsOfAnybody(t *testing.T) {
	for _, template := range []string{"%d/%n", "%u", "%n", "%d/%n/Maildir", "users-%n.d/%d"} {
		for _, test := range localParts() {
			s := newSite(t, template, func(*delivery.Block) {})
			if got := s.receives(t, test.local); got != test.reply {
				t.Errorf("%q with %s: %s, want %s", test.local, template, got, test.reply)
			}
			want := way("mail")
			if test.reply == fine {
				if test.name == "" {
					test.name = test.local
				}
				verbs := strings.NewReplacer("%u", test.name+"@example.org", "%n", test.name, "%d", "example.org")
				want = way("mail/" + verbs.Replace(template))
			}
			if got := s.tree(t); !slices.Equal(got, want) {
				t.Errorf("%q with %s: there are %q, want %q", test.local, template, got, want)
			}
		}
	}
}

// The same where accounts are listed: only who is in the file has a mailbox, and directories come of nothing else.
func TestLocalPartsOfAccounts(t *testing.T) {
	file := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(file, []byte("ann@example.org:::::::\nrené@example.org:::::::\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	known := map[string]string{"ann": "ann", "ANN": "ann", "RENÉ": "rené", "Rene\u0301": "rené"}
	for _, template := range []string{"%d/%n", "%u"} {
		for _, detail := range []string{"", "+x"} {
			for _, test := range localParts() {
				s := newSite(t, template, func(b *delivery.Block) {
					accounts, err := account.OpenFile(account.FileConfig{Path: file, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
					if err != nil {
						t.Fatal(err)
					}
					b.Accounts, b.Delimiters, b.Detail = accounts, "+", delivery.DetailCreate
				})
				reply, want := unknown, way("mail")
				if name, ok := known[test.local]; ok {
					reply = fine
					want = way("mail/" + strings.NewReplacer("%u", name+"@example.org", "%n", name, "%d", "example.org").Replace(template))
				}
				if got := s.receives(t, test.local+detail); got != reply {
					t.Errorf("%q: %s, want %s", test.local+detail, got, reply)
				}
				if got := s.tree(t); !slices.Equal(got, want) {
					t.Errorf("%q: there are %q, want %q", test.local+detail, got, want)
				}
			}
		}
	}
}

// A detail makes a folder in the mailbox or nothing at all, whatever it is called.
func TestDetailsOfAnybody(t *testing.T) {
	for detail, folder := range map[string]string{
		"x": ".x", "Lists.Go": ".Lists.Go", "a/b": ".a.b", "Größe": ".Gr&APYA3w-e", "Gro\u0308\u00dfe": ".Gr&APYA3w-e", "&": ".&-", "~": ".~",
		"%d": ".%d", " ": ". ",
		"": "", ".": "", "..": "", "../../bob": "", "/etc/passwd": "", ".hidden": "", "a..b": "", "a//b": "", "x.": "", "INBOX": "",
		"a\x00b": "", "a\nb": "", "a\xe9": "", "\u0085": "", strings.Repeat("x", 256): "",
		strings.Repeat("é", 120): "", "ann\xc0\xaf..": "",
	} {
		s := newSite(t, "%d/%n", func(b *delivery.Block) { b.Delimiters, b.Detail = "+", delivery.DetailCreate })
		if got := s.receives(t, "ann+"+detail); got != fine {
			t.Errorf("%q: %s", detail, got)
		}
		if got, want := s.tree(t), way("mail/example.org/ann"); !slices.Equal(got, want) {
			t.Errorf("%q: there are %q, want %q", detail, got, want)
		}
		made, err := filepath.Glob(filepath.Join(s.dir, "mail/example.org/ann/.*"))
		if err != nil || folder == "" && len(made) > 0 || folder != "" && (len(made) != 1 || filepath.Base(made[0]) != folder) {
			t.Errorf("%q made %q, want %q", detail, made, folder)
		}
	}
}
