package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/auth/account/sqlite"
)

// What can be done with a file can be done with a database, from the first account to the last.
func TestUserDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users.db")
	url := "sqlite:" + path
	for _, tt := range []struct {
		args string
		code int
		says string // on either output
	}{
		{"list", exNoUser, "there are no accounts in " + url},
		{"passwd --password-stdin ann", exNoUser, "there are no accounts in " + url},
		{"verify --password-stdin ann", exNoUser, "there are no accounts in " + url},
		{"add --password-stdin --uid 1000 --gid 1001 --home /h --mail maildir:~/m --quota 1MiB --messages 3 Ann@Example.org", exOK, "lmtpd: made " + url},
		{"add --password-stdin ann@example.org", exCantCreate, "account exists already"},
		{"add --password-stdin --home a:b --scheme ARGON2ID ann", exOK, ""},
		{"add --no-login bob", exOK, ""},
		{"add --uid 0 --no-login carl", exDataErr, "impossible"},
		{`add --no-login "a:b"@example.org`, exDataErr, "colon"},
		{"verify --password-stdin ann@example.org", exOK, "the password is right"},
		{"verify --password-stdin Ann@example.net", exOK, "ann: the password is right"},
		{"verify --password-stdin bob", exNoPerm, "bob has no password"},
		{"verify --password-stdin eve", exNoUser, "no such account"},
		{"disable --login ann@example.org", exOK, ""},
		{"passwd --password-stdin bob", exOK, ""},
		{"passwd --password-stdin bob@example.org", exNoUser, "no such account; there is bob"},
		{"list", exOK, "ann              ARGON2ID      -        -  -\nann@example.org  SHA512-CRYPT  1048576  3  login\nbob              SHA512-CRYPT  -        -  login\n"},
		{"enable ann@example.org", exOK, ""},
		{"remove ann", exOK, ""},
		{"remove ann", exNoUser, "no such account; there is ann@example.org"},
	} {
		command, rest, _ := strings.Cut(tt.args, " ")
		code, stdout, stderr := runUser(t, "secret\n", append([]string{command, "--accounts", url}, strings.Fields(rest)...)...)
		if said := stdout + stderr; code != tt.code || !strings.Contains(said, tt.says) || tt.says == "" && said != "" || strings.Contains(said, "$6$") {
			t.Errorf("%s: exit %d, %q; want %d, %q", tt.args, code, said, tt.code, tt.says)
		}
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	all, err := sqlite.List(path)
	if err != nil || len(all) != 2 {
		t.Fatalf("%+v, %v", all, err)
	}
	if a := all[0]; a.UID != 1000 || a.GID != 1001 || a.Home != "/h" || a.Mail != "maildir:~/m" || a.Quota != (account.Quota{Octets: 1 << 20, Messages: 3}) || a.Disabled != (account.Disabled{}) {
		t.Errorf("%+v", a)
	}
}

// What is no database of accounts is left alone.
func TestUserDatabaseMistakes(t *testing.T) {
	text := strings.Repeat("this is a letter and no database\n", 100)
	path := usersFile(t, text)
	for _, args := range []string{"list", "add --no-login ann", "remove ann", "verify --password-stdin ann"} {
		command, rest, _ := strings.Cut(args, " ")
		code, stdout, stderr := runUser(t, "secret\n", append([]string{command, "--accounts", "sqlite:" + path}, strings.Fields(rest)...)...)
		if code != exDataErr || stdout != "" || !strings.Contains(stderr, path) {
			t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
	fileHolds(t, path, text)
}
