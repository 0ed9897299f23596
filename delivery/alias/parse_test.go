package alias

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth/account/textfile"
	"lmtpd/protocol/smtp"
)

// lower is how these tests fold addresses.
func lower(p smtp.Path) smtp.Path {
	return smtp.Path{Local: strings.ToLower(p.Local), Domain: strings.ToLower(p.Domain)}
}

// read parses a file with the lists that it may name.
func read(text string, lists map[string]string) (*table, error) {
	p := parser{fold: lower, read: func(path string) (string, error) {
		list, ok := lists[path]
		if !ok {
			return "", fs.ErrNotExist
		}
		return list, nil
	}}
	return p.parse("f", text)
}

// dump writes a table as one line an alias.
func dump(t *table) string {
	var lines []string
	for _, al := range t.aliases {
		var to []string
		for _, t := range al.targets {
			s := t.path.String()
			if t.final {
				s = `\` + s
			}
			to = append(to, s)
		}
		lines = append(lines, al.Name+": "+strings.Join(to, ", "))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func TestParse(t *testing.T) {
	lists := map[string]string{
		"/l":    "# members\n\nann, bob\n  Carl Smith <carl@example.net>\n",
		"/two":  "ann\r\n bob\n\t# none\ncarl, dora",
		"/a b":  "x",
		"/nest": "eve, :include:/two",
	}
	tests := []struct{ name, text, want string }{
		{"empty", "", ""},
		{"comments and blank lines", "# c\n\n \t\n  # c\n", ""},
		{"one target", "ann: bob\n", "ann: bob"},
		{"no line end", "ann: bob", "ann: bob"},
		{"CRLF", "ann: bob,\r\n carl\r\n", "ann: bob, carl"},
		{"several", "ann: bob, carl,dora", "ann: bob, carl, dora"},
		{"divided by blanks", "ann: bob carl\tdora", "ann: bob, carl, dora"},
		{"commas to spare", "ann: ,bob,,carl,", "ann: bob, carl"},
		{"continued", "ann: bob,\n carl\n\tdora\neve: x", "ann: bob, carl, dora\neve: x"},
		{"continued over a comment", "ann: bob,\n# c\n\n  # c\n carl", "ann: bob, carl"},
		{"a blank before the colon", "ann : bob", "ann: bob"},
		{"capitals", "ANN: Bob@Example.ORG", "ann: bob@example.org"},
		{"quoted name", `"ann b": x`, `"ann b": x`},
		{"quoted name with a colon", `"a:b#" : x`, `"a:b#": x`},
		{"quotes to spare", `"ann": "bob"`, "ann: bob"},
		{"quoted target", `ann: "bob c"@example.org, "d,e"`, `ann: "bob c"@example.org, "d,e"`},
		{"escapes in quotes", `"a\"b": "c\\d"`, `"a\"b": "c\\d"`},
		{"escaped comma", `ann: a\,b`, `ann: "a,b"`},
		{"escaped at in an address", `ann: b\@o@example.org`, `ann: "b@o"@example.org`},
		{"comments of RFC 822", "ann (the (first) one): (he) bob (c\\)), carl(x)", "ann: bob, carl"},
		{"angle brackets", `ann: <bob@example.org>, Carl D. <carl>, "Eve, F" <eve>`, "ann: bob@example.org, carl, eve"},
		{"no further", `ann: \ann, \bob@example.org, bob`, `ann: \ann, \bob@example.org, bob`},
		{"address as a name", "ann@example.org: bob", "ann@example.org: bob"},
		{"the same in several domains", "ann@a: x\nann@b: y\nann: z\n@a: w", "@a: w\nann: z\nann@a: x\nann@b: y"},
		{"catch-all", "@Example.org: bob", "@example.org: bob"},
		{"detail in a name", "ann+x: bob+y", "ann+x: bob+y"},
		{"signs", "a!b%c=d: x/y", "a!b%c=d: x/y"},
		{"no dot-string", "a..b: .c", `"a..b": ".c"`},
		{"UTF-8", "ünï: jürgen@exämple.org", "ünï: jürgen@exämple.org"},
		{"address literal", "ann: bob@[127.0.0.1], bob@[IPv6:::1]", "ann: bob@[127.0.0.1], bob@[ipv6:::1]"},
		{"a list", "all: :include:/two, zoe", "all: ann, bob, carl, dora, zoe"},
		{"a list of several forms", "all: :include:/l", "all: ann, bob, carl@example.net"},
		{"a list in quotes", `all: ":include:/a b", :include:"/a b", :Include:/a\ b`, "all: x, x, x"},
		{"a list in a list", "all: :include:/nest", "all: eve, ann, bob, carl, dora"},
		{"a list twice", "all: :include:/two\nsome: :include:/two", "all: ann, bob, carl, dora\nsome: ann, bob, carl, dora"},
	}
	for _, tt := range tests {
		got, err := read(tt.text, lists)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		} else if s := dump(got); s != tt.want {
			t.Errorf("%s: %q is\n%s, want\n%s", tt.name, tt.text, s, tt.want)
		}
	}
}

func TestParseMistakes(t *testing.T) {
	lists := map[string]string{
		"/self":  "ann\n:include:/self\n",
		"/pipe":  "ann\n\n|cmd\n",
		"/empty": "# nobody\n",
		"/many":  strings.Repeat("ann\n", maxTargets+1),
	}
	tests := []struct{ name, text, want string }{
		{"no colon", "ann bob", "f:1: not an alias"},
		{"no name", ": bob", "f:1: not an alias"},
		{"blank in a name", "ann b: c", "f:1: not an alias"},
		{"no target", "# c\nann:", "f:2: ann has no target"},
		{"commas alone", "ann: , ,", "f:1: ann has no target"},
		{"comment alone", "ann: (bob)", "f:1: ann has no target"},
		{"a line of nothing continued", " ann: bob", "f:1: line begins with a blank and continues nothing"},
		{"twice", "ann: a\nbob: b\nANN: c", "f:3: ann is an alias already, in line 1"},
		{"twice in quotes", "ann: a\n\"ann\": c", "f:2: ann is an alias already, in line 1"},
		{"open quote", "ann: a,\n \"bob", "f:2: quote is not closed"},
		{"open quote of a name", "\"ann: a", "f:1: quote is not closed"},
		{"open comment", "ann: (bob", "f:1: comment is not closed"},
		{"open bracket", "ann: bob@[1", "f:1: bracket is not closed"},
		{"parenthesis", "ann: bob)", "f:1: parenthesis was not opened"},
		{"backslash", "ann: bob\\", "f:1: backslash at the end"},
		{"angle brackets", "ann: <bob, carl", "f:1: angle brackets"},
		{"nothing in angle brackets", "ann: <>", "f:1: angle brackets"},
		{"two in angle brackets", "ann: <bob carl>, dora", "f:1: angle brackets"},
		{"something after them", "ann: <bob> carl", "f:1: angle brackets"},
		{"group", "ann: friends: a, b;", "f:1: ':' where a target should be"},
		{"source route", "ann: <@a:b@c>", "f:1: angle brackets"},
		{"command", "ann: a,\n b,\n |/bin/x -a -b, c", "f:3: |/bin/x: lmtpd does not run commands"},
		{"quoted command", `ann: "|/bin/x -f, y"`, "lmtpd does not run commands"},
		{"file", "ann: /var/mail/ann", "f:1: /var/mail/ann: lmtpd does not write files"},
		{"quoted file", `ann: "/var/mail/ann b"`, "lmtpd does not write files"},
		{"file at home", "ann: ~/mail", "lmtpd does not write files"},
		{"escaped file", `ann: \/var/mail/ann`, "lmtpd does not write files"},
		{"escaped at", `ann: bob\@example.org`, "an @ in quotes"},
		{"escaped quote", `ann: \"bob`, "quotes go around"},
		{"nothing", "ann: /dev/null", "f:1: /dev/null: lmtpd does not throw mail away"},
		{"comment at the end", "ann: bob # the boss", "f:1: #: a comment with #"},
		{"half a quote", `ann: b"o"b`, "quotes go around"},
		{"two quotes", `ann: "b""c"`, "quotes go around"},
		{"quoted address", `ann: "bob@example.org"`, "an @ in quotes"},
		{"quoted name of an address", `"ann@example.org": bob`, "an @ in quotes"},
		{"two at signs", "ann: a@b@c", "not an address"},
		{"no domain", "ann: bob@", "no domain after the @"},
		{"no local-part", "ann: @example.org", "no local-part"},
		{"empty local-part", `ann: ""@example.org`, "no local-part"},
		{"catch-all of nothing", "@: bob", "no domain after the @"},
		{"catch-all of no domain", "@-: bob", "f:1: @-: not a domain"},
		{"bad domain", "ann: bob@exa_mple..org", "not an address"},
		{"brackets", "ann: b[o]b", "brackets in a local-part"},
		{"NUL", "ann: b\x00b", "f:1: NUL in column 7"},
		{"control", "ann: bob\n\n# \x01\ncarl: \x01", "f:4: control character 0x01"},
		{"not UTF-8", "ann: \xff", "f:1: line is not UTF-8"},
		{"long", "ann: " + strings.Repeat("x", 9000), "line of 9005 octets is too long"},
		{"long address", "ann: " + strings.Repeat("x", 1000), "not an address"},
		{"many targets", "ann: x\n" + strings.Repeat(" x\n", maxTargets), "f:1: ann has 1001 targets"},
		{"relative list", "ann: :include:l", "f:1: :include:l: the path of a list is absolute"},
		{"no list", "ann: b,\n :include:/none", "f:2: :include:/none: file does not exist"},
		{"list without a path", "ann: :include:, x", "f:1: :include:: the path of a list is absolute"},
		{"list of itself", "ann: :include:/self", "/self:2: :include:/self: the list includes itself"},
		{"list of nobody", "ann: :include:/empty", "f:1: ann has no target"},
		{"command in a list", "ann: :include:/pipe", "/pipe:3: |cmd: lmtpd does not run"},
		{"long list", "ann: :include:/many", "/many:1001: more than 1000 targets"},
	}
	for _, tt := range tests {
		_, err := read(tt.text, lists)
		var bad textfile.Mistakes
		if !errors.As(err, &bad) || len(bad) != 1 || !strings.Contains(bad[0].String(), tt.want) {
			t.Errorf("%s: %q: %v, want %q alone", tt.name, tt.text, err, tt.want)
		}
	}
}

func TestParseTellsAllMistakes(t *testing.T) {
	_, err := read("ann: |x,\n :include:/l, /y\nbob\ncarl: \x00\ndora: ok\ndora: ok", map[string]string{"/l": "ok\n|z"})
	var bad textfile.Mistakes
	if !errors.As(err, &bad) {
		t.Fatal(err)
	}
	var where []string
	for _, m := range bad {
		where = append(where, fmt.Sprintf("%s:%d", m.File, m.Line))
	}
	if got, want := strings.Join(where, " "), "f:1 f:2 f:3 f:4 f:6 /l:2"; got != want {
		t.Errorf("mistakes in %s, want %s:\n%v", got, want, err)
	}
}

func TestParseLimitsAll(t *testing.T) {
	list := strings.Repeat("ann\n", maxTargets)
	var b strings.Builder
	for i := range maxAll/maxTargets + 1 {
		fmt.Fprintf(&b, "a%d: :include:/l\n", i)
	}
	_, err := read(b.String(), map[string]string{"/l": list})
	var bad textfile.Mistakes
	if !errors.As(err, &bad) || len(bad) != 1 || bad[0].Line != maxAll/maxTargets+1 {
		t.Errorf("got %v", err)
	}
}
