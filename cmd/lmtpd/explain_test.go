package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// explainable is a configuration with an account, an alias and a quota, whose mailboxes are there.
func explainable(t *testing.T) (config string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"users":   "ann@a.example::::::\n",
		"aliases": "sales: ann\n",
		"c.toml": `
data = "` + dir + `"
[[mailboxes]]
domains  = ["a.example"]
accounts = "file:` + dir + `/users"
aliases  = "` + dir + `/aliases"
detail   = "create"
quota    = 1000
over_quota = "refuse"
`,
	} {
		put(t, filepath.Join(dir, name), text)
	}
	if err := os.Mkdir(filepath.Join(dir, "mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "c.toml")
}

func TestExplainCommand(t *testing.T) {
	config := explainable(t)
	for _, test := range []struct {
		args string
		code int
		want []string
	}{
		{"ann@a.example", exOK, []string{"account", "ann@a.example would take", "250 2.1.5 <ann@a.example> Recipient OK"}},
		{"ann", exOK, []string{"mail/a.example/ann\n", "quota", "1000 octets", "250 2.1.5"}},
		{"--size 1000 Sales+Work", exOK, []string{"sales (", "Work, made if", "250 2.1.5 <Sales+Work@a.example>"}},
		{"--size 1KiB --from <> sales", exUnavailable, []string{"552 5.2.2 <sales@a.example>"}},
		{"eve@a.example", exNoUser, []string{"550 5.1.1 <eve@a.example>"}},
		{"ann@b.example", exUnavailable, []string{"b.example is not local", "550 5.7.1"}},
		{"Postmaster", exNoUser, []string{"postmaster@a.example: no such account", "550 5.1.1 <Postmaster>"}},
		{"ann@", exDataErr, []string{"not an address"}},
		{"--size 50MiB nobody@b.example", exUnavailable, []string{"550 5.7.1"}},
		{"--size 52428801 ann", exUnavailable, []string{"52428801", "552 5.3.4", "50MiB"}},
		{"--size many ann", exUsage, []string{"--size"}},
		{"--from x ann", exDataErr, []string{"--from"}},
		{"", exUsage, []string{"ADDRESS"}},
		{"ann bob", exUsage, []string{"unexpected argument"}},
	} {
		code, stdout, stderr := runApp(t, append([]string{"explain", "--config", config}, strings.Fields(test.args)...)...)
		if code != test.code {
			t.Errorf("%s: exit %d, want %d", test.args, code, test.code)
		}
		for _, want := range test.want {
			if !strings.Contains(stdout+stderr, want) {
				t.Errorf("%s: no %q in\n%s%s", test.args, want, stdout, stderr)
			}
		}
	}
	if made := entries(t, filepath.Join(filepath.Dir(config), "mail")); len(made) > 0 {
		t.Errorf("explain made %q", made)
	}
}

func TestExplainJSON(t *testing.T) {
	code, stdout, stderr := runApp(t, "explain", "--config", explainable(t), "--json", "sales")
	var got explanationRecord
	if err := json.Unmarshal([]byte(stdout), &got); err != nil || code != exOK {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if got.Address != "sales" || got.Code != 250 || got.Status != "2.1.5" || len(got.Steps) < 4 {
		t.Errorf("%+v", got)
	}
}

// Explain makes no store that serve would make.
func TestExplainWithoutStore(t *testing.T) {
	config := explainable(t)
	mail := filepath.Join(filepath.Dir(config), "mail")
	if err := os.Remove(mail); err != nil {
		t.Fatal(err)
	}
	code, _, stderr := runApp(t, "explain", "--config", config, "ann")
	if _, err := os.Stat(mail); code != exNoUser || err == nil {
		t.Errorf("exit %d, %s; made: %v", code, stderr, err == nil)
	}
}

// Mistakes in aliases are told with their place, by check and by serve.
func TestAliasMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"ann: |/bin/sh\n":            "aliases:1: |/bin/sh: lmtpd does not run commands",
		"ann: /var/mail/ann\n":       "aliases:1: /var/mail/ann: lmtpd does not write files",
		"a: b\nb: a\n":               "aliases:1: ",
		"x@else.example: ann\n":      "aliases:1: nothing asks for x@else.example",
		"ann: :include:/not/there\n": "aliases:1: ",
	} {
		config := explainable(t)
		path := filepath.Join(filepath.Dir(config), "aliases")
		put(t, path, text)
		code, stdout, stderr := runApp(t, "check", "--config", config)
		if code != exConfig || !strings.Contains(stderr, want) {
			t.Errorf("%q: exit %d, %s\n%s", text, code, stdout, stderr)
		}
	}
	config := explainable(t)
	if code, stdout, stderr := runApp(t, "check", "--config", config); code != exOK || !strings.Contains(stdout, "aliases: 1 in it") {
		t.Errorf("exit %d, %s%s", code, stdout, stderr)
	}
	if err := os.Remove(filepath.Join(filepath.Dir(config), "aliases")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := runApp(t, "check", "--config", config); code != exConfig || !strings.Contains(stderr, "aliases") {
		t.Errorf("no file: exit %d, %s", code, stderr)
	}
}
