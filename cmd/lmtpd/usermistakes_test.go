package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/auth/account"
)

func TestUserMistakes(t *testing.T) {
	dir := t.TempDir()
	files := map[string]string{
		"USERS": "ann@example.org:{PLAIN}x\nbob:{PLAIN}x\n", "BROKEN": "ann:x\nno colon in:this\nann:y\n", "SECRET": "secret\n", "EMPTY": "\n", "LINES": "a\nb\n",
		"LONG": strings.Repeat("x", 600),
	}
	var replace []string
	for name, text := range files {
		path := filepath.Join(dir, strings.ToLower(name))
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		replace = append(replace, name, path)
	}
	replacer := strings.NewReplacer(append(replace, "NONE", filepath.Join(dir, "none"), "DIR", dir)...)
	tests := []struct {
		args string
		code int
		says string
	}{
		{"add --accounts file:USERS --password-stdin ann@example.org", exCantCreate, "ann@example.org in file:USERS: account exists already"},
		{"add --accounts file:USERS --password-stdin BOB", exCantCreate, "bob in file:USERS: account exists already"},
		{"add --accounts file:BROKEN --password-stdin ann", exConfig, "BROKEN:2: "},
		{"add --accounts file:BROKEN --password-stdin ann", exConfig, "BROKEN:3: "},
		{"add --accounts file:USERS --password-stdin carl@@x", exDataErr, `"carl@@x" is not an address`},
		{"add --accounts file:USERS --password-stdin carl:x", exDataErr, `"carl:x" is not an address`},
		{"add --accounts file:USERS --password-stdin ..", exDataErr, `".." is not an address`},
		{`add --accounts file:USERS --password-stdin "a:b"@x`, exDataErr, "colon"},
		{"add --accounts file:USERS --password-stdin --home /a:b carl", exDataErr, "colon"},
		{"add --accounts file:USERS --password-stdin --uid 0 carl", exDataErr, "uid"},
		{"add --accounts file:USERS --password-stdin --uid nobody-of-that-name carl", exUsage, "--uid: there is no user"},
		{"add --accounts file:USERS --password-stdin --quota much carl", exUsage, `--quota: "much" is not a size`},
		{"add --accounts file:USERS --password-stdin --messages 0 carl", exUsage, "--messages: it takes a number of 1 or more"},
		{"add --accounts file:USERS --password-stdin --home= carl", exUsage, "--home is empty"},
		{"add --accounts file:USERS --password-stdin --scheme CLEARTEXT carl", exUsage, `--scheme: "CLEARTEXT" is none of SHA512-CRYPT, `},
		{"add --accounts file:USERS --password-stdin --scheme= carl", exUsage, `--scheme: "" is none of`},
		{"add --accounts file:USERS --password-file NONE carl", exIOErr, "no such file"},
		{"add --accounts file:USERS --password-file DIR carl", exIOErr, "is a directory"},
		{"add --accounts file:USERS --password-file EMPTY carl", exDataErr, "the password is empty"},
		{"add --accounts file:USERS --password-file LINES carl", exDataErr, "more than one line"},
		{"add --accounts file:USERS --password-file LONG carl", exDataErr, "1 to 511 octets"},
		{"add --accounts file:USERS --password-file= carl", exUsage, "--password-file is empty"},
		{"add --accounts file:USERS --password-file SECRET --password-stdin carl", exUsage, "give one of them"},
		{"add --accounts file:USERS carl", exUsage, "standard input is no terminal"},
		{"add --accounts file:NONE/users --password-stdin carl", exCantCreate, "no such file"},
		{"add --accounts file:USERS --password-stdin", exUsage, "missing argument: ADDRESS"},
		{"add --accounts file:USERS --password secret carl", exUsage, "unknown flag --password"},
		{"add --accounts file:USERS carl --password-stdin", exUsage, "flags come first"},
		{"add --password-stdin carl", exUsage, "--accounts URL or --config FILE is missing"},
		{"add --accounts any --password-stdin carl", exUnavailable, `the accounts are "any", where there is nothing to list or change`},
		{"add --accounts x:y --password-stdin carl", exUsage, "--accounts: unknown kind of accounts"},
		{"add --accounts= --password-stdin carl", exUsage, "--accounts is empty"},
		{"add --accounts file:USERS --config NONE --password-stdin carl", exUsage, "give one of them"},
		{"passwd --accounts file:USERS --password-stdin carl", exNoUser, "carl in file:USERS: no such account\n"},
		{"passwd --accounts file:USERS --password-stdin ann", exNoUser, "no such account; there is ann@example.org"},
		{"passwd --accounts file:USERS --password-stdin bob@example.org", exNoUser, "no such account; there is bob\n"},
		{"passwd --accounts file:BROKEN --password-stdin ann", exConfig, "the accounts have mistakes"},
		{"passwd --accounts file:NONE --password-stdin ann", exNoUser, "there are no accounts in file:NONE"},
		{"verify --accounts file:USERS --password-file SECRET ann@example.org", exNoPerm, "wrong password"},
		{"verify --accounts file:USERS --password-file SECRET ann@example.com", exNoUser, "no such account"},
		{"verify --accounts file:NONE --password-file SECRET ann", exNoUser, "there are no accounts in file:NONE"},
		{"verify --accounts file:BROKEN --password-file SECRET ann", exConfig, "BROKEN:2: "},
		{"verify --accounts file:USERS --scheme CRYPT bob", exUsage, "unknown flag --scheme"},
		{"remove --accounts file:USERS carl", exNoUser, "no such account"},
		{"remove --accounts file:USERS bob ann", exUsage, "unexpected argument"},
		{"disable --accounts file:USERS carl", exNoUser, "no such account"},
		{"enable --accounts file:NONE carl", exNoUser, "there are no accounts"},
		{"list --accounts file:NONE", exNoUser, "there are no accounts in file:NONE"},
		{"list --accounts file:BROKEN", exConfig, "BROKEN:2: "},
		{"list --accounts any", exUnavailable, "nothing to list"},
		{"remove --accounts system ann", exUnavailable, `the accounts are "system", where there is nothing to list or change`},
		{"list", exUsage, "--accounts URL or --config FILE is missing"},
		{"list --config NONE", exConfig, "read configuration"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			args, says := strings.Fields(replacer.Replace(tt.args)), replacer.Replace(tt.says)
			code, stdout, stderr := runUser(t, "secret\n", args...)
			if code != tt.code || stdout != "" || !strings.Contains(stderr, says) || strings.Contains(stderr, "secret") {
				t.Errorf("exit %d, %q, %q; want %d and %q", code, stdout, stderr, tt.code, says)
			}
		})
	}
	for name, text := range files {
		if got, err := os.ReadFile(filepath.Join(dir, strings.ToLower(name))); err != nil || string(got) != text {
			t.Errorf("%s has become %q, %v", name, got, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "none")); err == nil {
		t.Error("a mistake made a file")
	}
}

