package delivery_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/delivery"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// A mailbox with several names, one in each domain that a template does not tell apart, gets one copy and has one quota.
func TestMailboxWithSeveralNames(t *testing.T) {
	s := newSite(t, "%n", func(b *delivery.Block) { b.Quota.Octets = 1000 })
	for _, r := range s.deliver(envelope("ann@example.org", "ann@example.net"), strings.NewReader(letter)) {
		if !strings.HasPrefix(r, fine) {
			t.Errorf("reply %s", r)
		}
	}
	if kept, _ := filepath.Glob(filepath.Join(s.dir, "mail/ann/new/*")); len(kept) != 1 {
		t.Errorf("%d copies, want one", len(kept))
	}
	first := envelope()
	if got := s.announce(first, "ann@example.org", 600); got != fine {
		t.Errorf("the first 600 octets: %s", got)
	}
	if got := s.announce(envelope(), "ann@example.net", 600); got != "452 4.2.2" {
		t.Errorf("600 more by another name: %s", got)
	}
	s.Abandon(first)
}

// A database is one place of many mailboxes.
type database struct{ *storetest.Memory }

func (database) Where(store.Mailbox) (string, error) { return "/var/lib/lmtpd/mail.db", nil }

// Mailboxes that are kept in one file are not one.
func TestMailboxesInOneFile(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Store = database{c.Blocks[0].Store.(*storetest.Memory)} })
	h.deliver(envelope("ann@example.org", "bob@example.org"), strings.NewReader(letter))
	if got, want := h.kept(t), "ann@example.org bob@example.org"; got != want {
		t.Errorf("kept in %s, want %s", got, want)
	}
}

// What a recipient costs does not grow with the places that a message goes to, as many as the details that a stranger makes up.
func BenchmarkManyPlaces(b *testing.B) {
	cfg := benchConfig(b)
	cfg.Blocks[0].Quota.Octets = 1 << 40
	cfg.Blocks[0].Delimiters, cfg.Blocks[0].Detail = "+", delivery.DetailCreate
	a, err := delivery.New(cfg)
	if err != nil {
		b.Fatal(err)
	}
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprintf("ann+%d@example.org", i))
	}
	env := envelope(many...)
	for b.Loop() {
		for _, to := range env.Recipients {
			a.Recipient(b.Context(), env, to)
		}
		a.Deliver(b.Context(), env, strings.NewReader(letter))
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(many)), "µs/recipient")
}
