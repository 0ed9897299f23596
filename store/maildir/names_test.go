package maildir

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/emersion/go-maildir/maildirpp"

	"lmtpd/store"
)

func TestUniqueName(t *testing.T) {
	n := newNames(func() time.Time { return time.Unix(1795171504, 12345678) }, "a/b:c,d.example")
	first, second := n.final(sizes{10, 12}, ""), n.final(sizes{1, 2}, "FS")
	for _, test := range []struct{ name, want string }{
		{first, `^1795171504\.M12345P\d+R[0-9a-f]{8}Q1\.a\\057b\\072c\\054d\.example,S=10,W=12$`},
		{second, `^1795171504\.M12345P\d+R[0-9a-f]{8}Q2\.a\\057b\\072c\\054d\.example,S=1,W=2:2,FS$`},
	} {
		if !regexp.MustCompile(test.want).MatchString(test.name) {
			t.Errorf("%q does not match %s", test.name, test.want)
		}
	}
	if before(first, second) >= 0 || before(second, first) <= 0 || before(first, first) != 0 {
		t.Error("names made later do not come later")
	}
}

func TestBefore(t *testing.T) {
	want := []string{
		"x", "9.M1P1Q1.h", "10.M9P1Q9.h", "10.M9P1Q10.h", "10.M10P1Q1.h", "10.M999999P1Q1.h", "11.1_2.h",
	}
	got := slices.Clone(want)
	slices.Reverse(got)
	slices.SortFunc(got, before)
	if !slices.Equal(got, want) {
		t.Errorf("order %q, want %q", got, want)
	}
}

func TestParseName(t *testing.T) {
	for _, test := range []struct {
		name, id, flags string
		wire            int64
	}{
		{"1.M2P3.h,S=4,W=5:2,FS", "1.M2P3.h,S=4,W=5", "FS", 5},
		{"1.M2P3.h,W=5", "1.M2P3.h,W=5", "", 5},
		{"1.M2P3.h,W=5x:2,", "1.M2P3.h,W=5x", "", 5},
		{"1:2,Sab,more", "1", "Sab", -1},
		{"1:1,S", "1", "", -1},
		{"1:", "1", "", -1},
		{"1,W=:2,S", "1,W=", "S", -1},
		{"1,W=-5:2,S", "1,W=-5", "S", -1},
		{"1,W=99999999999999999999", "1,W=99999999999999999999", "", -1},
		{"", "", "", -1}, {".x", "", "", -1}, {":2,S", "", "", -1},
	} {
		b, ok := parseName(test.name)
		if ok != (test.id != "") || ok && (b.id != test.id || b.flags != test.flags) {
			t.Errorf("%q: %+v, %v", test.name, b, ok)
		}
		if wire, ok := b.size(",W="); ok != (test.wire >= 0) || ok && wire != test.wire {
			t.Errorf("%q: W=%d, %v", test.name, wire, ok)
		}
	}
}

func TestLetters(t *testing.T) {
	for _, test := range []struct {
		old   string
		flags []store.Flag
		want  string
	}{
		{"", nil, ""},
		{"", []store.Flag{store.FlagSeen, store.FlagDraft, store.FlagSeen}, "DS"},
		{"", []store.Flag{`\SEEN`, "keyword", `\Recent`}, "S"},
		{"FSab", []store.Flag{store.FlagAnswered}, "Rab"},
		{"ba!", nil, "!ab"},
		{"abcd", nil, "abd"}, // a word that is no keyword is somebody else's
		{"ab", []store.Flag{"Work", store.FlagSeen, "play"}, "Sabc"},
		{"S\xff\xc3", nil, "\xc3\xff"},
	} {
		if got := replaceLetters(test.old, test.flags, keywords{2: "work", 3: "\xff"}); got != test.want {
			t.Errorf("%q with %q: %q, want %q", test.old, test.flags, got, test.want)
		}
	}
}

func TestUTF7(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "Work": "Work", "&": "&-", "a&b": "a&-b", "Entwürfe & x": "Entw&APw-rfe &- x", // the last as Dovecot writes it
		"~peter/mail/台北/日本語": "~peter/mail/&U,BTFw-/&ZeVnLIqe-", // RFC 3501 §5.1.3
		"🙂":                  "&2D3eQg-", "ü&": "&APw-&-", "\x7f": "&AH8-",
	} {
		got := encodeUTF7(text)
		if got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if back, err := decodeUTF7(got); err != nil || back != text {
			t.Errorf("%q: back %q, %v", got, back, err)
		}
	}
	for _, bad := range []string{
		"&", "a&b", "&&-", "&Jjo", "&Jjo!", "ü", "\xff", "&AGE-", "&U,BTFw-&ZeVnLIqe-", "&2D0-", "&AAA", "&A-", "&AA-", "&AAAA=-", "\x01",
	} {
		if got, err := decodeUTF7(bad); err == nil {
			t.Errorf("%q was taken for %q", bad, got)
		}
	}
}

func FuzzUTF7(f *testing.F) {
	for _, seed := range []string{"Work", "Entw&APw-rfe &- x", "日本語", "🙂&", "&AGE-", "&2D3eQg-"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if utf8.ValidString(s) {
			coded := encodeUTF7(s)
			if back, err := decodeUTF7(coded); err != nil || back != s {
				t.Fatalf("%q is coded %q, and back %q, %v", s, coded, back, err)
			}
		}
		if text, err := decodeUTF7(s); err == nil && (encodeUTF7(text) != s || !utf8.ValidString(text)) {
			t.Fatalf("%q is %q, which is coded %q", s, text, encodeUTF7(text))
		}
	})
}

func TestFolderDir(t *testing.T) {
	for folder, want := range map[string]string{
		"": "", "INBOX": "", "Work": ".Work", "Work/Süb": ".Work.S&APw-b", "a b": ".a b", "日本語/🙂": ".&ZeVnLIqe-.&2D3eQg-",
		"a.b": "!", "..": "!", ".a": "!", "a//b": "!", "/": "!", "a/..": "!", "\x00": "!", strings.Repeat("a", 254): "." + strings.Repeat("a", 254),
		strings.Repeat("a", 255): "!", strings.Repeat("ü", 100): "!",
	} {
		got, err := folderDir(folder)
		if (err != nil) != (want == "!") || err == nil && got != want {
			t.Errorf("%.40q: %q, %v, want %q", folder, got, err, want)
		}
		if err == nil && got != "" {
			if back, ok := folderOf(got); !ok || back != folder {
				t.Errorf("%.40q: back %q, %v", got, back, ok)
			}
		}
	}
}

func FuzzFolderOf(f *testing.F) {
	for _, seed := range []string{".Work.Sub", ".", "..", "...x", ".a/b", ".INBOX", ".S&APw-b", ".a\x00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, dir string) {
		folder, ok := folderOf(dir)
		if !ok {
			return
		}
		if back, err := folderDir(folder); err != nil || back != dir || strings.ContainsAny(dir, "/\x00") {
			t.Fatalf("%q is %q, which is %q, %v", dir, folder, back, err)
		}
		if levels, err := maildirpp.Split(dir); err != nil || len(levels) != 1+strings.Count(folder, "/") {
			t.Fatalf("%q is %q, but %q", dir, folder, levels)
		}
	})
}
