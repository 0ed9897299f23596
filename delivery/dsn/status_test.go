package dsn_test

import (
	"strings"
	"testing"

	"lmtpd/delivery/dsn"
	"lmtpd/protocol/smtp"
)

func TestStatus(t *testing.T) {
	for _, tt := range []struct {
		action dsn.Action
		reply  smtp.Reply
		want   string
	}{
		{dsn.Failed, smtp.Reply{Code: 550, Status: "1.1"}, "5.1.1"},
		{dsn.Failed, smtp.Reply{Code: 550}, "5.0.0"},                // RFC 3461 §6.3
		{dsn.Failed, smtp.Reply{Code: 452, Status: "2.2"}, "4.2.2"}, // given up
		{dsn.Failed, smtp.Reply{Code: 451}, "4.0.0"},
		{dsn.Failed, smtp.Reply{}, "4.4.7"},
		{dsn.Failed, smtp.Reply{Code: 250, Status: "1.5"}, "5.0.0"}, // nonsense stays in its class
		{dsn.Failed, smtp.Reply{Code: 354, Status: "1.5"}, "5.0.0"},
		{dsn.Delayed, smtp.Reply{Code: 451, Status: "3.0"}, "4.3.0"},
		{dsn.Delayed, smtp.Reply{Code: 421}, "4.0.0"},
		{dsn.Delayed, smtp.Reply{Code: 550, Status: "1.1"}, "4.0.0"},
		{dsn.Delayed, smtp.Reply{}, "4.4.1"},
		{dsn.Delivered, smtp.Reply{Code: 250, Status: "1.5"}, "2.1.5"},
		{dsn.Relayed, smtp.Reply{Code: 250}, "2.0.0"},
		{dsn.Expanded, smtp.Reply{}, "2.0.0"},
	} {
		text, _ := compose(t, report(t, original, bob(t, tt.action, tt.reply)))
		_, parts := read(t, text)
		b := statusFields(t, parts[1].body)[1]
		if b.Get("Status") != tt.want || b.Get("Action") != string(tt.action) {
			t.Errorf("%s after %v: %s %s, want %s", tt.action, tt.reply, b.Get("Action"), b.Get("Status"), tt.want)
		}
	}
}

// Addresses are told with their type, and in 7 bits where SMTPUTF8 is not in force (RFC 6533 §3).
func TestAddresses(t *testing.T) {
	for _, tt := range []struct {
		utf8            smtp.Encoding
		to              string
		orcpt           smtp.OriginalRecipient
		final, original string
	}{
		{smtp.ASCII, "bob@example.net", smtp.OriginalRecipient{}, "rfc822; bob@example.net", ""},
		{smtp.UTF8, "bob@example.net", smtp.OriginalRecipient{Type: "rfc822", Address: "B@x"}, "rfc822; bob@example.net", "rfc822; B@x"},
		{smtp.ASCII, `"a  b"@x`, smtp.OriginalRecipient{Type: "x400", Address: "/C=de/"}, `rfc822; "a  b"@x`, "x400; /C=de/"},
		{smtp.UTF8, "bü@x", smtp.OriginalRecipient{Type: "utf-8", Address: "ö+1@x"}, "utf-8; bü@x", "utf-8; ö+1@x"},
		{smtp.ASCII, "bü@x", smtp.OriginalRecipient{Type: "utf-8", Address: "ö+=\\1@x"},
			`utf-8; b\x{FC}@x`, `utf-8; \x{F6}\x{2B}\x{3D}\x{5C}1@x`},
		{smtp.ASCII, "bob@x", smtp.OriginalRecipient{Type: "rfc822", Address: "ö@x"}, "rfc822; bob@x", "rfc822; ?@x"},
	} {
		to := bob(t, dsn.Failed, noMailbox)
		to.To, to.Original = path(t, tt.to), tt.orcpt
		r := report(t, original, to)
		r.UTF8 = tt.utf8
		text, _ := compose(t, r)
		_, parts := read(t, text)
		b := statusFields(t, parts[1].body)[1]
		if b.Get("Final-Recipient") != tt.final || b.Get("Original-Recipient") != tt.original {
			t.Errorf("%s: %q, %q", tt.to, b.Get("Final-Recipient"), b.Get("Original-Recipient"))
		}
	}
}