// Two do not change the accounts at once: the second one hears it and can try again.
func TestUserLocked(t *testing.T) {
	path := usersFile(t, "ann:x\n")
	err := account.Edit(path, func(*account.Draft) error {
		for _, args := range []string{"passwd --password-stdin ann", "remove ann", "disable ann", "add --password-stdin bob"} {
			command, rest, _ := strings.Cut(args, " ")
			all := append([]string{command, "--accounts", "file:" + path}, strings.Fields(rest)...)
			if code, stdout, stderr := runUser(t, "secret", all...); code != exTempFail || stdout != "" || !strings.Contains(stderr, "somebody else is changing the accounts") {
				t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	fileHolds(t, path, "ann:x\n")
}

// The configuration tells where the accounts of a domain are.
func TestUserOfConfig(t *testing.T) {
	one, two := usersFile(t, "# c\n"), usersFile(t, "# c\n")
	block := func(domains, accounts string) string {
		return fmt.Sprintf("[[mailboxes]]\ndomains = [%s]\naccounts = %q\n", domains, accounts)
	}
	config := func(blocks ...string) string { return usersFile(t, strings.Join(blocks, "")) }
	single := config(block(`"a.example", "b.example"`, "file:"+one))
	shared := config(block(`"a.example"`, "file:"+one), block(`"b.example"`, "file:"+one))
	several := config(block(`"a.example"`, "file:"+one), block(`"b.example"`, "file:"+two), block(`"c.example"`, "any"))
	anybody := config(block(`"c.example"`, "any"))
	tests := []struct {
		config, args string
		code         int
		want         string // at the end of the file, or on standard error
	}{
		{single, "add --no-login ann@b.example", exOK, one + "\nann@b.example:::::::nologin\n"},
		{single, "add --no-login ann", exOK, one + "\nann:::::::nologin\n"},
		{single, "add --no-login ann@c.example", exNoUser, "the domain c.example is not configured; there is a.example, b.example"},
		{shared, "add --no-login bob", exOK, one + "\nbob:::::::nologin\n"},
		{several, "add --no-login bob@B.example", exOK, two + "\nbob@b.example:::::::nologin\n"},
		{several, "remove bob@a.example", exNoUser, "no such account"},
		{several, "add --no-login bob", exUsage, `"bob" needs a domain, for their accounts are in different places: there is a.example, b.example, c.example`},
		{several, "add --no-login bob@c.example", exUnavailable, `the accounts are "any"`},
		{anybody, "add --no-login bob", exUnavailable, `the accounts are "any"`},
		{anybody, "list", exUnavailable, `the accounts are "any"`},
	}
	for _, tt := range tests {
		command, rest, _ := strings.Cut(tt.args, " ")
		code, stdout, stderr := runUser(t, "", append([]string{command, "--config", tt.config}, strings.Fields(rest)...)...)
		if path, line, ok := strings.Cut(tt.want, "\n"); ok {
			text, err := os.ReadFile(path)
			if err != nil || !strings.HasSuffix(string(text), "\n"+line) {
				t.Errorf("%s: the file holds %q, %v", tt.args, text, err)
			}
		} else if !strings.Contains(stderr, tt.want) {
			t.Errorf("%s: %q", tt.args, stderr)
		}
		if code != tt.code || stdout != "" {
			t.Errorf("%s: exit %d, %q, %q", tt.args, code, stdout, stderr)
		}
	}
	_, stdout, _ := runUser(t, "", "list", "--config", several)
	if strings.Count(stdout, "\n") != 4 || !strings.Contains(stdout, "bob@b.example") {
		t.Errorf("the accounts of all blocks: %s", stdout)
	}
}
