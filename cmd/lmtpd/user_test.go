package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// runUser runs "lmtpd user" with a line on standard input.
func runUser(t *testing.T, line string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, diag bytes.Buffer
	a := &app{stdin: strings.NewReader(line), stdout: &out, stderr: &diag}
	code = a.run(t.Context(), append([]string{"lmtpd", "user"}, args...))
	return code, out.String(), diag.String()
}

// usersFile writes a passwd-file and returns its path.
func usersFile(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// fileHolds checks what a passwd-file holds, its hashes written as HASH.
func fileHolds(t *testing.T, path, want string) {
	t.Helper()
	text, err := os.ReadFile(path)
	got := regexp.MustCompile(`\{SHA512-CRYPT\}[^:\n]*`).ReplaceAllString(string(text), "HASH")
	if err != nil || got != want {
		t.Errorf("the file holds\n%s%v; want\n%s", got, err, want)
	}
}

const head = "# name:password:uid:gid:gecos:home:shell:extra fields\n"

// A first account makes the file, and says so.
func TestUserAdd(t *testing.T) {
	path := filepath.Join(t.TempDir(), "users")
	code, stdout, stderr := runUser(t, "secret\n", "add", "--accounts", "file:"+path, "--password-stdin", "Ann@EXAMPLE.org")
	if code != exOK || stdout != "" || !strings.HasPrefix(stderr, "lmtpd: made file:"+path) {
		t.Fatalf("exit %d, %q, %q", code, stdout, stderr)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 {
		t.Fatalf("%v, %v", info, err)
	}
	tests := []struct{ args, want string }{
		{"--uid 1000 --gid 1001 --home /home/bob --mail maildir:~/Maildir --quota 1GiB --messages 7 bob", "bob:HASH:1000:1001::/home/bob::userdb_mail=maildir:~/Maildir userdb_quota_rule=*:storage=1G:messages=7"},
		{"--no-delivery carl@example.org", "carl@example.org:HASH::::::nodelivery"},
		{"--no-login --no-delivery dora@exämple.org", "dora@xn--exmple-cua.org:HASH::::::nologin nodelivery"},
		{"--scheme sha512-crypt ÉVE@[127.0.0.1]", "éve@[127.0.0.1]:HASH"},
	}
	want := head + "ann@example.org:HASH\n"
	for _, tt := range tests {
		args := append([]string{"add", "--accounts", "file:" + path, "--password-stdin"}, strings.Fields(tt.args)...)
		if code, stdout, stderr := runUser(t, "secret", args...); code != exOK || stdout+stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", tt.args, code, stdout, stderr)
		}
		want += tt.want + "\n"
	}
	fileHolds(t, path, want)
	all, err := account.List(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if err := password.Verify(a.Password, "secret"); err != nil {
			t.Errorf("%s: %v", a.Name, err)
		}
	}
}

// Who does not log in needs no password.
func TestUserAddWithoutPassword(t *testing.T) {
	path := usersFile(t, "# c\n")
	if code, _, stderr := runUser(t, "", "add", "--accounts", "file:"+path, "--no-login", "bob"); code != exOK {
		t.Errorf("exit %d, %q", code, stderr)
	}
	fileHolds(t, path, "# c\nbob:::::::nologin\n")
}

// Delivery finds what was added, by the name that was given.
func TestUserIsFound(t *testing.T) {
	for _, name := range []string{"Ann@Example.org", "ÄNN@exämple.org", "bob", `"a.b"@example.org`} {
		path := usersFile(t, "# c\n")
		if code, _, stderr := runUser(t, "x", "add", "--accounts", "file:"+path, "--password-stdin", name); code != exOK {
			t.Errorf("%s: exit %d, %q", name, code, stderr)
		}
		code, _, stderr := runUser(t, "x", "verify", "--accounts", "file:"+path, "--password-stdin", name)
		if code != exOK {
			t.Errorf("%s: exit %d, %q", name, code, stderr)
		}
	}
}

func TestUserPasswd(t *testing.T) {
	path := usersFile(t, "# c\nann@example.org:old:1:1\nbob:old # no comment\n")
	if code, stdout, stderr := runUser(t, "new\r\n", "passwd", "--accounts", "file:"+path, "--password-stdin", "ANN@example.org"); code != exOK || stdout+stderr != "" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	fileHolds(t, path, "# c\nann@example.org:HASH:1:1\nbob:old # no comment\n")
	if code, stdout, _ := runUser(t, "new", "verify", "--accounts", "file:"+path, "--password-stdin", "ann@example.org"); code != exOK || stdout != "ann@example.org: the password is right\n" {
		t.Errorf("exit %d, %q", code, stdout)
	}
}

// verify finds the account that a login would find, and tells what is wrong from what cannot be told.
func TestUserVerify(t *testing.T) {
	path := usersFile(t, "ann:{PLAIN}secret\nann@a.example:{PLAIN}other\nbob:\ncarl:{NTLM}x\ndora:{PLAIN}secret::::::nologin\nlocked:!\n")
	tests := []struct {
		name, password string
		code           int
		says           string
	}{
		{"ann", "secret", exOK, "ann: the password is right"},
		{"ann@b.example", "secret", exOK, "ann: the password is right"},
		{"ann@a.example", "other", exOK, "ann@a.example: the password is right"},
		{"ann@a.example", "secret", exNoPerm, "ann@a.example: wrong password"},
		{"ann", "Secret", exNoPerm, "ann: wrong password"},
		{"bob", "x", exNoPerm, "bob has no password"},
		{"locked", "!", exNoPerm, "locked: wrong password"},
		{"carl", "x", exDataErr, "carl: the password scheme NTLM is not supported"},
		{"dora", "secret", exOK, "dora: the password is right, but login is disabled"},
		{"eve", "x", exNoUser, "eve in file:" + path + ": no such account"},
	}
	for _, tt := range tests {
		code, stdout, stderr := runUser(t, tt.password+"\n", "verify", "--accounts", "file:"+path, "--password-stdin", tt.name)
		if said := strings.TrimPrefix(stdout+stderr, "lmtpd: "); code != tt.code || said != tt.says+"\n" {
			t.Errorf("%s with %s: exit %d, %q; want %d, %q", tt.name, tt.password, code, said, tt.code, tt.says)
		}
	}
}

func TestUserRemove(t *testing.T) {
	path := usersFile(t, "# c\nann:x\nbob:y\n")
	if code, stdout, stderr := runUser(t, "", "remove", "--accounts", "file:"+path, "Ann"); code != exOK || stdout+stderr != "" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
	fileHolds(t, path, "# c\nbob:y\n")
}

func TestUserDisable(t *testing.T) {
	path := usersFile(t, "ann:x\n")
	for _, tt := range []struct{ args, want string }{
		{"disable", "ann:x::::::nologin nodelivery\n"},
		{"enable --login", "ann:x::::::nodelivery\n"},
		{"enable", "ann:x\n"},
		{"disable --delivery", "ann:x::::::nodelivery\n"},
		{"disable --login", "ann:x::::::nologin nodelivery\n"},
		{"enable --delivery --login", "ann:x\n"},
	} {
		args := append(strings.Fields(tt.args), "--accounts", "file:"+path, "ann")
		if code, stdout, stderr := runUser(t, "", args...); code != exOK || stdout+stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", tt.args, code, stdout, stderr)
		}
		fileHolds(t, path, tt.want)
	}
}

