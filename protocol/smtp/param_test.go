package smtp

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestParseParameters(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Parameters
		ok   bool
	}{
		{"", nil, true},
		{"   ", nil, true},
		{" SIZE=9", Parameters{{"SIZE", "9"}}, true},
		{" size=9  Body=8bitmime SMTPUTF8 ", Parameters{{"SIZE", "9"}, {"BODY", "8bitmime"}, {"SMTPUTF8", ""}}, true},
		{" AUTH=<>", Parameters{{"AUTH", "<>"}}, true},
		{" X-1=ü", Parameters{{"X-1", "ü"}}, true},
		{"SIZE=9", nil, false},
		{" SIZE=", nil, false},
		{" =9", nil, false},
		{" -X", nil, false},
		{" A_B=1", nil, false},
		{" Ü=1", nil, false},
		{" A=b=c", nil, false},
		{" A=b\tC", nil, false},
		{" A=\xff", nil, false},
		{" A=1 a=2", nil, false}, // RFC 5321 §4.1.1.11: a keyword stands once
		{" A A", nil, false},
	} {
		got, err := ParseParameters(tt.in)
		if !slices.Equal(got, tt.want) || (err == nil) != tt.ok || err != nil && !errors.Is(err, ErrBadParameter) {
			t.Errorf("%q: %v, %v; want %v", tt.in, got, err, tt.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want int64
		ok   bool
	}{
		{"0", 0, true},
		{"1000", 1000, true},
		{"00000000000000000007", 7, true},
		{"9223372036854775807", math.MaxInt64, true},
		{"9223372036854775808", math.MaxInt64, true},
		{"99999999999999999999", math.MaxInt64, true},
		{"100000000000000000000", 0, false}, // RFC 1870 §4: 20 digits
		{"", 0, false},
		{"-1", 0, false},
		{"+1", 0, false},
		{"1k", 0, false},
		{"0x1", 0, false},
	} {
		if n, err := ParseSize(tt.in); n != tt.want || (err == nil) != tt.ok {
			t.Errorf("%q: %d, %v; want %d", tt.in, n, err, tt.want)
		}
	}
}

func TestParseBody(t *testing.T) {
	for in, want := range map[string]Body{
		"7BIT": Body7Bit, "7bit": Body7Bit, "8BITMIME": Body8Bit, "8bitMime": Body8Bit, "BINARYMIME": BodyBinary,
		"": "", "8BIT": "", "7BIT ": "",
	} {
		if got, err := ParseBody(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestXtext(t *testing.T) {
	for _, tt := range []struct {
		in, want string
		ok       bool
	}{
		{"", "", true},
		{"plain@example.org", "plain@example.org", true},
		{"a+2Bb+3Dc", "a+b=c", true},
		{"+00+FF", "\x00\xff", true},
		{"+20", " ", true},
		{"a b", "", false},
		{"a=b", "", false},
		{"a=b+2B", "", false},
		{"+", "", false},
		{"+2", "", false},
		{"a+2", "", false},
		{"+2b", "", false}, // RFC 3461 §4: capitals
		{"+GG", "", false},
		{"ü", "", false},
		{"\x7f", "", false},
		{"+2B\n", "", false},
	} {
		got, err := ParseXtext(tt.in)
		if (err == nil) != tt.ok || tt.ok && got != tt.want {
			t.Errorf("%q: %q, %v; want %q", tt.in, got, err, tt.want)
		}
	}
	if got := string(AppendXtext([]byte("ENVID="), "a+b=c d\xff~!")); got != "ENVID=a+2Bb+3Dc+20d+FF~!" {
		t.Errorf("written %q", got)
	}
}

// Parameters that were read are the same when they are written and read again.
func FuzzParameters(f *testing.F) {
	f.Add(" SIZE=9 BODY=8BITMIME SMTPUTF8")
	f.Add(" a=ü b")
	f.Fuzz(func(t *testing.T, s string) {
		ps, err := ParseParameters(s)
		if err != nil {
			return
		}
		var b strings.Builder
		for _, p := range ps {
			b.WriteString(" " + p.Keyword)
			if p.Value != "" {
				b.WriteString("=" + p.Value)
			}
		}
		if again, err := ParseParameters(b.String()); err != nil || !slices.Equal(again, ps) {
			t.Errorf("%q: %v, again %v, %v", s, ps, again, err)
		}
	})
}

// Any octets survive xtext, and what is xtext has no octet that could end a parameter.
func FuzzXtext(f *testing.F) {
	f.Add("a+b = c\x00\xff")
	f.Add("+2B")
	f.Fuzz(func(t *testing.T, s string) {
		x := string(AppendXtext(nil, s))
		if got, err := ParseXtext(x); got != s || err != nil {
			t.Errorf("%q is written %q and read %q, %v", s, x, got, err)
		}
		if strings.ContainsFunc(x, func(c rune) bool { return c <= ' ' || c > '~' || c == '=' }) {
			t.Errorf("%q is written %q", s, x)
		}
		if v, err := ParseXtext(s); err == nil && len(v) > len(s) {
			t.Errorf("%q is read %q", s, v)
		}
	})
}
