package delivery_test

import (
	"context"
	"errors"
	"fmt"
	"io"
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
	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

// A fakeQueue keeps what it is given as text.
type fakeQueue struct {
	put     []string // "from > to NOTIFY= ORCPT=; …" and the content behind an empty line
	reports []dsn.Report
	err     error

	noWayFrom string // domain
}

func (q *fakeQueue) Relays(from, to smtp.Path) bool {
	return !strings.HasPrefix(to.Domain, "unreachable.") && (q.noWayFrom == "" || from.Domain != q.noWayFrom)
}

func (q *fakeQueue) Put(_ context.Context, env *smtp.Envelope, trace []byte, c store.Content) error {
	if q.err != nil {
		return q.err
	}
	var to []string
	for _, r := range env.Recipients {
		to = append(to, fmt.Sprintf("%s NOTIFY=%s ORCPT=%s;%s", r.To, r.Notify, r.Original.Type, r.Original.Address))
	}
	content, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size()))
	q.put = append(q.put, fmt.Sprintf("%s %s > %s\n\n%s%s", env.ID, env.From, strings.Join(to, ", "), trace, content))
	return err
}

func (q *fakeQueue) Notify(_ context.Context, r dsn.Report) error {
	q.reports = append(q.reports, r)
	return q.err
}

// A fakeRewriter puts a mark before what it rewrites.
type fakeRewriter struct{}

func (fakeRewriter) Forward(from smtp.Path) smtp.Path {
	return smtp.Path{Local: "SRS0=" + from.Local + "=" + from.Domain, Domain: "example.org"}
}

func (fakeRewriter) Reverse(to smtp.Path) (smtp.Path, error) {
	rest, is := strings.CutPrefix(to.Local, "SRS0=")
	local, domain, _ := strings.Cut(rest, "=")
	if !is {
		return smtp.Path{}, errors.New("none of ours")
	}
	return smtp.Path{Local: local, Domain: domain}, nil
}

const forwards = `
away:     Eve@elsewhere.example
both:     eve@elsewhere.example, ann
far:      x@unreachable.example, ann
pair:     ann, full
`