// The words of a server stay words of a server.
func TestReply(t *testing.T) {
	to := bob(t, dsn.Failed, smtp.Reply{
		Code: 554, Status: "7.1", Text: "Blöcked\r\n\r\nSubject: x\n\x00--b\u2028" + strings.Repeat("x", 5000),
	})
	to.Server = "mx example\r\nX: y"
	for utf8, want := range map[smtp.Encoding]string{
		smtp.ASCII: "smtp; 554-5.7.1 Bl?cked?554-5.7.1 ?554-5.7.1 Subject: x554 5.7.1 ?--b?",
		smtp.UTF8:  "smtp; 554-5.7.1 Blöcked?554-5.7.1 ?554-5.7.1 Subject: x554 5.7.1 ?--b?",
	} {
		r := report(t, original, to)
		r.UTF8 = utf8
		text, _ := compose(t, r)
		_, parts := read(t, text)
		b := statusFields(t, parts[1].body)[1]
		got := strings.ReplaceAll(b.Get("Diagnostic-Code"), " 554", "554")
		if !strings.HasPrefix(got, strings.ReplaceAll(want, " 554", "554")) || len(got) > 4200 || !strings.HasSuffix(got, "xxx...") {
			t.Errorf("%d octets %.200q, want %q", len(got), got, want)
		}
		if got := b.Get("Remote-Mta"); got != "x-unknown; mx example??X: y" {
			t.Errorf("server %q", got)
		}
		if !strings.Contains(parts[0].body, "    554-5.7.1 Blöcked?\r\n") {
			t.Errorf("text %q", parts[0].body)
		}
	}
}

// A server that talks without end is cut short.
func TestEndlessReply(t *testing.T) {
	text, _ := compose(t, report(t, original, bob(t, dsn.Failed, smtp.Reply{Code: 550, Text: strings.Repeat("\n", 3000)})))
	_, parts := read(t, text)
	got := statusFields(t, parts[1].body)[1].Get("Diagnostic-Code")
	if strings.Count(got, "550-") != 50 || !strings.HasSuffix(got, "550 ...") {
		t.Errorf("%d octets %q", len(got), got)
	}
}

// What people read says only what is known, and what comes next.
func TestText(t *testing.T) {
	for _, tt := range []struct {
		action dsn.Action
		reply  smtp.Reply
		want   string
	}{
		{dsn.Failed, smtp.Reply{Code: 550, Status: "1.1", Text: "No"}, "Not delivered. There is no such address. Please check how it is written. The answer of this mail system was: 550 5.1.1 No"},
		{dsn.Failed, smtp.Reply{Code: 452, Status: "2.2", Text: "No"}, "Not delivered. The recipient's mailbox is full. It was tried again and again until Sat, 28 Nov 2026 13:00:00 +0000, and is given up now. The answer"},
		{dsn.Failed, smtp.Reply{}, "Not delivered. No mail system has answered until Sat, 28 Nov 2026 13:00:00 +0000, and no more attempts are made. The header"},
		{dsn.Delayed, smtp.Reply{Code: 450, Status: "7.1", Text: "Greylisted"}, "Not delivered yet. It will be tried again until Sat, 28 Nov 2026 20:00:00 +0000. You will be told if it cannot be delivered. The answer of this mail system was: 450 4.7.1 Greylisted"},
		{dsn.Delayed, smtp.Reply{}, "Not delivered yet. No mail system has answered so far. It will be tried again until Sat, 28 Nov 2026 20:00:00 +0000. You will be told if it cannot be delivered. The header"},
		{dsn.Delivered, smtp.Reply{}, "Delivered. The header of the message is attached, and a report for programs."},
	} {
		to := bob(t, tt.action, tt.reply)
		to.Until = at(20)
		text, _ := compose(t, report(t, original, to))
		_, parts := read(t, text)
		if got := strings.Join(strings.Fields(parts[0].body), " "); !strings.Contains(got, "<bob@example.net>: "+tt.want) {
			t.Errorf("%s after %v: %q, want %q", tt.action, tt.reply, got, tt.want)
		}
	}
}
