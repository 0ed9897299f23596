package account

import (
	"errors"
	"fmt"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lmtpd/auth/account/textfile"
)

// bare is an account about which only the name is known.
func bare(name string) Account { return Account{Name: name, UID: -1, GID: -1} }

func TestParseLine(t *testing.T) {
	full := func(change func(*Account)) Account {
		a := Account{Name: "ann", Password: "{PLAIN}x", UID: 1000, GID: 1001, Home: "/h"}
		change(&a)
		return a
	}
	const upToHome = "ann:{PLAIN}x:1000:1001:Ann:/h:/bin/sh"
	tests := []struct {
		name, line string
		want       Account
	}{
		{"the name alone", "ann", bare("ann")},
		{"a name and a colon", "ann:", bare("ann")},
		{"a password", "ann:{PLAIN}x", Account{Name: "ann", Password: "{PLAIN}x", UID: -1, GID: -1}},
		{"a bare hash", "ann:$6$salt$hash", Account{Name: "ann", Password: "$6$salt$hash", UID: -1, GID: -1}},
		{"a type in brackets, kept", "ann:abc[13]", Account{Name: "ann", Password: "abc[13]", UID: -1, GID: -1}},
		{"a uid without a gid", "ann::7", Account{Name: "ann", UID: 7, GID: -1}},
		{"a gid without a uid", "ann:::7", Account{Name: "ann", UID: -1, GID: 7}},
		{"leading zeros", "ann::007", Account{Name: "ann", UID: 7, GID: -1}},
		{"the largest uid", "ann::4294967294", Account{Name: "ann", UID: 4294967294, GID: -1}},
		{"up to the shell", upToHome, full(func(*Account) {})},
		{"a backslash escapes nothing", `ann:a\\b`, Account{Name: "ann", Password: `a\\b`, UID: -1, GID: -1}},
		{"no extra fields", upToHome + ":", full(func(*Account) {})},
		{"a percent sign in the home", "ann:::::/h/%u", Account{Name: "ann", UID: -1, GID: -1, Home: "/h/%u"}},
		{"place of mail", upToHome + ":userdb_mail=maildir:~/x:INDEX=/i", full(func(a *Account) { a.Mail = "maildir:~/x:INDEX=/i" })},
		{"old form", upToHome + "::maildir:~/x", full(func(a *Account) { a.Mail = "maildir:~/x" })},
		{"old form without mail", upToHome + "::", full(func(*Account) {})},
		{"several blanks", upToHome + ":  userdb_mail=m   nologin ", full(func(a *Account) { a.Mail, a.Disabled.Login = "m", true })},
		{"unknown extra fields", upToHome + ":user=bob allow_nets=10.0.0.0/8 x =y userdb_=1 mail=z", full(func(*Account) {})},
		{"overriding fields", upToHome + ":userdb_uid=5 userdb_gid=6 userdb_home=/o", full(func(a *Account) { a.UID, a.GID, a.Home = 5, 6, "/o" })},
		{"no login whatever the value", upToHome + ":nologin=no", full(func(a *Account) { a.Disabled.Login = true })},
		{"no flag of the passdb", upToHome + ":userdb_nologin=y", full(func(*Account) {})},
		{"no delivery", upToHome + ":nodelivery", full(func(a *Account) { a.Disabled.Delivery = true })},
		{"no delivery in the userdb", upToHome + ":userdb_nodelivery=y", full(func(a *Account) { a.Disabled.Delivery = true })},
		{"quota of storage", upToHome + ":userdb_quota_rule=*:storage=1G", full(func(a *Account) { a.Quota.Octets = 1 << 30 })},
		{"quota rules in turn", upToHome + ":userdb_quota_rule=*:storage=1G userdb_quota_rule2=Trash:storage=+10% userdb_quota_rule3=*:messages=9",
			full(func(a *Account) { a.Quota = Quota{1 << 30, 9} })},
		{"quota of Dovecot 2.4", upToHome + ":userdb_quota_storage_size=2GB userdb_quota_message_count=9", full(func(a *Account) { a.Quota = Quota{2 << 30, 9} })},
		{"rules of other roots", upToHome + ":userdb_quota2_rule=what userdb_quota_rule_x=1", full(func(*Account) {})},
		{"capitals of ASCII alone", "ANN@Example.ORG", bare("ann@example.org")},
		{"capitals of other scripts", "ÄNN", bare("Änn")},
		{"the end of CRLF", "ann:x\r\n", Account{Name: "ann", Password: "x", UID: -1, GID: -1}},
	}
	for _, tt := range tests {
		got, err := parseTable("f", tt.line)
		if err != nil || len(got.accounts) != 1 || !got.accounts[0].equal(tt.want) {
			t.Errorf("%s: %q is %+v, %v; want %+v", tt.name, tt.line, got, err, tt.want)
		}
	}
}

