package delivery_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

const aliasText = `
sales:             ann, ben
team:              sales, Cyd+Team@example.org, ann
ann@example.net:   ben
ghost:             nobody
half:              ann, nobody
away:              eve@elsewhere.example
both:              eve@elsewhere.example, ann
mixed:             ann, nobody@sub.example.org
@sub.example.org:  eve@elsewhere.example, ann@example.org
backup:            \ben
gone:              \lea
lea:               cyd
self:              self, ann
only@example.net:  only@example.net
full:              ann, quota
sick:              ann, unsure
loop:              pool
pool:              loop
@example.net:      cyd
lost:              nobody@example.net
`

// aliasHost has people at two domains and aliases for both.
func aliasHost(t *testing.T) *host {
	path := filepath.Join(t.TempDir(), "aliases")
	if err := os.WriteFile(path, []byte(aliasText), 0o600); err != nil {
		t.Fatal(err)
	}
	return newHost(t, func(c *delivery.Config) {
		f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		people := book{}
		for _, name := range []string{"ann", "ben", "cyd", "quota"} {
			people[name+"@example.org"] = account.Account{UID: -1, GID: -1}
			people[name+"@example.net"] = account.Account{UID: -1, GID: -1}
		}
		b := &c.Blocks[0]
		b.Domains = append(b.Domains, "sub.example.org")
		b.Accounts, b.Aliases, b.Delimiters, b.Detail = people, f, "+", delivery.DetailCreate
		b.Store.(*storetest.Memory).Fault = func(_ storetest.Op, mailbox string) error {
			if strings.HasPrefix(mailbox, "quota@") {
				return store.ErrOverQuota
			}
			return nil
		}
	})
}

func TestAliases(t *testing.T) {
	for _, test := range []struct {
		to    string
		rcpt  string
		final string
		kept  string // in alphabetical order
	}{
		{"sales@example.org", "250 2.1.5", "250 2.1.5", "ann@example.org ben@example.org"},
		{"Team@example.org", "250 2.1.5", "250 2.1.5", "ann@example.org ben@example.org cyd@example.org/Team"},
		{"team+X@example.org", "250 2.1.5", "250 2.1.5", "ann@example.org/X ben@example.org/X cyd@example.org/Team"},
		{"ann@example.net", "250 2.1.5", "250 2.1.5", "ben@example.net"},
		{"ben@example.net", "250 2.1.5", "250 2.1.5", "ben@example.net"},
		{"anybody@example.net", "250 2.1.5", "250 2.1.5", "cyd@example.net"},
		{"anybody+x@example.net", "250 2.1.5", "250 2.1.5", "cyd@example.net"},
		{"lost@example.org", "250 2.1.5", "250 2.1.5", "cyd@example.net"},
		{"anybody@example.org", "550 5.1.1", "550 5.1.1", ""},
		{"ghost@example.org", "550 5.1.1", "550 5.1.1", ""},
		{"half@example.org", "250 2.1.5", "550 5.1.1", "ann@example.org"},
		{"away@example.org", "550 5.7.1", "550 5.7.1", ""},
		{"both@example.org", "550 5.7.1", "550 5.7.1", ""},
		{"mixed@example.org", "550 5.7.1", "550 5.7.1", ""},
		{"anybody@sub.example.org", "550 5.7.1", "550 5.7.1", ""},
		{"backup@example.org", "250 2.1.5", "250 2.1.5", "ben@example.org"},
		{"lea@example.org", "250 2.1.5", "250 2.1.5", "cyd@example.org"},
		{"gone@example.org", "550 5.1.1", "550 5.1.1", ""},
		{"self@example.org", "250 2.1.5", "550 5.1.1", "ann@example.org"},
		{"only@example.net", "550 5.1.1", "550 5.1.1", ""},
		{"full@example.org", "250 2.1.5", "452 4.2.2", "ann@example.org"},
		{"sick@example.org", "250 2.1.5", "451 4.3.0", "ann@example.org"},
		{"loop@example.org", "451 4.3.0", "451 4.3.0", ""},
	} {
		h := aliasHost(t)
		env := envelope(test.to)
		if got := h.Recipient(t.Context(), env, env.Recipients[0]).String(); !strings.HasPrefix(got, test.rcpt+" <") {
			t.Errorf("RCPT %s: %s, want %s", test.to, got, test.rcpt)
		}
		h.Abandon(env)
		if got := h.deliver(env, strings.NewReader(letter))[0]; !strings.HasPrefix(got, test.final+" <") {
			t.Errorf("content for %s: %s, want %s", test.to, got, test.final)
		}
		if got := h.kept(t); got != test.kept {
			t.Errorf("%s is in %s, want %s", test.to, got, test.kept)
		}
	}
}

