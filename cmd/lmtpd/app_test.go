package main

import (
	"bytes"
	"strings"
	"testing"
)

// runApp runs lmtpd in this process and returns its exit code and what it wrote.
func runApp(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, diag bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &diag}
	code = a.run(t.Context(), append([]string{"lmtpd"}, args...))
	return code, out.String(), diag.String()
}

// Whatever the library would let pass is an error of usage, and all of them sound the same.
func TestUsage(t *testing.T) {
	tests := []struct {
		args string
		want string // on standard error
	}{
		{"serv", `lmtpd: unknown command "serv"; did you mean "serve"? (see lmtpd --help)`},
		{"xyzzy", `lmtpd: unknown command "xyzzy" (see lmtpd --help)`},
		{"mailbox shw", `lmtpd: unknown command "shw"; did you mean "show"? (see lmtpd mailbox --help)`},
		{"mailbox help", `lmtpd: unknown command "help" (see lmtpd mailbox --help)`},
		{"--confg x", `lmtpd: unknown flag --confg (see lmtpd --help)`},
		{"check --confg x", `lmtpd: unknown flag --confg; did you mean --config? (see lmtpd check --help)`},
		{"serve -x", `lmtpd: unknown flag -x (see lmtpd serve --help)`},
		{"check --config", `lmtpd: flag needs an argument: --config (see lmtpd check --help)`},
		{"mailbox show --wire=perhaps a", `lmtpd: invalid boolean value "perhaps" for --wire: parse error (see lmtpd mailbox show --help)`},
		{"check x", `lmtpd: unexpected argument "x" (see lmtpd check --help)`},
		{"serve x", `lmtpd: unexpected argument "x" (see lmtpd serve --help)`},
		{"serve help", `lmtpd: unexpected argument "help" (see lmtpd serve --help)`},
		{"mailbox list a", `lmtpd: unexpected argument "a" (see lmtpd mailbox list --help)`},
		{"mailbox messages", `lmtpd: missing argument: A (see lmtpd mailbox messages --help)`},
		{"mailbox remove a", `lmtpd: missing argument: ID… (see lmtpd mailbox remove --help)`},
		{"mailbox show a b c", `lmtpd: unexpected argument "c" (see lmtpd mailbox show --help)`},
		{"mailbox show a --wire", `lmtpd: --wire after an argument: flags come first (see lmtpd mailbox show --help)`},
		{"mailbox show a -- --wire", `lmtpd: -- after an argument: flags come first (see lmtpd mailbox show --help)`},
		{"help nothing", `lmtpd: No help topic for 'nothing'`},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			code, stdout, stderr := runApp(t, strings.Fields(tt.args)...)
			if code != exUsage || stdout != "" || stderr != tt.want+"\n" {
				t.Errorf("exit %d, %q, %q; want 64 and %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

// A flag that is given and empty does not mean its default.
func TestEmptyFlags(t *testing.T) {
	for _, flag := range []string{"config", "data", "store", "accounts", "lmtp", "domain"} {
		for _, args := range [][]string{{"--" + flag, ""}, {"--" + flag + "="}} {
			code, stdout, stderr := runApp(t, append([]string{"check"}, args...)...)
			if want := "lmtpd: --" + flag + " is empty (see lmtpd check --help)\n"; code != exUsage || stdout != "" || stderr != want {
				t.Errorf("%q: exit %d, %q, %q; want 64 and %q", args, code, stdout, stderr, want)
			}
		}
	}
	if code, _, stderr := runApp(t, "mailbox", "list", "--data", ""); code != exUsage {
		t.Errorf("mailbox list: exit %d, %q", code, stderr)
	}
}

// Help that was asked for goes to standard output, help instead of an action to standard error.
func TestHelp(t *testing.T) {
	for _, args := range []string{"--help", "-h", "help", "help check", "check --help", "mailbox --help", "mailbox show --help"} {
		if code, stdout, stderr := runApp(t, strings.Fields(args)...); code != exOK || stderr != "" || !strings.Contains(stdout, "USAGE") {
			t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
	for _, args := range []string{"", "mailbox"} {
		if code, stdout, stderr := runApp(t, strings.Fields(args)...); code != exUsage || stdout != "" || !strings.Contains(stderr, "USAGE") {
			t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestVersion(t *testing.T) {
	if code, stdout, _ := runApp(t, "--version"); code != exOK || !strings.HasPrefix(stdout, "lmtpd version ") {
		t.Errorf("exit %d, %q", code, stdout)
	}
}

// A number or letter behind "--" is an argument, whatever it begins with.
func TestArgumentsBehindDashes(t *testing.T) {
	code, _, stderr := runApp(t, "mailbox", "show", "--data", t.TempDir(), "--", "-odd", "-id")
	if code == exUsage {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestArity(t *testing.T) {
	const any = int(^uint(0) >> 1)
	for usage, want := range map[string][2]int{
		"": {0, 0}, "A": {1, 1}, "A [ID]": {1, 2}, "[FILE]": {0, 1}, "A ID…": {2, any}, "[FILE...]": {0, any}, "STORE STORE": {2, 2},
	} {
		if least, most := arity(usage); [2]int{least, most} != want {
			t.Errorf("%q: %d to %d, want %v", usage, least, most, want)
		}
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"hostname", "listen", "limits", "log", "n"}
	for word, want := range map[string]string{
		"hostnam": "hostname", "hots name": "hostname", "Listen": "listen", "lisen": "listen", "lgo": "log",
		"colour": "", "x": "", "": "", "listenlistenlisten": "",
	} {
		got := didYouMean("", word, known)
		if want != "" {
			want = `; did you mean "` + want + `"?`
		}
		if got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := didYouMean("--", "jsno", []string{"json"}); got != "; did you mean --json?" {
		t.Errorf("a flag: %q", got)
	}
}
