package account

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth/account/textfile"
)

func draft(t *testing.T, text string) *Draft {
	t.Helper()
	d, err := newDraft("f", text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDraftAdd(t *testing.T) {
	whole := Account{
		Name: "Ann@Example.org", Password: "{SHA512-CRYPT}$6$a$b", UID: 1000, GID: 1001, Home: "/h",
		Mail: "maildir:~/x:INDEX=/i", Quota: Quota{1 << 30, 5}, Disabled: Disabled{Login: true, Delivery: true},
	}
	tests := []struct {
		name, before string
		add          Account
		want         string
	}{
		{"to nothing", "", bare("ann"), "ann:\n"},
		{"all there is", "# c\n", whole, "# c\nann@example.org:{SHA512-CRYPT}$6$a$b:1000:1001::/h::userdb_mail=maildir:~/x:INDEX=/i userdb_quota_rule=*:storage=1G:messages=5 nologin nodelivery\n"},
		{"behind an end that lacks", "bob", bare("ann"), "bob\nann:\n"},
		{"with CRLF", "# c\r\nbob\r\n", bare("ann"), "# c\r\nbob\r\nann:\r\n"},
		{"beside a local-part", "ann\n", bare("ann@example.org"), "ann\nann@example.org:\n"},
	}
	for _, tt := range tests {
		d := draft(t, tt.before)
		if err := d.Add(tt.add); err != nil || d.text() != tt.want {
			t.Errorf("%s: %q, %v; want %q", tt.name, d.text(), err, tt.want)
		}
		tt.add.Name = Fold(tt.add.Name)
		if got, err := d.Account(tt.add.Name); err != nil || !got.equal(tt.add) {
			t.Errorf("%s: %+v, %v; want %+v", tt.name, got, err, tt.add)
		}
	}
}

func TestDraftAddRefuses(t *testing.T) {
	with := func(change func(*Account)) Account {
		a := bare("bob")
		change(&a)
		return a
	}
	tests := map[string]Account{
		"no name":            bare(""),
		"a colon":            bare("b:x"),
		"a comment":          bare("#bob"),
		"a blank":            bare("bob smith"),
		"a blank first":      bare(" bob"),
		"an end of line":     bare("bob\n"),
		"a second line":      bare("bob\nroot"),
		"a comment behind":   bare("bob\n#"),
		"NUL":                bare("bob\x00"),
		"no UTF-8":           bare("bob\xff"),
		"uid 0":              {Name: "bob", GID: -1},
		"uid -2":             with(func(a *Account) { a.UID = -2 }),
		"password with :":    with(func(a *Account) { a.Password = "{PLAIN}a:b" }),
		"password with LF":   with(func(a *Account) { a.Password = "x\nroot:y" }),
		"password with CR":   with(func(a *Account) { a.Password = "x\r" }),
		"home with a colon":  with(func(a *Account) { a.Home = "/h:/i" }),
		"mail with a blank":  with(func(a *Account) { a.Mail = "maildir:/a b" }),
		"mail with flags":    with(func(a *Account) { a.Mail = "x nologin" }),
		"mail with an end":   with(func(a *Account) { a.Mail = "x\n" }),
		"negative quota":     with(func(a *Account) { a.Quota.Octets = -2 }),
		"too long a line":    with(func(a *Account) { a.Home = strings.Repeat("x", textfile.MaxLine) }),
		"invisible in names": bare("b\u200bob"),
	}
	for name, a := range tests {
		d := draft(t, "ann\n")
		if err := d.Add(a); err == nil || errors.Is(err, ErrExists) || d.text() != "ann\n" {
			t.Errorf("%s: %v, and the file is %q", name, err, d.text())
		}
	}
	if err := draft(t, "Ann\n").Add(bare("aNN")); !errors.Is(err, ErrExists) {
		t.Errorf("the same name: %v", err)
	}
}

func TestDraftChanges(t *testing.T) {
	const before = "# top\n\nAnn:old:1:2:Ann:/h:/bin/sh:a=b   userdb_mail=m\r\nbob\n# end\ncarl:x:::::::maildir:~/c"
	both := Disabled{Login: true, Delivery: true}
	tests := []struct {
		name     string
		do       func(*Draft) error
		from, to string
	}{
		{"password", func(d *Draft) error { return d.SetPassword("ann", "new") }, "old", "new"},
		{"the same password", func(d *Draft) error { return d.SetPassword("ann", "old") }, "", ""},
		{"no password", func(d *Draft) error { return d.SetPassword("ANN", "") }, "old", ""},
		{"a first password", func(d *Draft) error { return d.SetPassword("bob", "new") }, "bob\n", "bob:new\n"},
		{"disable", func(d *Draft) error { return d.SetDisabled("ann", both) }, "a=b   userdb_mail=m", "a=b userdb_mail=m nologin nodelivery"},
		{"disable the shortest", func(d *Draft) error { return d.SetDisabled("bob", both) }, "bob\n", "bob:::::::nologin nodelivery\n"},
		{"disable the old form", func(d *Draft) error { return d.SetDisabled("carl", Disabled{Login: true}) }, ":maildir:~/c", "userdb_mail=maildir:~/c nologin"},
		{"enable the enabled", func(d *Draft) error { return d.SetDisabled("ann", Disabled{}) }, "", ""},
		{"remove", func(d *Draft) error { return d.Remove("BOB") }, "bob\n", ""},
		{"remove the last line", func(d *Draft) error { return d.Remove("carl") }, "carl:x:::::::maildir:~/c", ""},
	}
	for _, tt := range tests {
		d := draft(t, before)
		want := strings.Replace(before, tt.from, tt.to, 1)
		if err := tt.do(d); err != nil || d.text() != want {
			t.Errorf("%s: %v\n%q, want\n%q", tt.name, err, d.text(), want)
		}
	}
}

func TestDraftEnables(t *testing.T) {
	d := draft(t, "ann:::::::nologin=gone a=b userdb_nodelivery=y nodelivery\nbob:::::::nologin\n")
	if err := errors.Join(d.SetDisabled("ann", Disabled{}), d.SetDisabled("bob", Disabled{})); err != nil {
		t.Fatal(err)
	}
	if want := "ann:::::::a=b\nbob:\n"; d.text() != want {
		t.Errorf("got %q, want %q", d.text(), want)
	}
}

func TestDraftRefusesChanges(t *testing.T) {
	const before = "ann@example.org:x\nbob\n"
	d := draft(t, before)
	for name, err := range map[string]error{
		"password":   d.SetPassword("ann", "x"), // a local-part is not looked for
		"disable":    d.SetDisabled("carl", Disabled{Login: true}),
		"remove":     d.Remove("bob@example.org"),
		"no comment": d.Remove("#"),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s of nobody: %v", name, err)
		}
	}
	for _, hash := range []string{"a:b", "a\nb", "a\n", "a\x00", "\xff", "a\r"} {
		if err := d.SetPassword("bob", hash); err == nil {
			t.Errorf("password %q is taken", hash)
		}
	}
	if d.text() != before {
		t.Errorf("the file has become %q", d.text())
	}
}

func TestDraftRemovesAll(t *testing.T) {
	d := draft(t, "ann\r\n\r\nbob\r\n")
	if err := errors.Join(d.Remove("ann"), d.Remove("bob")); err != nil || d.text() != "\r\n# no accounts\r\n" {
		t.Errorf("%q, %v", d.text(), err)
	}
	if d = draft(t, "# c\nann\n"); d.Remove("ann") != nil || d.text() != "# c\n" {
		t.Errorf("%q", d.text())
	}
}

func TestDraftList(t *testing.T) {
	d := draft(t, "bob\n# c\nann:x\n")
	want := []Account{bare("bob"), {Name: "ann", Password: "x", UID: -1, GID: -1}}
	if got, err := d.List(); err != nil || !slices.EqualFunc(got, want, Account.equal) {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := d.Account("carl"); !errors.Is(err, ErrNotFound) {
		t.Errorf("nobody: %v", err)
	}
}