func TestParseNames(t *testing.T) {
	const none, some = "nosuchuser-x", "some"
	asked := 0
	i := ids{find: func(field, name string) (int, error) {
		asked++
		if name == none {
			return 0, errors.New("is nobody")
		}
		return map[string]int{"uid": 41, "gid": 42}[field], nil
	}}
	for range 3 {
		uid, err1 := i.number("userdb_uid", some)
		gid, err2 := i.number("gid", some)
		_, err3 := i.number("uid", none)
		if uid != 41 || gid != 42 || err1 != nil || err2 != nil || err3 == nil {
			t.Fatalf("uid %d, gid %d: %v, %v, %v", uid, gid, err1, err2, err3)
		}
	}
	if asked != 3 {
		t.Errorf("the host was asked %d times, not once for each name", asked)
	}
}

func TestHostNames(t *testing.T) {
	me, err := user.Current()
	if err != nil {
		t.Skip(err)
	}
	if uid, err := hostID("uid", me.Username); err != nil || strconv.Itoa(uid) != me.Uid {
		t.Errorf("uid of %s is %d, %v", me.Username, uid, err)
	}
	if _, err := hostID("uid", "no such user"); err == nil || errors.Is(err, ErrUntold) {
		t.Errorf("a user that is not there: %v", err)
	}
	if _, err := hostID("gid", "no such group"); err == nil || errors.Is(err, ErrUntold) {
		t.Errorf("a group that is not there: %v", err)
	}
}

// A name that the host cannot tell is no mistake, and hides none.
func TestParseUntold(t *testing.T) {
	down := func(string, string) (int, error) {
		return 0, fmt.Errorf("%w: %w", ErrUntold, errors.New("LDAP is down"))
	}
	_, err := parseWith(down, "f", "ann\nbob::s3cret\ncarl:::vmail\n")
	var bad Mistakes
	if !errors.Is(err, ErrUntold) || errors.As(err, &bad) || !strings.Contains(err.Error(), "f:2: uid: ") ||
		!strings.Contains(err.Error(), "LDAP is down") || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("got %v", err)
	}
	if _, err := parseWith(down, "f", "bob::vmail\ncarl::0\n"); !errors.As(err, &bad) || len(bad) != 1 || bad[0].Line != 2 {
		t.Errorf("with a mistake: %v", err)
	}
}

