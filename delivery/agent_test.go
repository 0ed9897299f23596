package delivery_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
	"lmtpd/store/storetest"
)

var noon = time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)

// A host is an agent with a store in memory and a log that can be read.
type host struct {
	*delivery.Agent
	store *storetest.Memory
	log   bytes.Buffer
}

func newHost(t *testing.T, change ...func(*delivery.Config)) *host {
	t.Helper()
	h := &host{store: &storetest.Memory{}}
	cfg := delivery.Config{
		Hostname: "mail.example.org",
		Blocks:   []delivery.Block{{Domains: []string{"example.org", "Example.NET"}, Store: h.store}},
		TempDir:  t.TempDir(),
		Now:      func() time.Time { return noon },
		Log:      slog.New(slog.NewTextHandler(&h.log, nil)),
	}
	for _, f := range change {
		f(&cfg)
	}
	a, err := delivery.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	h.Agent = a
	return h
}

func envelope(to ...string) *smtp.Envelope {
	env := &smtp.Envelope{
		ID: "ID1", Session: "S1", With: "LMTP",
		Peer: smtp.Client{Hello: "mx.example.org", Addr: netip.MustParseAddrPort("192.0.2.1:1234")},
		From: smtp.Path{Local: "bob", Domain: "example.com"},
	}
	for _, a := range to {
		p, err := smtp.ParseMailbox(a, smtp.UTF8)
		if err != nil {
			panic(err)
		}
		env.Recipients = append(env.Recipients, smtp.Recipient{To: p})
	}
	return env
}

func (h *host) deliver(env *smtp.Envelope, r io.Reader) []string {
	var replies []string
	for _, r := range h.Deliver(context.Background(), env, r) {
		replies = append(replies, r.String())
	}
	return replies
}

const letter = "Subject: hello\r\n\r\nHello\r\n"

