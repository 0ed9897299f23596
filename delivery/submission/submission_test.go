package submission_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery/submission"
	"lmtpd/protocol/smtp"
)

// An office is an agent that keeps what it is given, unless it is to fail, and knows whose addresses are whose.
type office struct {
	kept      []string
	fails     []smtp.Reply // of the recipients, instead
	abandoned int
	during    func() // what happens while it delivers
}

func (o *office) Sender(context.Context, *smtp.Envelope) smtp.Reply {
	return smtp.Reply{Code: 250, Status: smtp.StatusAddress, Text: "Sender OK"}
}

func (o *office) Recipient(context.Context, *smtp.Envelope, smtp.Recipient) smtp.Reply {
	return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient OK"}
}

func (o *office) Abandon(*smtp.Envelope) { o.abandoned++ }

func (o *office) Deliver(_ context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	content, err := io.ReadAll(r)
	if o.during != nil {
		o.during()
	}
	refusal, refused := errors.AsType[smtp.Reply](err)
	replies := make([]smtp.Reply, len(env.Recipients))
	for i, to := range env.Recipients {
		replies[i] = smtp.Reply{Code: 250, Text: "Delivered"}
		if refused { // which it takes for one about the recipients
			replies[i] = refusal.For(to.To)
		}
	}
	if o.fails != nil {
		return o.fails
	}
	if err == nil {
		o.kept = append(o.kept, string(content))
	}
	return replies
}

// Owns says that accounts are addresses, and own themselves with any detail; "later" cannot be told.
func (o *office) Owns(_ context.Context, account string, a smtp.Path) (bool, error) {
	if a.Local == "later" {
		return false, errors.New("accounts are out of reach")
	}
	local, _, _ := strings.Cut(a.Local, "+")
	if a.Domain == "" {
		a.Domain = "example.org"
	}
	return local+"@"+a.Domain == account, nil
}

// desk is a Handler and what is behind it.
type desk struct {
	*submission.Handler
	*office
	log  bytes.Buffer
	time time.Time
}

