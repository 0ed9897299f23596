package alias

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// What Postfix keeps in a table takes every name; of ours, those that are addresses are not for aliases(5) to it.
const trickyAliases = `# a comment
   # one with blanks before it

ann: bob, carl
BEN : "dora x"@example.org, Eve <eve@example.org>, (comment) fred (c), "Last, First" <greg@example.net>,
# between
	henry,

   ida,
jim:kate
"quo ted": x
"a\"b:c#": "c\"d", "e,f"
l+detail: m+other
words: a b	c
dots..here: .y
signs!x: a!b, c%d
UTF8-Ünï: Ünï@exämple.org
literal: a@[127.0.0.1]
spare: ,a,,b,
long: a1,
 a2
 , a3
 (more
 of it) a4
escaped: a\,b
no-end: z`

// TestPostfixAgrees has postalias read a file and compares each of its names with ours.
func TestPostfixAgrees(t *testing.T) {
	needPostalias(t)
	path := filepath.Join(t.TempDir(), "aliases")
	config := configFor(t, path, trickyAliases)
	postalias(t, config, "hash:"+path)
	theirs := map[string]string{}
	for l := range strings.Lines(postalias(t, config, "-s", "hash:"+path)) {
		name, value, _ := strings.Cut(strings.TrimSuffix(l, "\n"), ":\t")
		theirs[name] = value
	}
	ours, err := read(trickyAliases, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, al := range ours.aliases {
		value, ok := theirs[al.name.Local]
		if !ok {
			t.Errorf("Postfix has no %q but %q", al.name.Local, theirs)
			continue
		}
		if got := targetsOf(t, value); !slices.Equal(got, al.targets) {
			t.Errorf("%s: %+v, and Postfix has %q", al.Name, al.targets, value)
		}
	}
	delete(theirs, "@") // its mark that the table is whole
	for _, name := range []string{"YP_LAST_MODIFIED", "YP_MASTER_NAME"} {
		delete(theirs, name)
	}
	if len(theirs) != len(ours.aliases) {
		t.Errorf("Postfix has %d names: %q", len(theirs), theirs)
	}
}

// targetsOf reads what Postfix has kept of an alias.
func targetsOf(t *testing.T, value string) []target {
	t.Helper()
	tab, err := read("x: "+value, nil)
	if err != nil {
		t.Fatalf("%q: %v", value, err)
	}
	return tab.aliases[0].targets
}

// TestPostfixRefusesToo has postalias read what we refuse for its form. It warns of each and goes on.
func TestPostfixRefusesToo(t *testing.T) {
	needPostalias(t)
	path := filepath.Join(t.TempDir(), "aliases")
	bad := []string{"no colon", "nothing:", ": ann", "ann: a\nANN: b", "a, b: c"}
	for _, text := range bad {
		if _, err := read(text, nil); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
	out := postalias(t, configFor(t, path, strings.Join(bad, "\n")+"\n"), "hash:"+path)
	if n := strings.Count(out, "warning"); n != len(bad) {
		t.Errorf("Postfix warns of %d, not %d:\n%s", n, len(bad), out)
	}
}

// configFor writes a file for postalias, and returns where its configuration is.
func configFor(t *testing.T, path, text string) string {
	t.Helper()
	config := filepath.Join(filepath.Dir(path), "etc")
	err := errors.Join(os.Mkdir(config, 0o755), os.WriteFile(path, []byte(text), 0o644),
		os.WriteFile(filepath.Join(config, "main.cf"), []byte("compatibility_level = 3.6\nmyhostname = mta.example.net\n"), 0o644))
	if err != nil {
		t.Fatal(err)
	}
	return config
}

func needPostalias(t *testing.T) {
	t.Helper()
	complain := t.Skipf
	if os.Getenv("LMTPD_PEERS") == "required" {
		complain = t.Fatalf
	}
	if _, err := exec.LookPath("postalias"); err != nil {
		complain("postalias is missing: apt-get install postfix")
	}
}

// postalias runs Postfix's tool and returns all that it prints.
func postalias(t *testing.T, config string, args ...string) string {
	t.Helper()
	out, err := exec.Command("postalias", append([]string{"-c", config}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("postalias %s: %v\n%s", args, err, out)
	}
	return string(out)
}
