package account

import (
	"errors"
	"strings"
	"testing"

	"lmtpd/auth/account/textfile"
)

// FuzzPasswdFile: whatever is in a file, reading it does not panic; what is read is found and can be written and
// read again; what is not, has mistakes with a place; and a draft that nothing is asked of keeps every octet.
func FuzzPasswdFile(f *testing.F) {
	for _, seed := range []string{
		"",
		"# c\r\nann@example.org:{PLAIN}x:1000:1000:Ann:/h:/bin/sh:userdb_mail=m userdb_quota_rule=*:storage=1G nologin\r\nbob",
		"ann:::::::maildir:~/x",
		"ann::0\n:x\n bob\nann\n",
		"ann:::::::userdb_quota_storage_size=1T  nodelivery=x\n",
		"ann\x00\n\xff:\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tab, err := parseTable("f", text)
		if err != nil {
			checkMistakes(t, text, err)
			return
		}
		d, err := newDraft("f", text)
		if err != nil || d.text() != text {
			t.Fatalf("the draft of %q is %q, %v", text, d.text(), err)
		}
		for _, a := range tab.accounts {
			checkAccount(t, tab, d, a)
		}
		if _, err := parseTable("f", d.text()); err != nil {
			t.Fatalf("%q was made of %q: %v", d.text(), text, err)
		}
	})
}

func checkMistakes(t *testing.T, text string, err error) {
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || len(mistakes) == 0 {
		t.Fatalf("%q: %v", text, err)
	}
	lines := strings.Count(text, "\n") + 1
	for _, m := range mistakes {
		if m.Line < 1 || m.Line > lines || strings.ContainsAny(m.What, "\n\x00") {
			t.Fatalf("%q has mistake %q in line %d", text, m.What, m.Line)
		}
	}
}

func checkAccount(t *testing.T, tab *table, d *Draft, a Account) {
	if got, ok := tab.lookup(strings.ToUpper(a.Name)); isASCII(a.Name) && (!ok || !got.equal(a)) {
		t.Fatalf("%+v is found as %+v", a, got)
	}
	// A place of mail with a blank, which only the old form has, cannot be written in the new one.
	if line := formatAccount(a).join(); !strings.Contains(a.Mail, " ") && len(line) <= textfile.MaxLine {
		if err := says(line, a); err != nil {
			t.Fatalf("%+v is written %q: %v", a, line, err)
		}
	}
	if d.SetPassword(a.Name, "{PLAIN}new") != nil {
		return // longer than a line may be
	}
	a.Password = "{PLAIN}new"
	if got, err := d.Account(a.Name); err != nil || !got.equal(a) {
		t.Fatalf("%+v has become %+v, %v", a, got, err)
	}
	if d.SetDisabled(a.Name, Disabled{Login: true}) == nil {
		a.Disabled = Disabled{Login: true}
		if got, err := d.Account(a.Name); err != nil || !got.equal(a) {
			t.Fatalf("%+v is disabled as %+v, %v", a, got, err)
		}
	}
}

func isASCII(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0
}