// kept lists where there are messages, a place as often as it has some.
func (h *host) kept(t *testing.T) string {
	t.Helper()
	var places []string
	for name := range h.store.Mailboxes(t.Context()) {
		folders, err := h.store.Folders(t.Context(), store.Mailbox{Name: name})
		if err != nil {
			continue // the one that fails
		}
		for _, f := range append([]string{""}, folders...) {
			place := strings.TrimSuffix(name+"/"+f, "/")
			for range h.store.All(name, f) {
				places = append(places, place)
			}
		}
	}
	slices.Sort(places)
	return strings.Join(places, " ")
}

// Whoever is a recipient by several ways has one copy, and each of them is answered.
func TestAliasesOneCopy(t *testing.T) {
	h := aliasHost(t)
	got := h.deliver(envelope("sales@example.org", "ann@example.org", "team@example.org"), strings.NewReader(letter))
	for _, r := range got {
		if !strings.HasPrefix(r, "250 2.1.5") {
			t.Errorf("replies %q", got)
		}
	}
	if got, want := h.kept(t), "ann@example.org ben@example.org cyd@example.org/Team"; got != want {
		t.Errorf("kept in %s, want %s", got, want)
	}
}

// The copy says whose it is and whom the message was for, and the log names all mailboxes.
func TestAliasesTrace(t *testing.T) {
	h := aliasHost(t)
	h.deliver(envelope("Sales@example.org"), strings.NewReader(letter))
	copyOf := h.store.All("ben@example.org", "")[0]
	for _, want := range []string{"X-Original-To: Sales@example.org\r\n", "Delivered-To: ben@example.org\r\n", "for <Sales@example.org>"} {
		if !strings.Contains(copyOf, want) {
			t.Errorf("no %q in %s", want, copyOf)
		}
	}
	if log := h.log.String(); strings.Count(log, "\n") != 1 || !strings.Contains(log, "mailbox=ann@example.org,ben@example.org") {
		t.Errorf("log: %s", log)
	}
}

// Explain comes to the reply of RCPT and tells every step.
func TestExplain(t *testing.T) {
	h := aliasHost(t)
	for _, to := range []string{"sales@example.org", "nobody@example.org", "x@elsewhere.example", "both@example.org", "loop@example.org"} {
		env := envelope(to)
		one := env.Recipients[0]
		env.Recipients = nil
		ex := h.Explain(t.Context(), &smtp.Envelope{}, one)
		if want := h.Recipient(t.Context(), env, one); ex.Reply != want {
			t.Errorf("%s: explained %s, answered %s", to, ex.Reply, want)
		}
	}
	one := envelope("Team+Work@example.org").Recipients[0]
	var told []string
	for _, s := range h.Explain(t.Context(), &smtp.Envelope{}, one).Steps {
		told = append(told, s.What+": "+s.Found)
	}
	for _, want := range []string{
		"detail: +Work of team", "alias: ben+Work@example.org", "alias: > cyd+Team@example.org", "account: ben@example.org",
		"folder: Work, made if it is not there", "answer: cyd@example.org would take the message",
	} {
		what, found, _ := strings.Cut(want, ": ")
		if !slices.ContainsFunc(told, func(s string) bool { return strings.HasPrefix(s, what+": ") && strings.Contains(s, found) }) {
			t.Errorf("no step %q in\n%s", want, strings.Join(told, "\n"))
		}
	}
}
