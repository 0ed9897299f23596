package alias

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/smtp"
)

// openText opens a file of that text.
func openText(t testing.TB, text string) *File {
	t.Helper()
	path := filepath.Join(t.TempDir(), "aliases")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	f, err := Open(Config{Path: path, Fold: lower, Now: time.Now, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// ours returns domains of ours: a.example and b.example with these aliases, c.example with others, none.example
// with none.
func ours(t testing.TB, text string) Domains {
	f, other := openText(t, text), openText(t, "list: ann@a.example, dora\nback: circle@a.example\n")
	return func(name string) (Domain, bool) {
		switch name {
		case "a.example", "b.example":
			return Domain{Aliases: f, Delimiters: "+-"}, true
		case "c.example":
			return Domain{Aliases: other, Delimiters: "_"}, true
		case "none.example":
			return Domain{}, true
		}
		return Domain{}, false
	}
}

// address reads an address whose details are divided by + or -.
func address(t testing.TB, s string) Address {
	t.Helper()
	p, err := smtp.ParseMailbox(s, smtp.UTF8)
	if err != nil {
		t.Fatal(s, err)
	}
	return Split(p, "+-")
}

// told writes targets as a line: the remote ones in brackets, each with its detail after a bar.
func told(all []Target) string {
	var s []string
	for _, t := range all {
		one := smtp.Path{Local: t.Address.Local, Domain: t.Address.Domain}.String()
		if t.Address.Detail != "" {
			one += "|" + t.Address.Detail
		}
		if t.Remote {
			one = "[" + one + "]"
		}
		s = append(s, one)
	}
	return strings.Join(s, " ")
}

const someAliases = `
ann:            ann, bob
carl:           \carl, bob
dora@a.example: ann@b.example
dora:           nobody
eve:            "x y"@far.example, ann, eve+own
eve+lists:      ann
fred@a.example: g
fred+x:         h
staff:          ann, bob, carl, ann+s
both:           staff, eve
over:           list@c.example, list+2@none.example
swap:           swap@b.example
owner-both:     bob
postmaster:     root
circle:         back@c.example
one:            two
two:            three
three:          one
@a.example:     catch, catch+all
catch:          bob
@none.example:  lost
gina:           Bob+Lists
`

func TestExpand(t *testing.T) {
	ds := ours(t, someAliases)
	tests := []struct{ name, address, want string }{
		{"no alias", "bob@a.example", ""},
		{"no alias of that domain", "ann@none.example", ""},
		{"not ours", "ann@far.example", ""},
		{"itself", "ann@a.example", "ann@a.example bob@a.example"},
		{"in the domain that was asked for", "ann@b.example", "ann@b.example bob@b.example"},
		{"no further", "carl@a.example", "carl@a.example bob@a.example"},
		{"the whole address comes first", "dora@a.example", "ann@b.example bob@b.example"},
		{"then the local-part", "dora@b.example", "nobody@b.example"},
		{"remote and a detail of its own", "eve@a.example", "[\"x y\"@far.example] ann@a.example bob@a.example eve@a.example|+own"},
		{"a detail goes on", "eve-z@a.example", "[\"x y\"@far.example|-z] ann@a.example|-z bob@a.example|-z eve@a.example|+own"},
		{"a detail that the name has ends", "eve+lists@a.example", "ann@a.example bob@a.example"},
		{"an address without the detail comes before a local-part with it", "fred+x@a.example", "g@a.example|+x"},
		{"a local-part with it, elsewhere", "fred+x@b.example", "h@b.example"},
		{"a detail keeps its case", "carl+Work@a.example", "carl@a.example|+Work bob@a.example|+Work"},
		{"and is found without it", "eve+LISTS@a.example", "ann@a.example bob@a.example"},
		{"a detail of its own, too", "gina@a.example", "bob@a.example|+Lists"},
		{"an empty detail goes on", "carl+@a.example", "carl@a.example|+ bob@a.example|+"},
		{"each target once", "staff@a.example", "ann@a.example bob@a.example carl@a.example ann@a.example|+s bob@a.example|+s"},
		{"nested", "both@a.example", "ann@a.example bob@a.example carl@a.example ann@a.example|+s bob@a.example|+s [\"x y\"@far.example] eve@a.example|+own"},
		{"into other aliases", "over@a.example", "ann@a.example bob@a.example dora@c.example list+2@none.example"},
		{"the same alias in another domain", "swap@a.example", "swap@b.example"},
		{"the owner of a list", "owner-both@a.example", "bob@a.example"},
		{"its machinery", "both-request@a.example", ""},
		{"postmaster", "postmaster@b.example", "root@b.example"},
		{"a catch-all is for those without an account", "whoever@a.example", ""},
	}
	for _, tt := range tests {
		got, err := ds.Expand(address(t, tt.address))
		if err != nil || told(got) != tt.want {
			t.Errorf("%s: %s is %s, %v; want %s", tt.name, tt.address, told(got), err, tt.want)
		}
	}
}

func TestCatchAll(t *testing.T) {
	ds := ours(t, someAliases)
	tests := []struct{ address, want string }{
		{"whoever@a.example", "bob@a.example bob@a.example|+all"},
		{"whoever+x@a.example", "bob@a.example bob@a.example|+all"},
		{"ann@a.example", "ann@a.example bob@a.example"},
		{"whoever@b.example", ""},
		{"whoever@c.example", ""},
		{"whoever@none.example", ""},
		{"whoever@far.example", ""},
	}
	for _, tt := range tests {
		got, err := ds.CatchAll(address(t, tt.address))
		if err != nil || told(got) != tt.want {
			t.Errorf("%s is %s, %v; want %s", tt.address, told(got), err, tt.want)
		}
	}
}

func TestChain(t *testing.T) {
	got, err := ours(t, someAliases).CatchAll(address(t, "whoever@a.example"))
	if err != nil {
		t.Fatal(err)
	}
	var chain []string
	for _, al := range got[0].Chain {
		chain = append(chain, fmt.Sprintf("%s:%d", al.Name, al.Line))
	}
	if s := strings.Join(chain, " "); s != "@a.example:20 catch:21" {
		t.Errorf("the chain is %s", s)
	}
}

// A file that is read again in the middle of an expansion, to the same content, does not lead in a circle.
func TestExpandWhileReadAgain(t *testing.T) {
	f := &File{content: func() (*table, error) { return read("ann: ann, bob\nbob: \\bob\nx: ann\n", nil) }}
	ds := Domains(func(string) (Domain, bool) { return Domain{Aliases: f}, true })
	got, err := ds.Expand(Address{Local: "x", Domain: "d"})
	if err != nil || told(got) != "ann@d bob@d" {
		t.Errorf("%s, %v", told(got), err)
	}
}

func TestLoops(t *testing.T) {
	var deep, wide, broad strings.Builder
	for i := range maxLevels + 1 {
		fmt.Fprintf(&deep, "d%d: d%d\n", i, i+1)
	}
	wide.WriteString("w: w0")
	for i := range 11 {
		fmt.Fprintf(&wide, ", w%d", i)
		fmt.Fprintf(&broad, "w%d: x%d-0", i, i)
		for j := range 99 {
			fmt.Fprintf(&broad, ", x%d-%d", i, j+1)
		}
		broad.WriteString("\n")
	}
	ds := ours(t, someAliases+deep.String()+wide.String()+"\n"+broad.String())
	tests := []struct {
		address string
		want    error
		says    string
	}{
		{"one@a.example", ErrLoop, "one@a.example > two@a.example > three@a.example > one@a.example"},
		{"two+x@a.example", ErrLoop, "two+x@a.example > three+x@a.example > one+x@a.example > two+x@a.example"},
		{"circle@b.example", ErrLoop, "back@c.example > circle@a.example > back@c.example"},
		{"d0@a.example", ErrLoop, "more than 100 levels"},
		{"d1@a.example", nil, ""},
		{"w@a.example", ErrTooMany, "more than 1000"},
	}
	for _, tt := range tests {
		_, err := ds.Expand(address(t, tt.address))
		if !errors.Is(err, tt.want) || err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %v, want %v", tt.address, err, tt.want)
		}
	}
}

// A tree whose branches meet again and again is gone through once.
func TestExpandDoubling(t *testing.T) {
	var b strings.Builder
	for i := range maxLevels - 1 {
		fmt.Fprintf(&b, "d%d: d%d, d%d+%d, d%d@b.example\n", i, i+1, i+1, i%3, i+1)
	}
	got, err := ours(t, b.String()).Expand(address(t, "d0@a.example"))
	if err != nil || len(got) != 8 {
		t.Errorf("%s, %v", told(got), err)
	}
}

func TestCheck(t *testing.T) {
	ds := ours(t, someAliases+"\n\nleads: one\nx@c.example: ann\n")
	f, _ := ds("a.example")
	var got []string
	for _, m := range ds.Check(f.Aliases, []string{"a.example", "b.example"}) {
		got = append(got, fmt.Sprintf("%d: %s", m.Line, m.What))
	}
	want := []string{
		"16: aliases lead in a circle: circle@a.example > back@c.example > circle@a.example",
		"17: aliases lead in a circle: one@a.example > two@a.example > three@a.example > one@a.example",
		"22: nothing asks for @none.example: none.example is not a domain that these aliases are for",
		"27: nothing asks for x@c.example: c.example is not a domain that these aliases are for",
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// Which aliases lead out of our domains, directly or through others, in one domain or another.
func TestElsewhere(t *testing.T) {
	ds := ours(t, "in: ann, x@b.example\nout: ann, eve@far.example\nvia: out\nback: ann@c.example\n@b.example: in, back, via\nloop: loop2\nloop2: loop, eve@far.example\n")
	f, _ := ds("a.example")
	var got []string
	for _, al := range ds.Elsewhere(f.Aliases, []string{"a.example", "b.example"}) {
		got = append(got, fmt.Sprintf("%s:%d", al.Name, al.Line))
	}
	if want := "out:2 via:3 @b.example:5"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
}

func TestSplit(t *testing.T) {
	tests := []struct{ local, delimiters, base, detail string }{
		{"ann", "+", "ann", ""},
		{"ann+x", "", "ann+x", ""},
		{"ann+x", "+", "ann", "+x"},
		{"ann+x+y", "+", "ann", "+x+y"},
		{"ann-x+y", "+-", "ann", "-x+y"},
		{"ann+", "+", "ann", "+"},
		{"+x", "+", "+x", ""},
		{"+", "+", "+", ""},
		{"postmaster", "m", "postmaster", ""},
		{"Mailer-Daemon", "-", "Mailer-Daemon", ""},
		{"owner-list", "-", "owner-list", ""},
		{"Owner-list", "-", "Owner-list", ""},
		{"list-request", "+-", "list-request", ""},
		{"owner-list", "+", "owner-list", ""},
		{"owner+list", "+", "owner", "+list"},
		{"jürgen+ü", "+", "jürgen", "+ü"},
	}
	for _, tt := range tests {
		p := smtp.Path{Local: tt.local, Domain: "d"}
		a := Split(p, tt.delimiters)
		if want := (Address{tt.base, tt.detail, "d"}); a != want || a.Path() != p {
			t.Errorf("%s by %q is %q", tt.local, tt.delimiters, a)
		}
	}
}