func newDesk(change ...func(*submission.Config)) *desk {
	d := &desk{office: &office{}, time: time.Date(2026, 11, 28, 10, 0, 0, 0, time.UTC)}
	cfg := submission.Config{
		Agent: d.office, Owners: d.office, Hostname: "mail.example.org",
		Now: func() time.Time { return d.time }, Log: slog.New(slog.NewTextHandler(&d.log, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	d.Handler = submission.New(cfg)
	return d
}

// env is an envelope of an account, with some recipients.
func env(account, from string, recipients int) *smtp.Envelope {
	e := &smtp.Envelope{ID: "ID1", Account: account, Answers: smtp.OneForAll}
	e.From.Local, e.From.Domain, _ = strings.Cut(from, "@")
	for range recipients {
		e.Recipients = append(e.Recipients, smtp.Recipient{To: smtp.Path{Local: "bob", Domain: "example.org"}})
	}
	return e
}

// say says what the whole of a transaction is answered: MAIL, RCPT or the content.
func (d *desk) say(e *smtp.Envelope, content string) string {
	ctx, all := context.Background(), e.Recipients
	if r := d.Handler.Sender(ctx, e); !r.Positive() {
		return "MAIL " + r.String()
	}
	for i := range all {
		e.Recipients = all[:i]
		if r := d.Handler.Recipient(ctx, e, all[i]); !r.Positive() {
			return "RCPT " + r.String()
		}
	}
	e.Recipients = all
	return d.Handler.Deliver(ctx, e, strings.NewReader(content))[0].String()
}

const letter = "From: Ann <ann@example.org>\r\nDate: x\r\nMessage-ID: <x@y>\r\n\r\nHello.\r\n"

// RFC 6409 §4.3, §6.1: who submits, and as whom.
func TestWho(t *testing.T) {
	anybody := func(c *submission.Config) { c.Sender, c.From = submission.Any, submission.Any }
	trusted := env("", "x@example.net", 1)
	trusted.Submitter = true
	for _, test := range []struct {
		name    string
		env     *smtp.Envelope
		content string
		change  []func(*submission.Config)
		want    string
	}{
		{"nobody", env("", "ann@example.org", 1), letter, nil, "MAIL 530 5.7.0 Authentication required"},
		{"who need not authenticate", trusted, letter, nil, "250 Delivered"},
		{"own", env("ann@example.org", "ann@example.org", 1), letter, nil, "250 Delivered"},
		{"own with a detail", env("ann@example.org", "ann+list@example.org", 1), letter, nil, "250 Delivered"},
		{"null", env("ann@example.org", "", 1), letter, nil, "250 Delivered"},
		{"another's", env("ann@example.org", "bob@example.org", 1), letter, nil, "MAIL 550 5.7.1 Not an address of yours"},
		{"not told", env("ann@example.org", "later@example.org", 1), letter, nil, "MAIL 451 4.3.0 Temporary failure, try again later"},
		{"another's, and let be", env("ann@example.org", "bob@example.org", 1), "From: eve@example.net\r\n\r\n", []func(*submission.Config){anybody}, "250 Delivered"},
		{"From of another", env("ann@example.org", "ann@example.org", 1), "From: bob@example.org\r\n\r\n", nil, "550 5.7.1 From is not an address of yours"},
		{"From not told", env("ann@example.org", "ann@example.org", 1), "From: later@example.org\r\n\r\n", nil, "451 4.3.0 Temporary failure, try again later"},
		{"From of another under the null reverse-path", env("ann@example.org", "", 1), "From: bob@example.org\r\n\r\n", nil, "550 5.7.1 From is not an address of yours"},
	} {
		t.Run(test.name, func(t *testing.T) {
			d := newDesk(test.change...)
			if got := d.say(test.env, test.content); got != test.want {
				t.Errorf("answered %q, want %q", got, test.want)
			}
			if (len(d.kept) == 1) != (test.want == "250 Delivered") {
				t.Errorf("kept are %q", d.kept)
			}
			if strings.HasPrefix(test.want, "MAIL 550") && !strings.Contains(d.log.String(), "account=ann@example.org address=bob@example.org") {
				t.Errorf("logged is %q", d.log.String())
			}
		})
	}
	d := newDesk()
	if r := d.Handler.Recipient(t.Context(), env("", "", 0), smtp.Recipient{}); r.Code != 530 {
		t.Errorf("VRFY of nobody: %v", r)
	}
}

// Limits are on what was taken, for each account, and go on with the time.
func TestLimits(t *testing.T) {
	const (
		limit   = "450 4.7.1 Sending limit reached, try again later"
		refused = "450 4.7.1 <bob@example.org> Sending limit reached, try again later"
	)
	limits := func(l submission.Limits) func(*submission.Config) { return func(c *submission.Config) { c.Limits = l } }
	ann := func(n int) *smtp.Envelope { return env("ann@example.org", "ann@example.org", n) }
	t.Run("messages per hour", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{MessagesPerHour: 2}))
		for i, want := range []string{"250 Delivered", "250 Delivered", "MAIL " + limit, "MAIL " + limit} {
			if got := d.say(ann(1), letter); got != want {
				t.Errorf("message %d: %s", i+1, got)
			}
		}
		if got := d.say(env("bob@example.org", "bob@example.org", 1), "\r\n"); got != "250 Delivered" {
			t.Errorf("another: %s", got)
		}
		if !strings.Contains(d.log.String(), `msg="submission limit reached" id=ID1 session="" account=ann@example.org limit=messages_per_hour`) {
			t.Errorf("logged is %s", d.log.String())
		}
		d.time = d.time.Add(59 * time.Minute)
		if got := d.say(ann(1), letter); got != "MAIL "+limit {
			t.Errorf("within the hour: %s", got)
		}
		d.time = d.time.Add(7 * time.Minute)
		if got := d.say(ann(1), letter); got != "250 Delivered" {
			t.Errorf("after the hour: %s", got)
		}
	})
	t.Run("recipients per day", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{RecipientsPerDay: 10}))
		for i, test := range []struct {
			recipients int
			want       string
		}{{6, "250 Delivered"}, {5, "RCPT " + refused}, {4, "250 Delivered"}, {1, "RCPT " + refused}} {
			if got := d.say(ann(test.recipients), letter); got != test.want {
				t.Errorf("message %d: %s", i+1, got)
			}
		}
		d.time = d.time.Add(23 * time.Hour)
		if got := d.say(ann(1), letter); got != "RCPT "+refused {
			t.Errorf("within the day: %s", got)
		}
		d.time = d.time.Add(2 * time.Hour)
		if got := d.say(ann(10), letter); got != "250 Delivered" {
			t.Errorf("after the day: %s", got)
		}
	})
	t.Run("what is not taken", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{MessagesPerHour: 1, RecipientsPerHour: 2}))
		d.fails = []smtp.Reply{{Code: 250}, {Code: 451}}
		d.say(ann(2), letter)
		d.fails = nil
		if got := d.say(ann(2), "From: bob@example.org\r\n\r\n"); got[:3] != "550" {
			t.Errorf("another's From: %s", got)
		}
		if got := d.say(ann(2), letter); got != "250 Delivered" {
			t.Errorf("what failed before was counted: %s", got)
		}
	})
	t.Run("given back later than taken", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{RecipientsPerHour: 10}))
		d.time = d.time.Add(4*time.Minute + 59*time.Second)
		d.fails = make([]smtp.Reply, 10)
		for i := range d.fails {
			d.fails[i].Code = 451
		}
		d.during = func() { d.time = d.time.Add(2 * time.Second) }
		d.say(ann(10), letter)
		d.fails, d.during = nil, nil
		d.time = d.time.Add(59 * time.Minute)
		if got := d.say(ann(10), letter); got != "250 Delivered" {
			t.Errorf("after the hour: %s", got)
		}
		if got := d.say(ann(10), letter); got != "RCPT "+refused {
			t.Errorf("twice as much as the limit: %s", got)
		}
	})
	t.Run("at once", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{MessagesPerDay: 1}))
		first, second := ann(1), ann(1)
		d.Handler.Sender(t.Context(), first)
		d.Handler.Sender(t.Context(), second)
		d.Handler.Deliver(t.Context(), first, strings.NewReader(letter))
		if r := d.Handler.Deliver(t.Context(), second, strings.NewReader(letter)); r[0].Code != 450 || len(d.kept) != 1 || d.abandoned != 1 {
			t.Errorf("%v, kept %d, abandoned %d", r, len(d.kept), d.abandoned)
		}
	})
	t.Run("a panic", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{MessagesPerHour: 1}))
		func() {
			defer func() { _ = recover() }()
			d.Handler.Deliver(t.Context(), ann(1), panicky{})
		}()
		if got := d.say(ann(1), letter); got != "250 Delivered" {
			t.Errorf("what came to nothing was counted: %s", got)
		}
	})
	t.Run("a clock that was wrong", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{MessagesPerHour: 1}))
		now := d.time
		d.time = now.AddDate(4, 0, 0)
		d.say(ann(1), letter)
		for i, test := range []struct {
			time time.Time
			want string
		}{{now, "250 Delivered"}, {now.Add(-10 * time.Minute), "MAIL " + limit}, {now.Add(2 * time.Hour), "250 Delivered"}} {
			d.time = test.time
			if got := d.say(ann(1), letter); got != test.want {
				t.Errorf("message %d: %s", i+1, got)
			}
		}
	})
	t.Run("without an account", func(t *testing.T) {
		d := newDesk(limits(submission.Limits{MessagesPerHour: 1}))
		from := func(addr string) *smtp.Envelope {
			e := env("", "x@example.net", 1)
			e.Submitter, e.Peer.Addr = true, netip.MustParseAddrPort(addr)
			return e
		}
		for _, test := range []struct{ addr, want string }{{"192.0.2.1:1", "250"}, {"192.0.2.1:2", "MAI"}, {"[::ffff:192.0.2.1]:3", "MAI"}, {"192.0.2.2:1", "250"}} {
			if got := d.say(from(test.addr), letter); got[:3] != test.want {
				t.Errorf("%s: %s", test.addr, got)
			}
		}
	})
}

func (d *desk) clock() time.Time { return d.time }

// A counter is an agent that counts octets.
type counter struct {
	office
	octets int64
}

func (c *counter) Deliver(_ context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	n, err := io.Copy(io.Discard, r)
	if err != nil {
		return nil
	}
	c.octets += n
	return make([]smtp.Reply, len(env.Recipients))
}

// panicky is content that nobody can read.
type panicky struct{}

func (panicky) Read([]byte) (int, error) { panic("broken") }

// endless is content without an end.
type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}