func TestParseIgnores(t *testing.T) {
	got, err := parseTable("f", "# comment \xff\x00\n#ann:x\n\n \t\n\r\nann\n\n")
	if err != nil || !slices.EqualFunc(got.accounts, []Account{bare("ann")}, Account.equal) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestParseTellsAllMistakes(t *testing.T) {
	text := strings.Join([]string{
		"ann@example.org:x:1000:1000",
		":x",
		" bob",
		"# a comment",
		"carl smith",
		"ANN@example.org:y",
		"dora::0",
		"eve::-5:+5",
		"fred::4294967295:99999999999",
		"gina::no-such-user-here:no-such-group-here",
		"h\x00al",
		"i\x01da",
		"j\tim:x",
		"k\x7fen",
		"l\xffisa",
		"mo\u0085na",
		"n:" + strings.Repeat("x", textfile.MaxLine),
		"o\u200bla",
		"pia:::::::userdb_quota_rule=*:storage=10% userdb_uid=0",
		"\ufeffqi",
		"ann@example.org",
		"",
	}, "\r\n")
	want := `f:2: no name before the first colon
f:3: blank in name, behind ""
f:5: blank in name, behind "carl"
f:6: ann@example.org has an account already, in line 1
f:7: uid is impossible: it takes a number from 1 to 4294967294
f:8: uid is impossible: it takes a number from 1 to 4294967294
f:8: gid is impossible: it takes a number from 1 to 4294967294
f:9: uid is impossible: it takes a number from 1 to 4294967294
f:9: gid is impossible: it takes a number from 1 to 4294967294
f:10: uid is no user that this host knows
f:10: gid is no group that this host knows
f:11: NUL in column 2
f:12: control character 0x01 in column 2
f:13: control character 0x09 in column 2
f:14: control character 0x7f in column 2
f:15: line is not UTF-8
f:16: control character 0x85 in column 3
f:17: line of ` + strconv.Itoa(textfile.MaxLine+2) + ` octets is too long: 8192 are allowed
f:18: invisible character in name "o\u200bla"
f:19: userdb_quota_rule=*:storage=10%: limit "storage=10%": a whole mailbox has nothing to take a percentage of
f:19: userdb_uid is impossible: it takes a number from 1 to 4294967294
f:20: invisible character in name "\ufeffqi"
f:21: ann@example.org has an account already, in line 1`
	_, err := parseTable("f", text)
	var mistakes Mistakes
	if !errors.As(err, &mistakes) || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// A slip of the pen puts a password where another field should be. It must not get into the log with the mistake.
func TestMistakesTellNoPassword(t *testing.T) {
	for _, line := range []string{
		"ann::{SHA512-CRYPT}$6$s3cret",
		"ann:{PLAIN}pass:s3cret",
		"ann:::{PLAIN}s3cret",
		"ann {PLAIN}s3cret",
		" ann {PLAIN}s3cret:1:1",
		"ann:::::::userdb_uid=s3cret",
	} {
		if _, err := parseTable("f", line+"\n"); err == nil || strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%q: %v", line, err)
		}
	}
}

func TestParseLongestLine(t *testing.T) {
	line := "n:" + strings.Repeat("x", textfile.MaxLine-2)
	if got, err := parseTable("f", line+"\r\n"); err != nil || len(got.accounts) != 1 {
		t.Errorf("a line of exactly %d octets: %v", len(line), err)
	}
}

func TestFindName(t *testing.T) {
	tab, err := parseTable("f", "ann@example.org\nbob\ncarl@b.example\nann:local\n..\na/b\n%d\nkim\n")
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct{ name, want string }{
		{"ann@example.org", "ann@example.org"},
		{"ANN@EXAMPLE.ORG", "ann@example.org"},
		{"ann@other.example", "ann"},
		{"ann", "ann"},
		{"bob", "bob"},
		{"BoB@anything.example", "bob"},
		{"bob@", "bob"},
		{"carl", ""},
		{"carl@other.example", ""},
		{"carl@b.example@other.example", ""}, // "carl@b.example"@other.example is not Carl
		{"bob@b.example@other.example", ""},
		{"", ""},
		{"@example.org", ""},
		{"nobody@example.org", ""},
		{"bob:x", ""},
		{"bob\x00", ""},
		{"bob\n", ""},
		{"\xff\xfe@example.org", ""},
		{"\u212aim@example.org", ""}, // the Kelvin sign is no k
		{".hidden@example.org", ""},
		{"..@example.org", ".."}, // what an account may be called is for the store to say
		{"%d@example.org", "%d"},
		{strings.Repeat("B", 65) + "@example.org", ""},
		{strings.Repeat("B", 300) + "@example.org", ""},
		{`"bob"@example.org`, ""},
	}
	for _, tt := range tests {
		got, ok := tab.lookup(tt.name)
		if ok != (tt.want != "") || got.Name != tt.want {
			t.Errorf("lookup(%q) = %q, %v; want %q", tt.name, got.Name, ok, tt.want)
		}
	}
}

func TestFindLongName(t *testing.T) {
	name := strings.Repeat("b", 300)
	tab, err := parseTable("f", name)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := tab.lookup(strings.ToUpper(name)); !ok {
		t.Error("a long name is not found")
	}
}
