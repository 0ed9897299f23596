package alias

import (
	"os"
	"regexp"
	"testing"
)

// The aliases that README.md shows are good, and are what it says of them.
func TestReadme(t *testing.T) {
	text, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	example := regexp.MustCompile("(?s)\n## Aliases\n.*?\n```\n(.*?)```").FindSubmatch(text)
	if example == nil {
		t.Fatal("README.md shows no aliases")
	}
	tab, err := read(string(example[1]), map[string]string{"/etc/lmtpd/staff": "ann, ben\ncarl\n"})
	if err != nil {
		t.Fatal(err)
	}
	f := fixed(tab)
	ds := Domains(func(name string) (Domain, bool) {
		return Domain{Aliases: f, Delimiters: "+"}, name == "example.org" || name == "example.net"
	})
	for _, tt := range []struct{ address, want string }{
		{"abuse+spam@example.org", "ann@example.org|+spam ben@example.org|+from-ann ben@example.net|+spam"},
		{"postmaster+spam@example.org", "ann@example.org|+spam ben@example.org|+from-ann"},
		{"ann@example.org", "ann@example.org ben@example.org|+from-ann"},
		{`"lost and found"@example.org`, `carl@example.org "dora d"@example.org eve@example.org fred@example.org`},
		{"info@example.net", "carl@example.net"},
		{"staff@example.org", "ann@example.org ben@example.org|+from-ann ben@example.org carl@example.org"},
		{"backup@example.org", "ben@example.org"},
		{"nobody@example.net", "ann@example.net ben@example.net|+from-ann"},
		{"nobody@example.org", ""},
	} {
		got, err := ds.CatchAll(address(t, tt.address))
		if err != nil || told(got) != tt.want {
			t.Errorf("%s is %s, %v; want %s", tt.address, told(got), err, tt.want)
		}
	}
	if bad := ds.Check(f, []string{"example.org", "example.net"}); bad != nil {
		t.Error(bad)
	}
}
