package maildir

import (
	"errors"
	"math"
	"strings"
	"testing"

	"lmtpd/store"
)

func TestParseCount(t *testing.T) {
	const most = "9223372036854775807"
	for _, test := range []struct {
		text string
		want count // zero: to be counted anew
	}{
		{"1000S,10C\n0 0\n", count{limits: store.Usage{Octets: 1000, Messages: 10}}},
		{"1000S\n500 2\n", count{limits: store.Usage{Octets: 1000}, used: store.Usage{Octets: 500, Messages: 2}}},
		{"10C,1000S\n500 2\n20 1\n-300 -1\n", count{
			limits: store.Usage{Octets: 1000, Messages: 10}, used: store.Usage{Octets: 220, Messages: 2}, changes: 2}},
		{"10C\n   500 2   \n0\t0\n", count{limits: store.Usage{Messages: 10}, used: store.Usage{Octets: 500, Messages: 2}, changes: 1}},
		{"0S,10C\n5 +2\n", count{limits: store.Usage{Messages: 10}, used: store.Usage{Octets: 5, Messages: 2}}},
		{"", count{}},
		{"\n", count{}},
		{"1000S\n", count{}},
		{"1000S\n\n", count{}},
		{"1000S\n500 2", count{}},
		{"1000S\n500 2\n20 1\n3", count{}},
		{"1000S\n500 2\n\n20 1\n", count{}},
		{"1000S\n500\n", count{}},
		{"1000S\n500 2 3\n", count{}},
		{"1000S\n500 x\n", count{}},
		{"1000S\n5e2 2\n", count{}},
		{"1000S\n500 2\x00\n", count{}},
		{"1000S\n-1 0\n", count{}},
		{"1000S\n500 2\n-501 -2\n", count{}},
		{"1000S\n500 2\n-500 -3\n", count{}},
		{"1000S\n" + most + " 1\n1 1\n", count{}},
		{"1000S\n" + most + "0 1\n", count{}},
		{"1000S\r\n500 2\r\n", count{}},
		{"1000\n500 2\n", count{}},
		{"-1S\n500 2\n", count{}},
		{"1000S,\n500 2\n", count{}},
		{"1000X\n500 2\n", count{}},
		{"NOQUOTA\n500 2\n", count{}},
		{"\n500 2\n", count{}},
		{"1000S\n" + strings.Repeat("1 1\n", 1278), count{limits: store.Usage{Octets: 1000}, used: store.Usage{Octets: 1278, Messages: 1278}, changes: 1277}},
		{"1000S\n" + strings.Repeat("1 1\n", 1279), count{}},
	} {
		got, err := parseCount([]byte(test.text))
		if test.want == (count{}) {
			if !errors.Is(err, errUncounted) {
				t.Errorf("%.40q: %+v, %v, want it to be counted anew", test.text, got, err)
			}
			continue
		}
		if err != nil || got != test.want {
			t.Errorf("%.40q: %+v, %v, want %+v", test.text, got, err, test.want)
		}
	}
}

// What is written reads back.
func TestLimitsLine(t *testing.T) {
	for _, test := range []struct {
		limits store.Usage
		want   string
	}{
		{store.Usage{Octets: 1000000, Messages: 100}, "1000000S,100C\n"},
		{store.Usage{Octets: 1}, "1S\n"},
		{store.Usage{Messages: math.MaxInt64}, "9223372036854775807C\n"},
	} {
		if got := limitsLine(store.Quota{Usage: test.limits}); got != test.want {
			t.Errorf("%+v: %q, want %q", test.limits, got, test.want)
		}
		c, err := parseCount([]byte(test.want + sumLine(store.Usage{Octets: 7, Messages: 3})))
		if want := (count{limits: test.limits, used: store.Usage{Octets: 7, Messages: 3}}); err != nil || c != want {
			t.Errorf("%q reads as %+v, %v", test.want, c, err)
		}
	}
}

// Whatever is in the file, a count that is believed can be true, and goes on from there.
func FuzzParseCount(f *testing.F) {
	for _, s := range []string{"1000S,10C\n500 2\n-20 -1\n", "10C\n0 0\n", "0S\n1 1\n", "\n", "1S\n9223372036854775807 1\n1 1\n-9 -9\n"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		c, err := parseCount(b)
		if err != nil {
			if !errors.Is(err, errUncounted) {
				t.Errorf("%q: %v", b, err)
			}
			return
		}
		if c.used.Octets < 0 || c.used.Messages < 0 || c.limits.Octets < 0 || c.limits.Messages < 0 || c.changes < 0 {
			t.Errorf("%q: %+v", b, c)
		}
		more, err := parseCount(append(b, "1 1\n"...))
		if len(b)+4 <= maxCountFile && c.used.Octets < math.MaxInt64-1 && c.used.Messages < math.MaxInt64-1 &&
			(err != nil || more.used != plus(c.used, store.Usage{Octets: 1, Messages: 1})) {
			t.Errorf("%q and a line: %+v, %v", b, more, err)
		}
	})
}
