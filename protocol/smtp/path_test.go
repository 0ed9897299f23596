package smtp

import (
	"errors"
	"strings"
	"testing"
)

func TestParsePath(t *testing.T) {
	long := strings.Repeat("a", MaxPath)
	for _, tt := range []struct {
		in   string
		enc  Encoding
		want Path
		rest string
		err  error
	}{
		{"<a@example.org>", ASCII, Path{"a", "example.org"}, "", nil},
		{"<a@example.org> SIZE=1", ASCII, Path{"a", "example.org"}, " SIZE=1", nil},
		{"<>", ASCII, Path{}, "", nil},
		{"<> BODY=7BIT", ASCII, Path{}, " BODY=7BIT", nil},
		{"<a.b+c=d@x-y.org>", ASCII, Path{"a.b+c=d", "x-y.org"}, "", nil},
		{"<A@EXAMPLE.Org>", ASCII, Path{"A", "EXAMPLE.Org"}, "", nil},
		{"<a@my_host>", ASCII, Path{"a", "my_host"}, "", nil},
		{"<Postmaster>", ASCII, Path{"Postmaster", ""}, "", nil}, // RFC 5321 §4.5.1
		{"<@x.org,@y.org:a@z>", ASCII, Path{"a", "z"}, "", nil},  // RFC 5321 §4.1.1.3
		{`<"a b"@x>`, ASCII, Path{"a b", "x"}, "", nil},          // RFC 5321 §4.1.2
		{`<"a\"\\\b"@x>`, ASCII, Path{`a"\b`, "x"}, "", nil},
		{`<"a@>b"@x>`, ASCII, Path{"a@>b", "x"}, "", nil},
		{`<""@x>`, ASCII, Path{"", "x"}, "", nil},
		{"<a@[127.0.0.1]>", ASCII, Path{"a", "[127.0.0.1]"}, "", nil}, // RFC 5321 §4.1.3
		{"<a@[ipv6:::1]>", ASCII, Path{"a", "[ipv6:::1]"}, "", nil},
		{"<ü@müller.example>", UTF8, Path{"ü", "müller.example"}, "", nil}, // RFC 6531 §3.3
		{`<"ü ü"@x>`, UTF8, Path{"ü ü", "x"}, "", nil},
		{"<ü@x>", ASCII, Path{}, "<ü@x>", ErrNonASCII},
		{`<"ü"@x>`, ASCII, Path{}, `<"ü"@x>`, ErrNonASCII},
		{"<a@ü>", ASCII, Path{}, "<a@ü>", ErrNonASCII},
		{"<@ü:a@x>", ASCII, Path{}, "<@ü:a@x>", ErrNonASCII},
		{"<\xff@x>", UTF8, Path{}, "<\xff@x>", ErrBadPath},
		{"<\"\xff\"@x>", UTF8, Path{}, "<\"\xff\"@x>", ErrBadPath},
		{"<a@\xff>", UTF8, Path{}, "<a@\xff>", ErrBadPath},
		{"", ASCII, Path{}, "", ErrBadPath},
		{"<", ASCII, Path{}, "<", ErrBadPath},
		{"a@b", ASCII, Path{}, "a@b", ErrBadPath},
		{"<a@b", ASCII, Path{}, "<a@b", ErrBadPath},
		{"<a>", ASCII, Path{}, "<a>", ErrBadPath},
		{"<@b>", ASCII, Path{}, "<@b>", ErrBadPath},
		{"<@b:>", ASCII, Path{}, "<@b:>", ErrBadPath},
		{"<@b,a@c>", ASCII, Path{}, "<@b,a@c>", ErrBadPath},
		{"<a@>", ASCII, Path{}, "<a@>", ErrBadPath},
		{"<a@.>", ASCII, Path{}, "<a@.>", ErrBadPath},
		{"<a@b.>", ASCII, Path{}, "<a@b.>", ErrBadPath},
		{"<a@b..c>", ASCII, Path{}, "<a@b..c>", ErrBadPath},
		{"<a@-b>", ASCII, Path{}, "<a@-b>", ErrBadPath},
		{"<a@b->", ASCII, Path{}, "<a@b->", ErrBadPath},
		{"<.a@b>", ASCII, Path{}, "<.a@b>", ErrBadPath},
		{"<a.@b>", ASCII, Path{}, "<a.@b>", ErrBadPath},
		{"<a..b@c>", ASCII, Path{}, "<a..b@c>", ErrBadPath},
		{"<a b@c>", ASCII, Path{}, "<a b@c>", ErrBadPath},
		{"<a@b c>", ASCII, Path{}, "<a@b c>", ErrBadPath},
		{"<<a@b>>", ASCII, Path{}, "<<a@b>>", ErrBadPath},
		{`<"a@b>`, ASCII, Path{}, `<"a@b>`, ErrBadPath},
		{`<"a\`, ASCII, Path{}, `<"a\`, ErrBadPath},
		{"<\"a\tb\"@c>", ASCII, Path{}, "<\"a\tb\"@c>", ErrBadPath},
		{"<\"\\\r\"@c>", ASCII, Path{}, "<\"\\\r\"@c>", ErrBadPath},
		{"<a@[127.0.0]>", ASCII, Path{}, "<a@[127.0.0]>", ErrBadPath},
		{"<a@[::1]>", ASCII, Path{}, "<a@[::1]>", ErrBadPath},
		{"<a@[IPv6:127.0.0.1]>", ASCII, Path{}, "<a@[IPv6:127.0.0.1]>", ErrBadPath},
		{"<a@[IPv6:fe80::1%eth0]>", ASCII, Path{}, "<a@[IPv6:fe80::1%eth0]>", ErrBadPath},
		{"<a@[127.0.0.1>", ASCII, Path{}, "<a@[127.0.0.1>", ErrBadPath},
		{"<" + long + "@b>", ASCII, Path{}, "<" + long + "@b>", ErrPathTooLong},
		{"<a@" + strings.Repeat("b", 64) + ">", ASCII, Path{}, "<a@" + strings.Repeat("b", 64) + ">", ErrBadPath},
		{"<a@" + strings.Repeat("b.", 128) + "c>", ASCII, Path{}, "<a@" + strings.Repeat("b.", 128) + "c>", ErrBadPath},
	} {
		p, rest, err := ParsePath(tt.in, tt.enc)
		if p != tt.want || rest != tt.rest || !errors.Is(err, tt.err) {
			t.Errorf("%.60q: %+v, %q, %v; want %+v, %q, %v", tt.in, p, rest, err, tt.want, tt.rest, tt.err)
		}
	}
}

// A path of exactly the limit is taken, one octet more is not.
func TestLongestPath(t *testing.T) {
	for size, want := range map[int]error{MaxPath: nil, MaxPath + 1: ErrPathTooLong} {
		s := "<" + strings.Repeat("a", size-len("<@b>")) + "@b>"
		if _, _, err := ParsePath(s, ASCII); !errors.Is(err, want) {
			t.Errorf("path of %d octets: %v", len(s), err)
		}
		s = strings.Repeat("a", size-len("@b")) + "@b"
		if _, err := ParseMailbox(s, ASCII); !errors.Is(err, want) {
			t.Errorf("mailbox of %d octets: %v", len(s), err)
		}
	}
}

func TestParseMailbox(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want Path
		err  error
	}{
		{"a@b", Path{"a", "b"}, nil},
		{`"a>b"@c`, Path{"a>b", "c"}, nil},
		{"postmaster", Path{"postmaster", ""}, nil},
		{"postmaster\x00", Path{}, ErrBadPath},
		{"", Path{}, ErrBadPath},
		{"a", Path{}, ErrBadPath},
		{"a@b>", Path{}, ErrBadPath},
		{"a@b ", Path{}, ErrBadPath},
		{"<a@b>", Path{}, ErrBadPath},
		{"@x:a@b", Path{}, ErrBadPath},
		{"ü@b", Path{}, ErrNonASCII},
	} {
		if p, err := ParseMailbox(tt.in, ASCII); p != tt.want || !errors.Is(err, tt.err) {
			t.Errorf("%q: %+v, %v; want %+v, %v", tt.in, p, err, tt.want, tt.err)
		}
	}
}

