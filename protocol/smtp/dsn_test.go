package smtp

import (
	"strings"
	"testing"
)

func TestNotify(t *testing.T) {
	for _, tt := range []struct {
		in, again string
		want      Notify
	}{
		{"NEVER", "NEVER", NotifyNever},
		{"success", "SUCCESS", NotifySuccess},
		{"DELAY,Failure", "FAILURE,DELAY", NotifyFailure | NotifyDelay},
		{"SUCCESS,FAILURE,DELAY", "SUCCESS,FAILURE,DELAY", NotifySuccess | NotifyFailure | NotifyDelay},
		{"DELAY,DELAY", "DELAY", NotifyDelay},
		{"NEVER,DELAY", "", 0}, // RFC 3461 §4.1
		{"", "", 0},
		{"SUCCESS,", "", 0},
		{",SUCCESS", "", 0},
		{"SUCCESS DELAY", "", 0},
		{"ALWAYS", "", 0},
	} {
		n, err := ParseNotify(tt.in)
		if n != tt.want || n.String() != tt.again || (err == nil) != (tt.want != 0) {
			t.Errorf("%q: %d %q, %v; want %d %q", tt.in, n, n, err, tt.want, tt.again)
		}
	}
}

func TestParseRet(t *testing.T) {
	for in, want := range map[string]Ret{"FULL": RetFull, "hdrs": RetHeaders, "": "", "BODY": "", "FULL ": ""} {
		if got, err := ParseRet(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestParseEnvID(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"QQ314159", "QQ314159", true},
		{"a+2Bb", "a+b", true},
		{strings.Repeat("a", 100), strings.Repeat("a", 100), true}, // RFC 3461 §4.4
		{strings.Repeat("a", 101), "", false},
		{"a+0D+0A", "", false},
		{"+FF", "", false},
		{"a b", "", false},
	} {
		if got, err := ParseEnvID(tt.in); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
}

func TestParseOriginalRecipient(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want OriginalRecipient
		ok   bool
	}{
		{"rfc822;a@b", OriginalRecipient{"rfc822", "a@b"}, true},
		{"RFC822;a+2Bb@c", OriginalRecipient{"rfc822", "a+b@c"}, true},
		{"x400;/C=x", OriginalRecipient{}, false},
		{"x400;/C+3Dx;y", OriginalRecipient{"x400", "/C=x;y"}, true},
		{`utf-8;\x{FC}@b`, OriginalRecipient{"utf-8", "ü@b"}, true}, // RFC 6533 §3
		{`UTF-8;ü\x{2B}\x{5C}\x{10FFFF}@b`, OriginalRecipient{"utf-8", "ü+\\\U0010ffff@b"}, true},
		{"rfc822;" + strings.Repeat("a", 493), OriginalRecipient{"rfc822", strings.Repeat("a", 493)}, true},
		{"rfc822;" + strings.Repeat("a", 494), OriginalRecipient{}, false}, // RFC 3461 §4.2
		{"rfc822;ü@b", OriginalRecipient{}, false},
		{"rfc822;a+0Ab", OriginalRecipient{}, false},
		{"rfc822;", OriginalRecipient{}, false},
		{"rfc822", OriginalRecipient{}, false},
		{";a@b", OriginalRecipient{}, false},
		{"rfc 822;a@b", OriginalRecipient{}, false},
		{"", OriginalRecipient{}, false},
		{`utf-8;a+b`, OriginalRecipient{}, false},
		{`utf-8;a=b`, OriginalRecipient{}, false},
		{`utf-8;a b`, OriginalRecipient{}, false},
		{`utf-8;\`, OriginalRecipient{}, false},
		{`utf-8;\x{`, OriginalRecipient{}, false},
		{`utf-8;\x{}`, OriginalRecipient{}, false},
		{`utf-8;\y{41}`, OriginalRecipient{}, false},
		{`utf-8;\x{-1}`, OriginalRecipient{}, false},
		{`utf-8;\x{0}`, OriginalRecipient{}, false},
		{`utf-8;\x{A}`, OriginalRecipient{}, false},
		{`utf-8;\x{D800}`, OriginalRecipient{}, false},
		{`utf-8;\x{110000}`, OriginalRecipient{}, false},
		{`utf-8;\x{0000041}`, OriginalRecipient{}, false},
		{"utf-8;\xff", OriginalRecipient{}, false},
	} {
		got, err := ParseOriginalRecipient(tt.in)
		if got != tt.want || (err == nil) != tt.ok || got.IsZero() != !tt.ok {
			t.Errorf("%.60q: %+v, %v; want %+v", tt.in, got, err, tt.want)
		}
	}
}

// Whatever a client puts into the parameters of RFC 3461, what comes out is printable and within bounds.
func FuzzDSN(f *testing.F) {
	f.Add("SUCCESS,DELAY")
	f.Add("rfc822;a+2Bb@c")
	f.Add(`utf-8;\x{FC}ü@b`)
	f.Fuzz(func(t *testing.T, v string) {
		if n, err := ParseNotify(v); err == nil {
			if again, err := ParseNotify(n.String()); err != nil || again != n {
				t.Errorf("%q: %v, again %v, %v", v, n, again, err)
			}
		}
		if id, err := ParseEnvID(v); err == nil {
			if again, err := ParseEnvID(string(AppendXtext(nil, id))); err != nil || again != id {
				t.Errorf("%q: %q, again %q, %v", v, id, again, err)
			}
		}
		if o, err := ParseOriginalRecipient(v); err == nil {
			if !printable([]byte(o.Address)) || o.Address == "" || o.IsZero() || len(o.Address) > 500 {
				t.Errorf("%q: %+v", v, o)
			}
		}
	})
}