// queueHost has aliases that lead elsewhere, and a queue.
func queueHost(t *testing.T, change ...func(*delivery.Config)) (*host, *fakeQueue) {
	path := filepath.Join(t.TempDir(), "aliases")
	if err := os.WriteFile(path, []byte(forwards), 0o600); err != nil {
		t.Fatal(err)
	}
	q := &fakeQueue{}
	return newHost(t, append(change, func(c *delivery.Config) {
		f, err := alias.Open(alias.Config{Path: path, Fold: delivery.Fold, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
		if err != nil {
			t.Fatal(err)
		}
		nobody := account.Account{UID: -1, GID: -1}
		c.Blocks[0].Aliases, c.Blocks[0].Accounts = f, book{"ann@example.org": nobody, "full@example.org": nobody}
		c.Queue, c.Rewriter = q, fakeRewriter{}
		n := 0
		c.NewID = func() string { n++; return fmt.Sprint("NEW", n) }
	})...), q
}

const receivedLMTP = "Received: from mx.example.org ([192.0.2.1])\r\n\tby mail.example.org with LMTP id ID1\r\n\tfor <%s>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"

// What an alias sends elsewhere is in the queue before it is answered.
func TestSendOn(t *testing.T) {
	for _, tt := range []struct {
		to     string
		notify smtp.Notify
		want   string // reply
		put    string // the envelope in the queue
		kept   string
	}{
		{"away@example.org", 0, "250 2.1.5 <away@example.org> Queued ID1",
			"NEW1 SRS0=bob=example.com@example.org > Eve@elsewhere.example NOTIFY= ORCPT=rfc822;away@example.org", ""},
		{"away@example.org", smtp.NotifySuccess, "250 2.1.5 <away@example.org> Queued ID1",
			"NEW1 SRS0=bob=example.com@example.org > Eve@elsewhere.example NOTIFY=SUCCESS ORCPT=rfc822;away@example.org", ""},
		{"both@example.org", smtp.NotifySuccess | smtp.NotifyFailure, "250 2.1.5 <both@example.org> Delivered ID1",
			"NEW1 SRS0=bob=example.com@example.org > eve@elsewhere.example NOTIFY=FAILURE ORCPT=rfc822;both@example.org", "ann@example.org"},
		{"both@example.org", smtp.NotifySuccess, "250 2.1.5 <both@example.org> Delivered ID1",
			"NEW1 SRS0=bob=example.com@example.org > eve@elsewhere.example NOTIFY=NEVER ORCPT=rfc822;both@example.org", "ann@example.org"},
		{"far@example.org", 0, "550 5.7.1 <far@example.org> Relaying is not permitted", "", ""},
		{"SRS0=eve=elsewhere.example@example.org", 0, "250 2.1.5 <SRS0=eve=elsewhere.example@example.org> Queued ID1",
			"NEW1 SRS0=bob=example.com@example.org > eve@elsewhere.example NOTIFY= ORCPT=rfc822;SRS0=eve=elsewhere.example@example.org", ""},
		{"eve@elsewhere.example", 0, "550 5.7.1 <eve@elsewhere.example> Relaying is not permitted", "", ""},
	} {
		h, q := queueHost(t)
		env := envelope(tt.to)
		env.Recipients[0].Notify = tt.notify
		if got := h.Recipient(t.Context(), env, env.Recipients[0]); got.Positive() != strings.HasPrefix(tt.want, "250") {
			t.Errorf("RCPT %s: %s", tt.to, got)
		}
		if got := h.deliver(env, strings.NewReader(letter))[0]; got != tt.want {
			t.Errorf("content for %s: %s, want %s", tt.to, got, tt.want)
		}
		want := ""
		if tt.put != "" {
			want = tt.put + "\n\nDelivered-To: " + tt.to + "\r\n" + fmt.Sprintf(receivedLMTP, tt.to) + letter
		}
		if got := strings.Join(q.put, "\n"); got != want {
			t.Errorf("for %s there is in the queue\n%s\nwant\n%s", tt.to, got, want)
		}
		if got := h.kept(t); got != tt.kept {
			t.Errorf("for %s there is in mailboxes %s, want %s", tt.to, got, tt.kept)
		}
	}
}

// A reverse-path of ours stays, and so does the null one.
func TestSendOnFrom(t *testing.T) {
	for from, want := range map[smtp.Path]string{
		{}:                                     "NEW1  >",
		{Local: "ann", Domain: "EXAMPLE.org"}:  "NEW1 ann@EXAMPLE.org >",
		{Local: "bob", Domain: "else.example"}: "NEW1 SRS0=bob=else.example@example.org >",
	} {
		h, q := queueHost(t)
		env := envelope("away@example.org")
		env.From = from
		if h.deliver(env, strings.NewReader(letter)); len(q.put) != 1 || !strings.HasPrefix(q.put[0], want) {
			t.Errorf("from %s: %q", from, q.put)
		}
	}
}

// Whether there is a way is asked of the reverse-path that the message goes on with.
func TestSendOnWay(t *testing.T) {
	for domain, want := range map[string]string{"example.com": "250", "example.org": "550"} {
		h, q := queueHost(t)
		q.noWayFrom = domain
		for _, to := range []string{"away@example.org", "SRS0=eve=elsewhere.example@example.org"} {
			if got := h.deliver(envelope(to), strings.NewReader(letter))[0]; !strings.HasPrefix(got, want) {
				t.Errorf("no way from %s, to %s: %s", domain, to, got)
			}
		}
	}
}

// What comes back to the alias that has sent it on goes in a circle; what others have marked does not.
func TestSendOnInCircle(t *testing.T) {
	long := strings.Repeat("X-Long: "+strings.Repeat("x", 900)+"\r\n", 40)
	for header, want := range map[string]string{
		"Delivered-To: away@example.org\r\n":             "554 5.4.6 <away@example.org> Mail loop",
		long + "DELIVERED-TO:away@example.org  \r\n":     "554 5.4.6 <away@example.org> Mail loop",
		"Delivered-To: ann@example.org\r\n":              "250 2.1.5",
		"X: y\r\n\r\nDelivered-To: away@example.org\r\n": "250 2.1.5",
	} {
		h, q := queueHost(t)
		if got := h.deliver(envelope("away@example.org"), strings.NewReader(header+letter))[0]; !strings.HasPrefix(got, want) {
			t.Errorf("%.60q: %s, want %s", header, got, want)
		}
		if (len(q.put) == 1) != strings.HasPrefix(want, "250") {
			t.Errorf("%.60q: %d in the queue", header, len(q.put))
		}
	}
}

// While the queue takes nothing the client keeps it, and has what it keeps only once.
func TestSendOnFails(t *testing.T) {
	h, q := queueHost(t)
	for _, step := range []struct {
		err  error
		want string
	}{{store.ErrFull, "452 4.3.1"}, {errors.New("locked"), "451 4.3.0"}, {nil, "250 2.1.5"}} {
		q.err = step.err
		if got := h.deliver(envelope("both@example.org"), strings.NewReader(letter))[0]; !strings.HasPrefix(got, step.want) {
			t.Errorf("%v: %s, want %s", step.err, got, step.want)
		}
	}
	if got := h.kept(t); got != "ann@example.org" || len(q.put) != 1 {
		t.Errorf("%s, and %d in the queue", got, len(q.put))
	}
}

// Who asked to hear of success hears it from here, but not of what is told from elsewhere (RFC 3461 §5.2).
func TestOwe(t *testing.T) {
	h, q := queueHost(t)
	env := envelope("ann@example.org", "away@example.org", "both@example.org", "nobody@example.org", "ann@example.org")
	for i := range 4 {
		env.Recipients[i].Notify = smtp.NotifySuccess
	}
	env.EnvID, env.Ret = "E1", smtp.RetHeaders
	h.deliver(env, strings.NewReader(letter))
	if len(q.reports) != 1 {
		t.Fatalf("%d reports", len(q.reports))
	}
	r := q.reports[0]
	var got []string
	for _, to := range r.Recipients {
		got = append(got, fmt.Sprintf("%s %s %s", to.To, to.Action, to.Reply))
	}
	want := []string{
		"ann@example.org delivered 250 2.1.5 <ann@example.org> Delivered ID1",
		"both@example.org expanded 250 2.1.5 <both@example.org> Delivered ID1",
	}
	if !slices.Equal(got, want) || r.From != env.From || r.EnvID != "E1" || r.Ret != smtp.RetHeaders || r.Content.Size() != int64(len(letter)) {
		t.Errorf("%+v\n%q", r, got)
	}
	env.From = smtp.Path{}
	if h.deliver(env, strings.NewReader(letter)); len(q.reports) != 1 {
		t.Error("a notification for the null reverse-path")
	}
}

// What is submitted is in the queue, whatever may come of it; only what never will be delivered is refused.
func TestMSA(t *testing.T) {
	h, q := queueHost(t)
	h.store.Fault = func(_ storetest.Op, mailbox string) error {
		if mailbox == "full@example.org" {
			return store.ErrOverQuota
		}
		return nil
	}
	m := h.MSA()
	env := envelope()
	env.With, env.Account, env.Answers = "ESMTPSA", "ann@example.org", smtp.OneForAll
	for to, want := range map[string]string{
		"ann@example.org":         "250 2.1.5",
		"full@example.org":        "250 2.1.5",
		"eve@elsewhere.example":   "250 2.1.5",
		"away@example.org":        "250 2.1.5",
		"nobody@example.org":      "550 5.1.1",
		"eve@unreachable.example": "550 5.7.1",
	} {
		one := envelope(to).Recipients[0]
		got := m.Recipient(t.Context(), env, one)
		if !strings.HasPrefix(got.String(), want) {
			t.Errorf("RCPT %s: %s, want %s", to, got, want)
		}
	}
	if got := h.Recipient(t.Context(), env, envelope("eve@elsewhere.example").Recipients[0]); got.Code != 550 {
		t.Errorf("who has an account and does not submit: %s", got)
	}
	env.Recipients = envelope("ann@example.org", "eve@elsewhere.example").Recipients
	got := m.Deliver(t.Context(), env, strings.NewReader(letter))
	if len(got) != 2 || got[0].String() != "250 2.0.0 Queued ID1" {
		t.Errorf("replies %q", got)
	}
	want := "ID1 bob@example.com > ann@example.org NOTIFY= ORCPT=;, eve@elsewhere.example NOTIFY= ORCPT=;\n\n" +
		"Received: from unknown (authenticated)\r\n\tby mail.example.org with ESMTPSA id ID1;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n" + letter
	if len(q.put) != 1 || q.put[0] != want {
		t.Errorf("in the queue %q, want %q", q.put, want)
	}
	if h.kept(t) != "" || !strings.Contains(h.log.String(), "msg=queued id=ID1") {
		t.Errorf("in mailboxes %s, log %s", h.kept(t), h.log.String())
	}
	q.err = store.ErrFull
	for answers, want := range map[smtp.Answers]string{
		smtp.OneForAll: "452 4.3.1 Insufficient system storage", smtp.OneEach: "452 4.3.1 <ann@example.org> Insufficient system storage",
	} {
		env.Answers = answers
		if got := m.Deliver(t.Context(), env, strings.NewReader(letter)); got[0].String() != want {
			t.Errorf("a full queue: %q", got)
		}
	}
}
