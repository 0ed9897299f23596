package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/store"
)

// A mailbox is searched as soon as there is an index, and told about before.
func TestMailboxSearch(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "mail.db")
	fillStore(t, url, "Subject: invoice\r\n\r\nof July\r\n", store.Placement{Mailbox: annHere})
	fillStore(t, url, "Subject: other\r\n\r\ninvoice\r\n", store.Placement{Mailbox: annHere, Folder: "Work", Flags: []store.Flag{store.FlagSeen}})
	withoutDates := func(list string) string {
		var lines []string
		for line := range strings.Lines(list) {
			f := strings.Fields(line)
			if len(f) < 5 {
				t.Fatalf("too few columns: %s", line)
			}
			lines = append(lines, strings.Join(append(f[:2:2], f[3:]...), " "))
		}
		return strings.Join(lines, "\n")
	}
	for _, step := range []struct {
		args []string
		code int
		want string // on standard output, without dates; or else part of what is told
	}{
		{[]string{"search", "ann", "invoice"}, exUnavailable, "no full-text index; search = true in the configuration"},
		{[]string{"index"}, exOK, url + "  2 contents put in\n"},
		{[]string{"index"}, exOK, url + "  0 contents put in\n"},
		{[]string{"search", "ann", "invoice"}, exOK, "1 INBOX 29 -\n2 Work 27 \\Seen"},
		{[]string{"search", "--folder", "Work", "ann", "invoice"}, exOK, "2 Work 27 \\Seen"},
		{[]string{"search", "--folder", "inbox", "ann", "invoice"}, exOK, "1 INBOX 29 -"},
		{[]string{"search", "ann", `subject:invoice`}, exOK, "1 INBOX 29 -"},
		{[]string{"search", "ann", "nothing"}, exOK, ""},
		{[]string{"search", "ann", `"open`}, exDataErr, "malformed query"},
		{[]string{"search", "ann", ""}, exDataErr, "malformed query"},
		{[]string{"search", "--folder", "a//b", "ann", "x"}, exDataErr, "--folder: no such folder"},
		{[]string{"search", "eve", "x"}, exNoUser, "no such mailbox"},
		{[]string{"search", "ann"}, exUsage, "missing argument: QUERY"},
		{[]string{"remove", "ann", "1"}, exOK, ""},
		{[]string{"search", "ann", "invoice"}, exOK, "2 Work 27 \\Seen"},
		{[]string{"index", "--drop"}, exOK, ""},
		{[]string{"search", "ann", "invoice"}, exUnavailable, "no full-text index"},
	} {
		args := append([]string{"mailbox", step.args[0], "--store", url}, step.args[1:]...)
		code, stdout, stderr := runApp(t, args...)
		if step.args[0] == "search" {
			stdout = withoutDates(stdout)
		}
		if code != step.code || code == exOK && (stdout != step.want || stderr != "") || code != exOK && !strings.Contains(stderr, step.want) {
			t.Errorf("%q: exit %d, %q, %q; want %d, %q", step.args, code, stdout, stderr, step.code, step.want)
		}
	}
}

func TestMailboxSearchJSON(t *testing.T) {
	url := "sqlite:" + filepath.Join(t.TempDir(), "mail.db")
	fillStore(t, url, "Subject: invoice\r\n", store.Placement{Mailbox: annHere})
	runMailbox(t, exOK, "", "index", "--store", url)
	fillStore(t, url, "Subject: invoice\r\n\r\nnew", store.Placement{Mailbox: annHere})
	code, stdout, stderr := runApp(t, "mailbox", "search", "--json", "--store", url, "ann", "invoice")
	var lines []messageLine
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil || code != exOK || len(lines) != 1 || lines[0].Folder != "INBOX" || lines[0].Flags == nil {
		t.Errorf("exit %d, %s, %v", code, stdout, err)
	}
	if !strings.Contains(stderr, "the index is behind") || !strings.Contains(stderr, "messages=1") {
		t.Errorf("told %q", stderr)
	}
}

// A maildir cannot, and of several stores those are indexed that the configuration wants to be.
func TestMailboxIndexWhich(t *testing.T) {
	data := mailboxHost(t)
	runMailbox(t, exUnavailable, "only that has a full-text index", "search", "--data", data, "ann", "x")
	runMailbox(t, exUnavailable, "cannot do index", "index", "--data", data)
	dir := t.TempDir()
	one, two := "sqlite:"+filepath.Join(dir, "one.db"), "sqlite:"+filepath.Join(dir, "two.db")
	for _, url := range []string{one, two} {
		fillStore(t, url, "x", store.Placement{Mailbox: store.Mailbox{Name: "ann@a.example"}})
	}
	config := filepath.Join(dir, "lmtpd.toml")
	for search, want := range map[string]string{
		"":                "sqlite:ONE  1 contents put in\nsqlite:TWO  1 contents put in\n",
		"search = true\n": "sqlite:TWO  0 contents put in\n",
	} {
		text := "[[mailboxes]]\ndomains = [\"a.example\"]\nstore = \"" + one + "\"\n[[mailboxes]]\ndomains = [\"b.example\"]\nstore = \"" + two + "\"\n" + search
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if search == "" {
			for _, url := range []string{one, two} {
				runMailbox(t, exOK, "", "index", "--drop", "--store", url)
			}
		} else {
			runMailbox(t, exOK, "", "index", "--store", two)
		}
		want = strings.NewReplacer("sqlite:ONE", one, "sqlite:TWO", two).Replace(want)
		if got := runMailbox(t, exOK, "", "index", "--config", config); got != want {
			t.Errorf("%q: %q, want %q", search, got, want)
		}
	}
}

// search belongs to the store of its block.
func TestConfigSearch(t *testing.T) {
	const text = "[[mailboxes]]\ndomains = [\"a.example\"]\nstore = \"sqlite:/m.db\"\nsearch = true\n[[mailboxes]]\ndomains = [\"b.example\"]\nstore = \"sqlite:/m.db\"\n"
	for name, tt := range map[string]struct {
		o    overrides
		want []bool
	}{
		"as it is":       {overrides{}, []bool{true, false}},
		"other accounts": {overrides{accounts: "system"}, []bool{true}},
		"other store":    {overrides{store: "maildir:/m/%u"}, []bool{false}},
	} {
		var got []bool
		for _, m := range load(t, text, tt.o).Mailboxes {
			got = append(got, m.Search)
		}
		if len(got) != len(tt.want) || got[0] != tt.want[0] {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, stdout, _ := runApp(t, "check", "--config", file); strings.Count(stdout, "full-text index") != 1 {
		t.Errorf("check says %s", stdout)
	}
}