func TestDeliver(t *testing.T) {
	h := newHost(t)
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		return map[string]error{
			"full@example.org":   fmt.Errorf("write: %w", store.ErrFull),
			"quota@example.org":  store.ErrOverQuota,
			"busy@example.org":   store.ErrBusy,
			"gone@example.org":   store.ErrNoMailbox,
			"broken@example.org": errors.New("secret path /var/mail/broken"),
		}[mailbox]
	}
	got := h.deliver(envelope("ann@example.org", "full@example.org", "quota@example.org", "busy@example.org",
		"gone@example.org", "broken@example.org", "x@elsewhere.example", "ben@example.net"), strings.NewReader(letter))
	want := []string{
		"250 2.1.5 <ann@example.org> Delivered ID1",
		"452 4.3.1 <full@example.org> Insufficient system storage",
		"452 4.2.2 <quota@example.org> Mailbox is over quota",
		"451 4.2.0 <busy@example.org> Mailbox is busy",
		"550 5.1.1 <gone@example.org> No such mailbox",
		"451 4.3.0 <broken@example.org> Temporary failure, try again later",
		"550 5.7.1 <x@elsewhere.example> Relaying is not permitted",
		"250 2.1.5 <ben@example.net> Delivered ID1",
	}
	if !slices.Equal(got, want) {
		t.Errorf("replies\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	lines := strings.Split(strings.TrimSpace(h.log.String()), "\n")
	if len(lines) != len(want) {
		t.Fatalf("%d log lines for %d recipients:\n%s", len(lines), len(want), h.log.String())
	}
	for i, status := range []string{"delivered", "deferred", "deferred", "deferred", "bounced", "deferred", "bounced", "delivered"} {
		if !strings.Contains(lines[i], "status="+status) {
			t.Errorf("log line %d: %s", i, lines[i])
		}
	}
	if !strings.Contains(lines[5], `cause="secret path /var/mail/broken"`) {
		t.Errorf("the cause is not in the log: %s", lines[5])
	}
}

// Several recipients with one mailbox: stored once, answered each.
func TestDeliverDuplicates(t *testing.T) {
	h := newHost(t)
	got := h.deliver(envelope("ann@example.org", "ben@example.org", "ANN@EXAMPLE.ORG", "ann@example.org"), strings.NewReader(letter))
	if len(got) != 4 || !strings.HasPrefix(got[2], "250 2.1.5 <ANN@EXAMPLE.ORG>") {
		t.Errorf("replies %q", got)
	}
	if n := len(h.store.All("ann@example.org", "")); n != 1 {
		t.Errorf("stored %d times, want once", n)
	}
	if n := strings.Count(h.log.String(), "\n"); n != 4 {
		t.Errorf("%d log lines, want 4", n)
	}
}

func TestTrace(t *testing.T) {
	v6 := smtp.Client{Hello: "client.example", Name: "c.example", Addr: netip.MustParseAddrPort("[2001:db8::1]:25"), Proto: "ESMTP", ID: "4X"}
	for name, tc := range map[string]struct {
		change func(*smtp.Envelope)
		want   string
	}{
		"one recipient": {func(*smtp.Envelope) {}, "Return-Path: <bob@example.com>\r\nDelivered-To: ann@example.org\r\n" +
			"Received: from mx.example.org ([192.0.2.1])\r\n\tby mail.example.org with LMTP id ID1\r\n\tfor <ann@example.org>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
		"several recipients": {func(e *smtp.Envelope) { e.Recipients = append(e.Recipients, e.Recipients[0]) },
			"Return-Path: <bob@example.com>\r\nDelivered-To: ann@example.org\r\n" +
				"Received: from mx.example.org ([192.0.2.1])\r\n\tby mail.example.org with LMTP id ID1;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
		"null reverse-path, unix socket, hostile hello": {func(e *smtp.Envelope) {
			e.From, e.Peer = smtp.Path{}, smtp.Client{Hello: "a)(b;\"c"}
		}, "Return-Path: <>\r\nDelivered-To: ann@example.org\r\n" +
			"Received: from a??b??c (unix socket)\r\n\tby mail.example.org with LMTP id ID1\r\n\tfor <ann@example.org>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
		"ORCPT that differs": {func(e *smtp.Envelope) {
			e.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "info@example.org"}
		}, "Return-Path: <bob@example.com>\r\nX-Original-To: info@example.org\r\nDelivered-To: ann@example.org\r\n" +
			"Received: from mx.example.org ([192.0.2.1])\r\n\tby mail.example.org with LMTP id ID1\r\n\tfor <ann@example.org>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
		"ORCPT that does not": {func(e *smtp.Envelope) {
			e.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "ann@example.org"}
		}, "Return-Path: <bob@example.com>\r\nDelivered-To: ann@example.org\r\n" +
			"Received: from mx.example.org ([192.0.2.1])\r\n\tby mail.example.org with LMTP id ID1\r\n\tfor <ann@example.org>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
		"XFORWARD": {func(e *smtp.Envelope) { e.Origin = v6 }, "Return-Path: <bob@example.com>\r\nDelivered-To: ann@example.org\r\n" +
			"Received: from mx.example.org ([192.0.2.1])\r\n\t(for client client.example c.example [IPv6:2001:db8::1] with ESMTP id 4X)\r\n" +
			"\tby mail.example.org with LMTP id ID1\r\n\tfor <ann@example.org>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
		"XFORWARD that knows nothing": {func(e *smtp.Envelope) { e.Origin.Addr = netip.AddrPortFrom(netip.Addr{}, 25) },
			"Return-Path: <bob@example.com>\r\nDelivered-To: ann@example.org\r\n" +
				"Received: from mx.example.org ([192.0.2.1])\r\n\tby mail.example.org with LMTP id ID1\r\n\tfor <ann@example.org>;\r\n\tFri, 20 Nov 2026 12:00:00 +0000\r\n"},
	} {
		t.Run(name, func(t *testing.T) {
			h, env := newHost(t), envelope("ann@example.org")
			tc.change(env)
			h.deliver(env, strings.NewReader(letter))
			if got := h.store.All("ann@example.org", "")[0]; got != tc.want+letter {
				t.Errorf("kept\n%s\nwant\n%s", got, tc.want+letter)
			}
		})
	}
}

// Where somebody writes mail from who has authenticated is nobody's business but the operator's.
func TestTraceOfAuthenticated(t *testing.T) {
	shown := "mx.example.org ([192.0.2.1])\r\n\t(for client laptop.home)"
	for name, tc := range map[string]struct {
		account string
		tell    delivery.Disclosure
		want    string
	}{
		"authenticated":        {"ann@example.org", delivery.HideClient, "unknown (authenticated)"},
		"authenticated, shown": {"ann@example.org", delivery.ShowClient, shown},
		"not authenticated":    {"", delivery.HideClient, shown},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t, func(c *delivery.Config) { c.Authenticated = tc.tell })
			env := envelope("ann@example.org")
			env.With, env.Account, env.Origin.Hello = "ESMTPSA", tc.account, "laptop.home"
			h.deliver(env, strings.NewReader(letter))
			want := "Received: from " + tc.want + "\r\n\tby mail.example.org with ESMTPSA id ID1\r\n"
			if got := h.store.All("ann@example.org", "")[0]; !strings.Contains(got, want) {
				t.Errorf("kept\n%s\nwant\n%s", got, want)
			}
			if logged := strings.Contains(h.log.String(), "account=ann@example.org"); logged != (tc.account != "") {
				t.Errorf("the log says %s", h.log.String())
			}
		})
	}
}

// What the client said about the origin is in the log line.
func TestLogTellsTheOrigin(t *testing.T) {
	h, env := newHost(t), envelope("ann@example.org")
	env.EnvID = "env 1"
	env.Recipients[0].Original = smtp.OriginalRecipient{Type: "rfc822", Address: "info@example.org"}
	env.Origin = smtp.Client{Addr: netip.MustParseAddrPort("192.0.2.9:25"), ID: "4X"}
	h.deliver(env, strings.NewReader(letter))
	for _, want := range []string{`envid="env 1"`, "orcpt=rfc822;info@example.org", "client=192.0.2.9", "client_id=4X", "id=ID1",
		"session=S1", "from=<bob@example.com>", "to=<ann@example.org>", "mailbox=ann@example.org", `folder=""`, "size=25", "delay=0", "dsn=2.1.5"} {
		if !strings.Contains(h.log.String(), want) {
			t.Errorf("%s is not in %s", want, h.log.String())
		}
	}
}

func TestRecipient(t *testing.T) {
	h := newHost(t)
	h.store.Quota = 100
	h.store.Fault = func(op storetest.Op, mailbox string) error {
		if mailbox == "unsure@example.org" {
			return context.DeadlineExceeded
		}
		return nil
	}
	for to, want := range map[string]string{
		"ann@example.org":     "250 2.1.5 <ann@example.org> Recipient OK",
		"Ann@EXAMPLE.org":     "250 2.1.5 <Ann@EXAMPLE.org> Recipient OK",
		"unsure@example.org":  "451 4.3.0 <unsure@example.org> Temporary failure, try again later",
		"x@elsewhere.example": "550 5.7.1 <x@elsewhere.example> Relaying is not permitted",
		"postmaster":          "250 2.1.5 <postmaster> Recipient OK",
		`".."@example.org`:    `550 5.1.1 <".."@example.org> No such mailbox`,
		"a/b@example.org":     "550 5.1.1 <a/b@example.org> No such mailbox",
	} {
		env := envelope(to)
		if got := h.Recipient(context.Background(), env, env.Recipients[0]); got.String() != want {
			t.Errorf("%s: %s, want %s", to, got, want)
		}
	}
	env := envelope("ann@example.org")
	env.Size = 101
	if r := h.Recipient(context.Background(), env, env.Recipients[0]); r.Code != 452 || r.Status != smtp.StatusMailboxFull {
		t.Errorf("over quota by SIZE=: %s", r)
	}
}

// A recipient asked about without a message (VRFY) leaves no line in the log.
func TestRecipientWithoutMessage(t *testing.T) {
	h, env := newHost(t), envelope("x@elsewhere.example")
	env.ID = ""
	if r := h.Recipient(context.Background(), env, env.Recipients[0]); !r.Permanent() {
		t.Errorf("%s", r)
	}
	if h.log.Len() > 0 {
		t.Errorf("logged %s", h.log.String())
	}
}

func TestNewRefuses(t *testing.T) {
	s := &storetest.Memory{}
	for name, blocks := range map[string][]delivery.Block{
		"no domain":             {{Store: s}},
		"a domain in two ones":  {{Domains: []string{"a.example"}, Store: s}, {Domains: []string{"A.example"}, Store: s}},
		"no block":              nil,
		"a domain twice in one": {{Domains: []string{"a.example", "a.example"}, Store: s}},
	} {
		if _, err := delivery.New(delivery.Config{Blocks: blocks}); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
}

// Two blocks with their own stores: each gets its own recipients, and replies stay in order.
func TestTwoStores(t *testing.T) {
	other := &storetest.Memory{}
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks = append(c.Blocks, delivery.Block{Domains: []string{"other.example"}, Store: other})
	})
	got := h.deliver(envelope("ann@other.example", "ben@example.org", "cy@other.example"), strings.NewReader(letter))
	for i, want := range []string{"ann@other.example", "ben@example.org", "cy@other.example"} {
		if !strings.HasPrefix(got[i], "250 2.1.5 <"+want) {
			t.Errorf("reply %d: %s", i, got[i])
		}
	}
	if len(other.All("cy@other.example", "")) != 1 || len(h.store.All("ben@example.org", "")) != 1 {
		t.Error("a message is in the wrong store")
	}
}

// A store that does not say what became of a copy has not delivered it.
func TestStoreThatSaysNothing(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) { c.Blocks[0].Store = silent{} })
	got := h.deliver(envelope("ann@example.org", "ben@example.org"), strings.NewReader(letter))
	if len(got) != 2 || !strings.HasPrefix(got[0], "451 4.3.0") || !strings.HasPrefix(got[1], "451 4.3.0") {
		t.Errorf("replies %q", got)
	}
}

