package relay

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// open makes a relay for a test. What a test leaves out of the routes does not matter to it.
func open(t testing.TB, cfg Config) *Relay {
	t.Helper()
	cfg.Fold, cfg.Hello, cfg.Now = strings.ToLower, "mda.example.org", time.Now
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	for i := range cfg.Routes {
		if cfg.Routes[i].Connections == 0 {
			cfg.Routes[i].Connections = 10
		}
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// text is a message as it is kept in the spool.
const text = "From: <ann@example.org>\r\nSubject: hi\r\n\r\n.dot\r\nhello\r\n"

// letter is a message to some at partner.example, or at other domains if they are said.
func letter(to ...string) *spool.Message {
	m := &spool.Message{ID: "1", From: smtp.Path{Local: "ann", Domain: "example.org"}, Content: content(text)}
	for _, name := range to {
		local, domain, found := strings.Cut(name, "@")
		if !found {
			domain = "partner.example"
		}
		m.Recipients = append(m.Recipients, smtp.Recipient{To: smtp.Path{Local: local, Domain: domain}})
	}
	return m
}

func content(s string) *bytes.Reader { return bytes.NewReader([]byte(s)) }

// told makes outcomes comparable: the fate and the reply.
func told(outcomes []spool.Outcome) []string {
	fates := []string{"deferred", "unknown", "delivered", "relayed", "passed on", "expanded", "bounced"}
	var lines []string
	for _, o := range outcomes {
		line := fates[o.Fate]
		if !o.Reply.IsZero() {
			line += ": " + o.Reply.String()
		}
		lines = append(lines, line)
	}
	return lines
}

// answers makes a fake say something to the lines that begin with a word.
func answers(pairs ...string) func(string) string {
	return func(line string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.HasPrefix(line, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
}

// atMost makes a fake take so many recipients in one transaction, and refuse more with a reply.
func atMost(n int, reply string) func(string) string {
	there := 0
	return func(line string) string {
		verb, _, _ := strings.Cut(line, " ")
		switch {
		case verb == "MAIL":
			there = 0
		case verb == "RCPT" && there == n:
			return reply
		case verb == "RCPT":
			there++
		}
		return ""
	}
}

var attempts = []struct {
	name   string
	server *fake
	m      *spool.Message
	want   []string // outcomes, as told
	heard  []string // of MAIL, RCPT and DATA; nil: it does not matter
}{
	{"taken", &fake{}, letter("bob"), []string{"relayed: 250 2.0.0 queued"},
		[]string{"MAIL FROM:<ann@example.org>", "RCPT TO:<bob@partner.example>", "DATA"}},
	{"RFC 3461 §5.2.1 taken by one that notifies", &fake{offers: []string{"DSN"}}, dsn(letter("bob")),
		[]string{"passed on: 250 2.0.0 queued"},
		[]string{"MAIL FROM:<ann@example.org> RET=HDRS ENVID=x", "RCPT TO:<bob@partner.example> NOTIFY=SUCCESS", "DATA"}},
	{"RFC 3461 §5.2.2 taken by one that does not", &fake{}, dsn(letter("bob")), []string{"relayed: 250 2.0.0 queued"}, nil},
	{"replies word for word",
		&fake{offers: []string{"PIPELINING"}, answer: answers("RCPT TO:<b", "450-4.2.1 Come back\n450 4.2.1 later",
			"RCPT TO:<c", "550 5.1.1 <cy@partner.example>: gone", "RCPT TO:<d", "550-old\n550 style")},
		letter("ann", "bob", "cy", "dee"),
		[]string{"relayed: 250 2.0.0 queued", "deferred: 450-4.2.1 Come back\n450 4.2.1 later", "bounced: 550 5.1.1 <cy@partner.example>: gone",
			"bounced: 550-old\n550 style"}, nil},
	{"MAIL refused for now", &fake{answer: answers("MAIL", "451 4.3.0 not now")}, letter("ann", "bob"),
		[]string{"deferred: 451 4.3.0 not now", "deferred: 451 4.3.0 not now"}, nil},
	{"MAIL refused", &fake{answer: answers("MAIL", "550 5.7.1 not you")}, letter("ann", "bob"),
		[]string{"bounced: 550 5.7.1 not you", "bounced: 550 5.7.1 not you"}, nil},
	{"content refused", &fake{answer: answers("content", "554 5.6.0 spam")}, letter("ann", "bob"),
		[]string{"bounced: 554 5.6.0 spam", "bounced: 554 5.6.0 spam"}, nil},
	{"421 in the midst", &fake{answer: answers("RCPT TO:<b", "421 4.3.2 going down")}, letter("ann", "bob"),
		[]string{"deferred: 421 4.3.2 going down", "deferred: 421 4.3.2 going down"}, nil},
	{"lost before the final dot", &fake{answer: answers("DATA", hangUp)}, letter("ann"), []string{"deferred"}, nil},
	{"lost after the final dot", &fake{answer: answers("content", hangUp)}, letter("ann", "bob"), []string{"unknown", "unknown"}, nil},
	{"garbage after the final dot", &fake{answer: answers("content", "yes?")}, letter("ann"), []string{"unknown"}, nil},

	{"RFC 5321 §4.5.3.1.10 too many recipients", &fake{answer: atMost(2, "452 4.5.3 too many")}, letter("a", "b", "c", "d", "e"),
		slices.Repeat([]string{"relayed: 250 2.0.0 queued"}, 5),
		[]string{"MAIL FROM:<ann@example.org>", "RCPT TO:<a@partner.example>", "RCPT TO:<b@partner.example>",
			"RCPT TO:<c@partner.example>", "RCPT TO:<d@partner.example>", "RCPT TO:<e@partner.example>", "DATA",
			"MAIL FROM:<ann@example.org>", "RCPT TO:<c@partner.example>", "RCPT TO:<d@partner.example>", "RCPT TO:<e@partner.example>", "DATA",
			"MAIL FROM:<ann@example.org>", "RCPT TO:<e@partner.example>", "DATA"}},
	{"too many, as it was said once", &fake{answer: atMost(1, "552 5.5.3 too many")}, letter("a", "b"),
		slices.Repeat([]string{"relayed: 250 2.0.0 queued"}, 2), nil},
	{"none taken of too many", &fake{answer: atMost(0, "452 too many")}, letter("a", "b"),
		slices.Repeat([]string{"deferred: 452 too many"}, 2), nil},
	{"a full mailbox is not too many recipients", &fake{answer: answers("RCPT TO:<b", "452 4.2.2 full")}, letter("a", "b"),
		[]string{"relayed: 250 2.0.0 queued", "deferred: 452 4.2.2 full"}, nil},
	{"RFC 9422 §4.2 as many as are known to be taken", &fake{offers: []string{"LIMITS MAILMAX=9 RCPTMAX=1"}}, letter("a", "b"),
		slices.Repeat([]string{"relayed: 250 2.0.0 queued"}, 2),
		[]string{"MAIL FROM:<ann@example.org>", "RCPT TO:<a@partner.example>", "DATA",
			"MAIL FROM:<ann@example.org>", "RCPT TO:<b@partner.example>", "DATA"}},

	{"RFC 1870 §5 larger than is known to be taken", &fake{offers: []string{"SIZE 10"}}, letter("a", "b"),
		slices.Repeat([]string{"bounced: 552 5.3.4 Message is larger than the next server takes"}, 2), nil},
	{"RFC 1870 §4 any size", &fake{offers: []string{"SIZE 0"}}, letter("a"), []string{"relayed: 250 2.0.0 queued"},
		[]string{fmt.Sprintf("MAIL FROM:<ann@example.org> SIZE=%d", len(text)), "RCPT TO:<a@partner.example>", "DATA"}},

	{"SMTPUTF8", &fake{offers: []string{"SMTPUTF8", "8BITMIME"}}, wide(letter("größe"), "é"), []string{"relayed: 250 2.0.0 queued"},
		[]string{"MAIL FROM:<ann@example.org> BODY=8BITMIME SMTPUTF8", "RCPT TO:<größe@partner.example>", "DATA"}},
	{"RFC 6531 §3.5 an address without SMTPUTF8", &fake{}, wide(letter("größe", "bob"), "e"),
		[]string{"bounced: 553 5.6.7 Address needs SMTPUTF8, which the next server lacks", "relayed: 250 2.0.0 queued"}, nil},
	{"a header without SMTPUTF8", &fake{}, wide(letter("ann", "bob"), "é"),
		slices.Repeat([]string{"bounced: 550 5.6.9 Header needs SMTPUTF8, which the next server lacks"}, 2), nil},
	{"a reverse-path without SMTPUTF8", &fake{}, wide(from("größe", letter("ann")), "e"),
		[]string{"bounced: 550 5.6.7 Reverse-path needs SMTPUTF8, which the next server lacks"}, nil},
	{"SMTPUTF8 that is not needed", &fake{}, wide(letter("ann"), "e"), []string{"relayed: 250 2.0.0 queued"},
		[]string{"MAIL FROM:<ann@example.org>", "RCPT TO:<ann@partner.example>", "DATA"}},
	{"an alias that leads to another script", &fake{offers: []string{"SMTPUTF8"}}, letter("größe"), []string{"relayed: 250 2.0.0 queued"},
		[]string{"MAIL FROM:<ann@example.org> SMTPUTF8", "RCPT TO:<größe@partner.example>", "DATA"}},
	{"8BITMIME is not insisted on", &fake{}, eightBit(letter("ann")), []string{"relayed: 250 2.0.0 queued"}, nil},
	{"RFC 3030 §3 BINARYMIME is", &fake{}, binary(letter("ann")),
		[]string{"bounced: 554 5.6.3 Message needs BINARYMIME, which the next server lacks"}, nil},
}

func dsn(m *spool.Message) *spool.Message {
	m.Ret, m.EnvID, m.Recipients[0].Notify = smtp.RetHeaders, "x", smtp.NotifySuccess
	return m
}

// wide is a message that came with SMTPUTF8, with a word in its header.
func wide(m *spool.Message, word string) *spool.Message {
	m.UTF8, m.Body, m.Content = smtp.UTF8, smtp.Body8Bit, content("Subject: "+word+"\r\n\r\né\r\n")
	return m
}

func from(local string, m *spool.Message) *spool.Message {
	m.From.Local = local
	return m
}

func eightBit(m *spool.Message) *spool.Message {
	m.Body, m.Content = smtp.Body8Bit, content("\r\né\r\n")
	return m
}

func binary(m *spool.Message) *spool.Message {
	m.Body = smtp.BodyBinary
	return m
}

func TestAttempt(t *testing.T) {
	for _, tt := range attempts {
		t.Run(tt.name, func(t *testing.T) {
			r := open(t, Config{Routes: []Route{{Servers: []client.Address{at("a")}, Security: client.Security{}}}, Dial: network{"a:25": tt.server}.dial(t)})
			tiny := letter("first")
			tiny.Content = content("\r\n")
			if strings.Contains(tt.name, "known") {
				if _, err := r.Attempt(t.Context(), "smtp://a:25", tiny); err != nil {
					t.Fatal(err)
				}
			}
			tt.server.forget()
			outcomes, err := r.Attempt(t.Context(), "smtp://a:25", tt.m)
			if got := told(outcomes); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
			for _, o := range outcomes {
				if mine := o.Reply == tooBig || o.Reply == notUTF8 || o.Reply == fromUTF8 || o.Reply == headUTF8 || o.Reply == notBinary; (o.Server == "mx.example.net") == mine {
					t.Errorf("%s, by %q", told([]spool.Outcome{o}), o.Server)
				}
				if (o.Cause == nil) == o.Reply.IsZero() {
					t.Errorf("%s, because of %v", told([]spool.Outcome{o}), o.Cause)
				}
			}
			heard := tt.server.heard("MAIL", "RCPT", "DATA")
			if tt.heard != nil && !slices.Equal(heard, tt.heard) {
				t.Errorf("heard %q, want %q", heard, tt.heard)
			}
		})
	}
}
