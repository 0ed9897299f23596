package delivery_test

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A catcher is a store that keeps what it is to place in mind.
type catcher struct {
	store.Store
	placed *[]store.Placement
}

func (c catcher) Check(context.Context, store.Mailbox, store.Usage) error { return nil }

func (c catcher) Deliver(_ context.Context, _ store.Content, to []store.Placement) []error {
	*c.placed = append(*c.placed, to...)
	return make([]error, len(to))
}

// FuzzRecipient has any octets for a recipient. Whatever they are, RCPT and the content hear the same, the name of the
// mailbox is not changed by being folded again, and it is a path below the template's root or none.
func FuzzRecipient(f *testing.F) {
	for _, local := range []string{"ann", "ANN+Lists", "..", "a/b", "+", "ann+../../bob", "Rene\u0301+Gro\u0308ße", "\u212a\u0301", "ann\xff", "a\x00b",
		"%n", "\u0130\u0307", "postmaster+x", "owner-x", "x+y+z", "A+00\xcc", "\u1e9b\u0323", strings.Repeat("\u0344", 90)} {
		f.Add(local, "Example.ORG")
	}
	f.Add("ann", "exämple.org")
	f.Add("postmaster", "")
	var placed []store.Placement
	a, err := delivery.New(delivery.Config{
		Hostname: "mail.example.org",
		Blocks: []delivery.Block{{
			Domains: []string{"example.org", "exämple.org"}, Store: catcher{placed: &placed}, Delimiters: "+-", Detail: delivery.DetailCreate,
		}},
		TempDir: f.TempDir(),
		Now:     time.Now,
		Log:     slog.New(slog.NewJSONHandler(io.Discard, nil)),
	})
	if err != nil {
		f.Fatal(err)
	}
	template, err := store.ParseTemplate("/mail/%d/%n")
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, local, domain string) {
		if len(local)+len(domain) > smtp.MaxPath {
			t.Skip("no path is so long")
		}
		placed = placed[:0]
		env := envelope()
		env.Recipients = []smtp.Recipient{{To: smtp.Path{Local: local, Domain: domain}}}
		asked := a.Recipient(t.Context(), env, env.Recipients[0])
		a.Abandon(env)
		if told := a.Deliver(t.Context(), env, strings.NewReader(letter))[0]; told.Code != asked.Code || told.Status != asked.Status {
			t.Fatalf("%s, and then %s", asked, told)
		}
		if asked.Positive() != (len(placed) == 1) {
			t.Fatalf("%s, and %d placements", asked, len(placed))
		}
		for _, p := range placed {
			expectPlace(t, template, p)
		}
	})
}

func expectPlace(t *testing.T, template store.Template, p store.Placement) {
	t.Helper()
	if levels, err := store.Levels(p.Folder); err != nil || strings.Join(levels, "/") != p.Folder {
		t.Errorf("folder %q: %q, %v", p.Folder, levels, err)
	}
	at := strings.LastIndexByte(p.Mailbox.Name, '@')
	local, domain := p.Mailbox.Name[:at], p.Mailbox.Name[at+1:]
	if again := delivery.Fold(smtp.Path{Local: local, Domain: domain}); again != (smtp.Path{Local: local, Domain: domain}) {
		t.Errorf("%q folded again is %q", p.Mailbox.Name, again)
	}
	where, err := template.Locate(p.Mailbox)
	if err != nil {
		return // it has no path, and the store refuses it
	}
	path := where.Path()
	if path != filepath.Clean(path) || path != "/mail/"+domain+"/"+local || strings.Count(path, "/") != 3 {
		t.Errorf("the path of %q is %q", p.Mailbox.Name, path)
	}
	if !utf8.ValidString(path) || strings.ContainsFunc(path, unicode.IsControl) {
		t.Errorf("octets in %q", path)
	}
}