type silent struct{ store.Store }

func (silent) Deliver(context.Context, store.Content, []store.Placement) []error { return nil }

// Letters have case, what looks alike is alike, and no letter of another script becomes an ASCII one.
func TestMailboxName(t *testing.T) {
	for in, want := range map[string]string{
		"Ann": "ann", "JÜRGEN": "jürgen", "\u212aate": "\u212aate", "ΑΝΝ": "ανν",
		"Rene\u0301": "ren\u00e9", "\u212ae\u0301\u037e": "\u212a\u00e9\u037e", "\u212bsa": "\u00e5sa", "\u0130\u0330": "\u1e2d\u0307",
	} {
		got, err := delivery.MailboxName(smtp.Path{Local: in, Domain: "Example.ORG"}, "")
		if err != nil || got != want+"@example.org" {
			t.Errorf("%s: %s, %v", in, got, err)
		}
	}
}

// A panic in one store is the trouble of its recipients, wherever it runs.
func TestPanicInASecondStore(t *testing.T) {
	h := newHost(t, func(c *delivery.Config) {
		c.Blocks = append(c.Blocks, delivery.Block{Domains: []string{"other.example"}, Store: panicky{}})
	})
	got := h.deliver(envelope("ann@example.org", "ben@other.example", "cy@example.org"), strings.NewReader(letter))
	for i, want := range []string{"250 2.1.5 <ann", "451 4.3.0 <ben", "250 2.1.5 <cy"} {
		if !strings.HasPrefix(got[i], want) {
			t.Errorf("reply %d: %s", i, got[i])
		}
	}
}

type panicky struct{ store.Store }

func (panicky) Deliver(context.Context, store.Content, []store.Placement) []error { panic("broken") }

// Without room for a message MAIL is the place to say so; that it cannot be told is no other answer.
func TestNoRoom(t *testing.T) {
	for want, err := range map[string]error{
		"250 2.1.0": nil, "452 4.3.1": fmt.Errorf("%w: 1 octet free", store.ErrFull), "451 4.3.0": errors.New("disk on fire"),
	} {
		var asked int64
		h := newHost(t, func(c *delivery.Config) {
			c.Room = func(_ context.Context, size int64) error { asked = size; return err }
		})
		if got := h.Sender(t.Context(), &smtp.Envelope{Size: 7}).String(); !strings.HasPrefix(got, want) || asked != 7 {
			t.Errorf("%v: MAIL %s for %d octets, want %s", err, got, asked, want)
		}
		if (err != nil) != strings.Contains(h.log.String(), "no room") {
			t.Errorf("%v: the log says %q", err, h.log.String())
		}
	}
}
