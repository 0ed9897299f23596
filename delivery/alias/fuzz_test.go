package alias

import (
	"errors"
	"strings"
	"testing"

	"lmtpd/auth/account/textfile"
	"lmtpd/protocol/smtp"
)

// FuzzAliases: whatever is in a file and its list, reading it does not panic; what is read can be written and read
// again, and expanding each of its names comes to an end within the limits; what is not, has mistakes with a place.
func FuzzAliases(f *testing.F) {
	f.Add("", "")
	f.Add(someAliases, "ann, bob\n# c\n")
	f.Add("all: :include:/l, \"a b\"@c (d), <e@f>\n \\g\n@h: i", "x\r\n:include:/l\n|y")
	f.Add("a: b+1\nb: a+2\nb+1: c@d\n", "")
	f.Add("\"a\\\"b\": ~/x, ann@[::1], [\n(", "")
	f.Fuzz(func(t *testing.T, text, list string) {
		tab, err := read(text, map[string]string{"/l": list})
		if err != nil {
			checkMistakes(t, err, strings.Count(text+list, "\n")+1)
			return
		}
		again, err := read(rewrite(tab), nil)
		if err != nil || dump(again) != dump(tab) {
			t.Fatalf("%q is written as\n%s\nwhich is %v", text, rewrite(tab), err)
		}
		checkExpansions(t, tab)
	})
}

func checkMistakes(t *testing.T, err error, lines int) {
	var bad textfile.Mistakes
	if !errors.As(err, &bad) || len(bad) == 0 {
		t.Fatal(err)
	}
	for _, m := range bad {
		if m.Line < 1 || m.Line > lines || strings.ContainsAny(m.What, "\n\x00") {
			t.Fatalf("mistake %q in line %d of %d", m.What, m.Line, lines)
		}
	}
}

func checkExpansions(t *testing.T, tab *table) {
	for i := range tab.aliases {
		al := &tab.aliases[i]
		f := fixed(tab)
		w := newWalk(func(string) (Domain, bool) { return Domain{Aliases: f, Delimiters: "+-"}, true }, f, tab)
		err := w.expand(Address{Local: al.name.Local, Domain: "d"}, al, "+x")
		switch {
		case err == nil && (len(w.targets) == 0 || len(w.targets) > maxTargets):
			t.Fatalf("%s has %d targets", al.Name, len(w.targets))
		case err != nil && !errors.Is(err, ErrLoop) && !errors.Is(err, ErrTooMany):
			t.Fatal(err)
		}
	}
}

// fixed is a file that does not change.
func fixed(tab *table) *File {
	return &File{content: func() (*table, error) { return tab, nil }}
}

// rewrite writes a table as a file, with quotes or backslashes everywhere.
func rewrite(tab *table) string {
	var b strings.Builder
	for _, al := range tab.aliases {
		b.WriteString(quoted(al.name) + " :\n")
		for _, to := range al.targets {
			switch {
			case to.final:
				b.WriteString(" " + escaped(to.path) + "\n")
			default:
				b.WriteString(" " + quoted(to.path) + ",\n")
			}
		}
	}
	return b.String()
}

func quoted(p smtp.Path) string {
	local := ""
	if p.Local != "" {
		local = `"` + strings.NewReplacer(`"`, `\"`, `\`, `\\`).Replace(p.Local) + `"`
	}
	return local + at(p.Domain)
}

func escaped(p smtp.Path) string {
	var b strings.Builder
	for _, r := range p.Local {
		b.WriteString(`\` + string(r))
	}
	return b.String() + at(p.Domain)
}

func at(domain string) string {
	if domain == "" {
		return ""
	}
	return "@" + domain
}
