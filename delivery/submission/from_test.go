package submission_test

import (
	"strings"
	"testing"
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
	} {
		d := newDesk()
		got := d.say(env("ann@example.org", "ann@example.org", 1), test.from+"\r\n\r\n")
		if (got == "250 Delivered") != test.good {
			t.Errorf("%.100q: %s", test.from, got)
		}
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
