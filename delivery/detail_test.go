package delivery_test

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/store"
)

// Where mail for an address with a detail goes, by what details are for and who has an account.
func TestDetail(t *testing.T) {
	people := book{"ann@example.org": {UID: -1, GID: -1}, "mary-ann@example.org": {UID: -1, GID: -1}, "a+b@example.org": {UID: -1, GID: -1}}
	for _, test := range []struct {
		to       string
		accounts account.Source
		detail   delivery.Detail
		mailbox  string // "": refused
		folder   string
	}{
		{"ann+Lists@example.org", people, delivery.DetailInbox, "ann@example.org", ""},
		{"ann+Lists@example.org", people, delivery.DetailFolder, "ann@example.org", ""},
		{"ann+Work@example.org", people, delivery.DetailFolder, "ann@example.org", "Work"},
		{"ann+work@example.org", people, delivery.DetailFolder, "ann@example.org", ""},
		{"ANN+Lists@example.org", people, delivery.DetailCreate, "ann@example.org", "Lists"},
		{"ann+Lists.Go@example.org", people, delivery.DetailCreate, "ann@example.org", "Lists/Go"},
		{"ann+Lists/Go@example.org", people, delivery.DetailCreate, "ann@example.org", "Lists/Go"},
		{"ann+Grüße@example.org", people, delivery.DetailCreate, "ann@example.org", "Grüße"},
		{"ann+@example.org", people, delivery.DetailCreate, "ann@example.org", ""},
		{"ann+INBOX@example.org", people, delivery.DetailCreate, "ann@example.org", ""},
		{`"ann+.."@example.org`, people, delivery.DetailCreate, "ann@example.org", ""},
		{`"ann+../../bob"@example.org`, people, delivery.DetailCreate, "ann@example.org", ""},
		{"ann+a+b@example.org", people, delivery.DetailCreate, "ann@example.org", "a+b"},
		{"ann-x@example.org", people, delivery.DetailCreate, "ann@example.org", "x"},
		{"mary-ann@example.org", people, delivery.DetailCreate, "mary-ann@example.org", ""},
		{"mary-ann+x@example.org", people, delivery.DetailCreate, "", ""}, // the first delimiter counts
		{"a+b@example.org", people, delivery.DetailCreate, "a+b@example.org", ""},
		{"a+b+c@example.org", people, delivery.DetailCreate, "", ""},
		{"+x@example.org", people, delivery.DetailCreate, "", ""},
		{"eve+x@example.org", people, delivery.DetailCreate, "", ""},
		{"eve+x@example.org", nil, delivery.DetailCreate, "eve@example.org", "x"},
		{"+x@example.org", nil, delivery.DetailCreate, "+x@example.org", ""},
	} {
		h := newHost(t, func(c *delivery.Config) {
			b := &c.Blocks[0]
			b.Accounts, b.Detail, b.Delimiters = test.accounts, test.detail, "+-"
		})
		h.store.Deliver(t.Context(), strings.NewReader("old\r\n"), []store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"}})
		got := h.deliver(envelope(test.to), strings.NewReader(letter))[0]
		if delivered := strings.HasPrefix(got, "250"); delivered != (test.mailbox != "") {
			t.Errorf("%s: %s", test.to, got)
		}
		kept := h.store.All(test.mailbox, test.folder)
		if test.mailbox != "" && !slices.ContainsFunc(kept, func(m string) bool { return strings.HasSuffix(m, letter) }) {
			t.Errorf("%s: nothing in %q of %s", test.to, test.folder, test.mailbox)
		}
		folders, _ := h.store.Folders(context.Background(), store.Mailbox{Name: "ann@example.org"})
		if want := 1; test.mailbox == "ann@example.org" && test.folder != "" && test.folder != "Work" {
			want = 2
			if len(folders) != want {
				t.Errorf("%s: folders %q", test.to, folders)
			}
		} else if len(folders) != want {
			t.Errorf("%s: folders %q, want Work alone", test.to, folders)
		}
	}
}

// Two recipients that are one mailbox and one folder get one copy, and another one in another folder.
func TestDetailOneCopyForEachFolder(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Detail, c.Blocks[0].Delimiters = delivery.DetailCreate, "+" })
	h.deliver(envelope("ann@example.org", "ann+x@example.org", "Ann+x@example.org", "ann+INBOX@example.org"), strings.NewReader(letter))
	for folder, want := range map[string]int{"": 1, "x": 1} {
		if n := len(h.store.All("ann@example.org", folder)); n != want {
			t.Errorf("%d copies in %q, want %d", n, folder, want)
		}
	}
}

// Those whose folders are not there share the copy in INBOX, and its quota counts, not that of the folders.
func TestDetailWithoutFolder(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) {
		b := &c.Blocks[0]
		b.Detail, b.Delimiters = delivery.DetailFolder, "+"
		b.Quota = store.Quota{Usage: store.Usage{Octets: 1000}, Ignore: []string{"Trash", "Work"}}
	})
	for range 2 {
		h.deliver(envelope("ann@example.org", "ann+x@example.org", "ann+Trash@example.org", "Ann+y@example.org"), strings.NewReader(letter))
	}
	if n := len(h.store.All("ann@example.org", "")); n != 2 {
		t.Errorf("%d copies of 2 messages", n)
	}
	h.store.Deliver(t.Context(), strings.NewReader("old\r\n"), []store.Placement{{Mailbox: store.Mailbox{Name: "ann@example.org"}, Folder: "Work"}})
	for to, want := range map[string]string{"ann+Trash@example.org": "452 4.2.2", "ann+x@example.org": "452 4.2.2", "ann+Work@example.org": "250 2.1.5"} {
		env := envelope()
		if got := h.announce(env, to, 5000); got != want {
			t.Errorf("5,000 octets for %s: %s, want %s", to, got, want)
		}
		h.Abandon(env)
	}
}

// While a passwd-file is refused, mail for a detail of who is there goes on, and that of who is not waits.
func TestDetailOfRefusedAccounts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	now := time.Now()
	write := func(text string) {
		t.Helper()
		now = now.Add(time.Hour)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("ann@example.org\n")
	h := newHost(t, func(c *delivery.Config) {
		f, err := account.OpenFile(account.FileConfig{Path: path, Now: func() time.Time { return now }, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		c.Blocks[0].Accounts, c.Blocks[0].Delimiters = f, "+"
	})
	write("ann@example.org\ndave@example.org\nann+own@example.org::0\n")
	for to, want := range map[string]string{
		"ann+lists@example.org": "250 2.1.5", "ann@example.org": "250 2.1.5", "dave@example.org": "451 4.3.0", "dave+lists@example.org": "451 4.3.0",
	} {
		if got := h.deliver(envelope(to), strings.NewReader(letter))[0]; !strings.HasPrefix(got, want+" <") {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}

// A passwd-file that is taken between the two lookups of an address with a detail may have had it whole.
func TestDetailTakenInBetween(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Accounts, c.Blocks[0].Delimiters = inBetween{}, "+" })
	for to, want := range map[string]string{"ann+x@example.org": "451 4.3.0", "ben@example.org": "550 5.1.1"} {
		if got := h.deliver(envelope(to), strings.NewReader(letter))[0]; !strings.HasPrefix(got, want+" <") {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
}

// inBetween does not know yet who has a detail, and by then has nobody without one.
type inBetween struct{}

func (inBetween) Lookup(_ context.Context, name string) (account.Account, error) {
	if strings.Contains(name, "+") {
		return account.Account{}, account.ErrUnsure
	}
	return account.Account{}, account.ErrNotFound
}
