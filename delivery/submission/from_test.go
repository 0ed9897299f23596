package submission_test

import (
	"fmt"
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
)

// What From may be for an account ann@example.org: her own, in any form that there is, and nothing that a program may take for
// somebody else's.
func TestFrom(t *testing.T) {
	for _, test := range []struct {
		from string
		good bool
	}{
		{"From: ann@example.org", true},
		{"FROM : <ann@example.org>", true},
		{"From: Ann Example <ann@example.org>", true},
		{"From: \"Bob <bob@example.org>\" <ann@example.org>", true},
		{"From: =?utf-8?q?bob=40example=2Eorg?= <ann@example.org>", true},
		{"From: =?x-unknown?q?Ann?= <ann@example.org>", true},
		{"From: ann@example.org (bob@example.org)", true},
		{"From: Ann\r\n <ann@example.org>", true},
		{"From: ann+list@example.org", true},
		{"From: ann", true},
		{"From: Ann <ann>", true},
		{"From: ann@example.org, ann+x@example.org", true},
		{"From: us: ann@example.org;", true},
		{"Subject: no From at all", true},
		{"From: bob@example.org", false},
		{"From: Ann <bob@example.org>", false},
		{"From: bob", false},
		{"From: Ann <bob>", false},
		{"From: ann@example.org, bob@example.org", false},
		{"From: us: ann@example.org, bob@example.org;", false},
		{"From: us:;", false},
		{"From:", false},
		{"From: ann@example.org\r\nFrom: bob@example.org", false},
		{"From: ann@example.org\r\nfrom: ann@example.org", false},
		{"From: <bob@example.org> ann@example.org", false},
		{"From: ann@example.org <bob@example.org>", false},
		{"From: \"ann@example.org", false},
		{"From: ann@example.org\r\n, bob@example.org", true}, // the second line is no field and no continuation: it begins the body
		{"From: ann@example.org" + strings.Repeat(" ", 70_000), false},
		{"From: " + strings.Repeat("(", 10_000), false},
		{"From: ann@example.org\x00", false},
		{"From" + strings.Repeat(" ", 300) + ": ann@example.org", true},
		{"From" + strings.Repeat(" ", 300) + ": bob@example.org", false},
		{"From" + strings.Repeat("\t", 10_000) + ": bob@example.org", false},
		{"From: ann@example.org\r\nFrom" + strings.Repeat(" ", 10_000) + ": bob@example.org", false},
		{"From: bob, <ann>", false},
		{"From: bob; <ann>", false},
		{"From: ann@example.org, Bob <bob>", false},
		{"From: ann@example.org\r\n .evil.example", false},
		{"From: ann@example.org\r\n \r\n ,bob@example.org", false},
		{"From: \"<bob@example.org>\" <ann@example.org>", true},
		{"From: \"\\\" <bob@example.org>\" <ann@example.org>", true},
		{"From: \"ann@example.org\"@example.net", false},
		{"From: =?utf-8?q?ann=40example=2Eorg?=", false},
		{"From: <@example.net:ann@example.org>", false},
		{"From: ann@example.org" + strings.Repeat(", ann@example.org", 1000), true},
		{"From: ann@example.org" + details(101), false},
		{"From: ann@example.org, ann+x@example.org\r\nSender: ann+x@example.org", true},
		{"From: ann@example.org, ann+x@example.org\r\nSender: bob@example.org", false},
		{"Sender: bob@example.org\r\nFrom: ann@example.org", false},
		{"Sender: ann@example.org\r\nFrom: ann@example.org\r\nSender: ann@example.org", false},
		{"Sender: ann", true},
		{"X-From: bob@example.org\r\nReply-To: bob@example.org", true},
	} {
		d := newDesk()
		got := d.say(env("ann@example.org", "ann@example.org", 1), test.from+"\r\n\r\n")
		if (got == "250 Delivered") != test.good {
			t.Errorf("%.100q: %s", test.from, got)
		}
	}
}

// details are so many addresses of the account.
func details(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, ", ann+%d@example.org", i)
	}
	return b.String()
}

// A refusal is about the message, and not about a recipient; only where each recipient hears its own is it named, as in all such
// replies.
func TestFromIsRefused(t *testing.T) {
	for answers, want := range map[smtp.Answers]string{
		smtp.OneForAll: "550 5.7.1 From is not an address of yours",
		smtp.OneEach:   "550 5.7.1 <bob@example.org> From is not an address of yours",
	} {
		d, e := newDesk(), env("ann@example.org", "ann@example.org", 2)
		e.Answers = answers
		replies := d.Handler.Deliver(t.Context(), e, strings.NewReader("From: bob@example.org\r\n\r\n"))
		if len(replies) != 2 || replies[1].String() != want || len(d.kept) > 0 {
			t.Errorf("%v, want %s", replies, want)
		}
	}
	d := newDesk()
	if got, want := d.say(env("ann@example.org", "", 1), "Sender: bob@example.org\r\n\r\n"), "550 5.7.1 Sender is not an address of yours"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// FuzzFrom: whoever is let through has the account's address in From, or none.
func FuzzFrom(f *testing.F) {
	f.Add("Ann <ann@example.org>")
	f.Add("us: ann@example.org, bob@example.org;")
	f.Add("=?utf-8?q?x?= <ann>")
	f.Fuzz(func(t *testing.T, from string) {
		if strings.ContainsAny(from, "\r\n") {
			return
		}
		got := newDesk().say(env("ann@example.org", "", 1), "From: "+from+"\r\n\r\n")
		if got == "250 Delivered" && !strings.Contains(from, "ann") {
			t.Errorf("%q is let through", from)
		}
	})
}