func TestPathString(t *testing.T) {
	for _, tt := range []struct {
		path  Path
		want  string
		ascii bool
	}{
		{Path{}, "", true},
		{Path{"a.b", "c"}, "a.b@c", true},
		{Path{"postmaster", ""}, "postmaster", true},
		{Path{"", "c"}, `""@c`, true},
		{Path{"a b", "c"}, `"a b"@c`, true},
		{Path{"a..b", "c"}, `"a..b"@c`, true},
		{Path{".a", "c"}, `".a"@c`, true},
		{Path{`a"\`, "c"}, `"a\"\\"@c`, true},
		{Path{"ü", "c"}, "ü@c", false},
		{Path{"a", "ü"}, "a@ü", false},
	} {
		if got := tt.path.String(); got != tt.want || tt.path.ASCII() != tt.ascii {
			t.Errorf("%+v: %q, %v; want %q, %v", tt.path, got, tt.path.ASCII(), tt.want, tt.ascii)
		}
		if tt.path.IsNull() != (tt.want == "") {
			t.Errorf("%+v: null %v", tt.path, tt.path.IsNull())
		}
	}
	if !(Path{"POSTmaster", "x"}).IsPostmaster() || (Path{"post", "x"}).IsPostmaster() {
		t.Error("postmaster is not told from others")
	}
}

func TestIsDomain(t *testing.T) {
	for s, want := range map[string]bool{
		"localhost": true, "mx.example.org": true, "a_b": true, "1": true,
		"": false, ".": false, "a.": false, "a b": false, "a@b": false, "-a": false, "[127.0.0.1]": false, "ü": false,
		strings.Repeat("a.", 127) + "b": true, strings.Repeat("a.", 127) + "bc": false,
	} {
		if got := IsDomain(s, ASCII); got != want {
			t.Errorf("%q: %v", s, got)
		}
	}
	if !IsDomain("ü.example", UTF8) {
		t.Error("U-label refused with UTF8")
	}
}

// A path that was read is the same when it is written and read again, holds no control character, and lets
// no octet above ASCII pass without SMTPUTF8.
func FuzzPath(f *testing.F) {
	f.Add(`<@a,@b:"c \"d"@[IPv6:::1]> SIZE=1`, true)
	f.Add("<postmaster>", false)
	f.Add("<>", false)
	f.Fuzz(func(t *testing.T, s string, wide bool) {
		enc := ASCII
		if wide {
			enc = UTF8
		}
		p, rest, err := ParsePath(s, enc)
		if err != nil {
			if rest != s || p != (Path{}) {
				t.Fatalf("%q: %+v, rest %q with %v", s, p, rest, err)
			}
			return
		}
		if !strings.HasSuffix(s, rest) || !printable([]byte(p.Local+p.Domain)) || enc == ASCII && !p.ASCII() {
			t.Fatalf("%q: %+v, rest %q", s, p, rest)
		}
		again, more, err := ParsePath("<"+p.String()+">"+rest, enc)
		if again != p || more != rest || err != nil {
			t.Errorf("%q: %+v, again %+v, %q, %v", s, p, again, more, err)
		}
		if p.IsNull() {
			return
		}
		if bare, err := ParseMailbox(p.String(), enc); bare != p || err != nil {
			t.Errorf("%q: %+v, as a mailbox %+v, %v", s, p, bare, err)
		}
	})
}
