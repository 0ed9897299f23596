package maildir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
)

func TestParseKeywords(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"", ""},
		{"0 work\n1 $Label1\n25 z\n", "0 work\n1 $Label1\n25 z\n"},
		{"3 gap\n", "3 gap\n"},
		{"0 a\n0 b\n", "0 b\n"},
		{"26 over\n-1 x\nx y\n1\n2 \n3 two words\n4 \\Seen\n5 ok", "5 ok\n"},
		{"\x00\xff\n", ""},
	} {
		if got := parseKeywords([]byte(test.text)).String(); got != test.want {
			t.Errorf("%q: %q, want %q", test.text, got, test.want)
		}
	}
}

func FuzzKeywords(f *testing.F) {
	f.Add([]byte("0 work\n1 $Label1\n25 z\n"), "SabP", "new")
	f.Add([]byte("0"), "0", `S\`)
	f.Add([]byte("26 over\n\\"), "z", `\Seen`)
	f.Fuzz(func(t *testing.T, text []byte, old, word string) {
		k := parseKeywords(text)
		if again := parseKeywords([]byte(k.String())); again != k {
			t.Fatalf("%q is read as %q, and then as %q", text, k, again)
		}
		flags := []store.Flag{store.Flag(word)}
		k.add(flags)
		if again := parseKeywords([]byte(k.String())); again != k {
			t.Fatalf("%q with %q is %q, and then %q", text, word, k, again)
		}
		if name := replaceLetters(old, flags, k); isKeyword(flags[0]) && k.index(flags[0]) >= 0 && !slices.ContainsFunc(k.flags(name), func(f store.Flag) bool {
			return strings.EqualFold(string(f), word)
		}) {
			t.Fatalf("%q of %q in %q is lost in %q", word, old, k, name)
		}
	})
}

// A folder knows 26 keywords: what is more is left out, and mail with it is taken.
func TestManyKeywords(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	var flags []store.Flag
	for i := range 30 {
		flags = append(flags, store.Flag(fmt.Sprintf("k%d", i)))
	}
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: limited, Flags: flags}))
	if got := only(t, s, "").Flags; !slices.Equal(got, flags[:26]) {
		t.Errorf("flags %q", got)
	}
	text, err := os.ReadFile(filepath.Join(dir, "example.org", "ann", keywordsFile))
	if err != nil || !strings.HasPrefix(string(text), "0 k0\n1 k1\n") {
		t.Errorf("%q, %v", text, err)
	}
}

// Another program that changes the keywords is waited for by trying again later, unless it died.
func TestKeywordsLocked(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	p := store.Placement{Mailbox: limited, Flags: []store.Flag{"a"}}
	must(t, deliver(t, s, "x\r\n", p))
	lock := filepath.Join(dir, "example.org", "ann", keywordsLock)
	must(t, os.WriteFile(lock, nil, 0o600))
	must(t, deliver(t, s, "x\r\n", p)) // whose letter is known
	p.Flags = []store.Flag{"b"}
	if err := deliver(t, s, "x\r\n", p); !errors.Is(err, store.ErrBusy) {
		t.Errorf("locked: %v, want ErrBusy", err)
	}
	old := time.Now().Add(-lockStale)
	must(t, os.Chtimes(lock, old, old), deliver(t, s, "x\r\n", p))
}

// What somebody puts in the place of the file holds nobody up who needs no keyword.
func TestKeywordsPlanted(t *testing.T) {
	dir := t.TempDir()
	s := open(t, dir)
	defer s.Close()
	must(t, deliver(t, s, "x\r\n", store.Placement{Mailbox: limited}))
	file := filepath.Join(dir, "example.org", "ann", keywordsFile)
	for what, plant := range map[string]func() error{
		"directory": func() error { return os.Mkdir(file, 0o700) },
		"too long":  func() error { return os.WriteFile(file, make([]byte, maxKeywords+1), 0o600) },
	} {
		must(t, plant())
		id := only(t, s, "").ID
		must(t, s.SetFlags(t.Context(), limited, "", id, []store.Flag{store.FlagSeen}))
		if err := s.SetFlags(t.Context(), limited, "", id, []store.Flag{"a"}); !errors.Is(err, errNoFile) {
			t.Errorf("%s: %v", what, err)
		}
		must(t, os.RemoveAll(file))
	}
}