func TestUserList(t *testing.T) {
	path := usersFile(t, "ann@example.org:{SSHA256.HEX}secret:1000:1001::/h::userdb_mail=maildir:~/m userdb_quota_rule=*:bytes=5 nologin nodelivery\nbob:$6$secret\n# c\ncarl\n")
	code, stdout, stderr := runUser(t, "", "list", "--accounts", "file:"+path)
	want := "ann@example.org  SSHA256  5  -  login,delivery\nbob              CRYPT    -  -  -\ncarl             -        -  -  -\n"
	if code != exOK || stdout != want || stderr != "" {
		t.Errorf("exit %d, %q\n%swant\n%s", code, stderr, stdout, want)
	}
	_, stdout, _ = runUser(t, "", "list", "--json", "--accounts", "file:"+path)
	var lines []userLine
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil || len(lines) != 3 || lines[0].UID == nil || *lines[0].UID != 1000 || lines[1].UID != nil || lines[0].Login || !lines[1].Delivery {
		t.Errorf("%v in %s", err, stdout)
	}
	if strings.Contains(stdout, "secret") {
		t.Errorf("a hash is listed: %s", stdout)
	}
	empty := usersFile(t, "# none\n")
	for args, want := range map[string]string{"list": "", "list --json": "[]\n"} {
		if code, stdout, stderr := runUser(t, "", append(strings.Fields(args), "--accounts", "file:"+empty)...); code != exOK || stdout != want || stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
}
