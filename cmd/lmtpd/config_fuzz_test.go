package main

import (
	"errors"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// Whatever a file holds, reading it ends; every mistake has a place inside the file; and what the library would
// refuse is refused.
func FuzzConfig(f *testing.F) {
	for section := range strings.SplitSeq(wholeConfig+wholeRelay, "\n\n") {
		f.Add(section) // small, because the fuzzer takes its time to make large ones smaller
	}
	for _, seed := range []string{
		"", "hostname =\n", "a = \"x\nb = 1\n", "[log\nformat = 1\n[limits]\nhops = 0\n", "[[listen]]\naddress = [\n\"x\"\n",
		"[a.b]\n[a]\n[[a.b]]\na.b = {c = 1, c.d = 2}\n", "listen = [[{}], 1, {address = \"::1\"}]\n", "log = {}\nlog.level = 1\n",
		"\"\" = 1\n'' = 2\n", "a = '''\n", "a = 1979-05-27T07:32:00Z\n", "\xef\xbb\xbfdata = \"x\"\r\n", "data = \"\xff\"\n", "x = inf\ny = nan\n",
		"[mailboxes]\n[[mailboxes]]\ndomains = [\"\", \"a@b\", \"A.b\", \"a.B\"]\n", "[[listen.x]]\n[listen.x.y]\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		cfg := &Config{Limits: defaultLimits()}
		r := &report{file: "f"}
		readConfig(cfg, []byte(text), r)
		checkPlaces(t, text, r.found)

		var whole map[string]any
		err := toml.Unmarshal([]byte(text), &whole)
		if err != nil && len(r.found) == 0 {
			t.Errorf("taken, but the library says: %v", err)
		}
		var m mistakes
		if err := r.err(); err != nil && (!errors.As(err, &m) || strings.Count(err.Error(), "\n")+1 < len(m)) {
			t.Errorf("%d mistakes in %q", len(m), err)
		}
	})
}

func checkPlaces(t *testing.T, text string, found mistakes) {
	t.Helper()
	lines := strings.Split(text, "\n")
	for _, m := range found {
		if m.at.line < 1 || m.at.line > len(lines) || m.at.col < 1 || m.at.col > len(lines[m.at.line-1])+1 {
			t.Errorf("%d:%d is not in the file: %s", m.at.line, m.at.col, m.what)
		}
	}
}
