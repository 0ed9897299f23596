package main

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"lmtpd/store"
)

// mailboxHost is a place with ann's mailbox: two messages in INBOX and one in Lists/Go.
func mailboxHost(t *testing.T) (data string) {
	t.Helper()
	data = t.TempDir()
	ann := store.Mailbox{Name: "ann@localhost"}
	fill(t, data, "1\r\n", store.Placement{Mailbox: ann})
	fill(t, data, "22\r\n", store.Placement{Mailbox: ann, Flags: []store.Flag{store.FlagSeen, store.FlagFlagged}})
	fill(t, data, "333\r\n", store.Placement{Mailbox: ann, Folder: "Lists/Go"})
	return data
}

// run runs a mailbox command on data, which must end with a code and say what it should.
func runMailbox(t *testing.T, code int, says string, args ...string) (stdout string) {
	t.Helper()
	got, stdout, stderr := runApp(t, append([]string{"mailbox"}, args...)...)
	if got != code || !strings.Contains(stderr, says) || says == "" && stderr != "" {
		t.Fatalf("%q: exit %d, %q; want %d, %q", args, got, stderr, code, says)
	}
	return stdout
}

func TestMailboxFolders(t *testing.T) {
	data := mailboxHost(t)
	got := runMailbox(t, exOK, "", "folders", "--data", data, "ann")
	if want := "INBOX     2  7  subscribed\nLists/Go  1  5  subscribed\n"; got != want {
		t.Errorf("got\n%swant\n%s", got, want)
	}
	var lines []folderLine
	if err := json.Unmarshal([]byte(runMailbox(t, exOK, "", "folders", "--json", "--data", data, "ann")), &lines); err != nil {
		t.Fatal(err)
	}
	if len(lines) != 2 || lines[1].Folder != "Lists/Go" || lines[1].Octets != 5 || lines[1].Subscribed == nil || !*lines[1].Subscribed {
		t.Errorf("%+v", lines)
	}
	runMailbox(t, exNoUser, "no such mailbox", "folders", "--data", data, "eve")
}

// flagsByID are the flags of all messages of a folder, sorted.
func flagsByID(t *testing.T, data, folder string) map[string]string {
	t.Helper()
	var lines []messageLine
	out := runMailbox(t, exOK, "", "messages", "--json", "--folder", folder, "--data", data, "ann")
	if err := json.Unmarshal([]byte(out), &lines); err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, l := range lines {
		slices.Sort(l.Flags)
		all[l.ID] = flagWords(l.Flags)
	}
	return all
}

func TestMailboxFlag(t *testing.T) {
	data := mailboxHost(t)
	ids := slices.Concat(messageIDs(t, "--data", data, "ann"), messageIDs(t, "--data", data, "--folder", "Lists/Go", "ann"))
	for _, step := range []struct {
		args string
		want [3]string
	}{
		{`--add \seen`, [3]string{`\Seen`, `\Flagged \Seen`, `\Seen`}},
		{`--remove \Flagged --add \Draft --add $forwarded`, [3]string{`$Forwarded \Draft \Seen`, `$Forwarded \Draft \Seen`, `$Forwarded \Draft \Seen`}},
		{`--set \Answered`, [3]string{`\Answered`, `\Answered`, `\Answered`}},
		{`--set=`, [3]string{"-", "-", "-"}},
	} {
		args := slices.Concat([]string{"flag", "--data", data}, strings.Fields(step.args), []string{"ann"}, ids)
		runMailbox(t, exOK, "", args...)
		got := flagsByID(t, data, "INBOX")
		for id, flags := range flagsByID(t, data, "Lists/Go") {
			got[id] = flags
		}
		for i, id := range ids {
			if got[id] != step.want[i] {
				t.Errorf("%s: message %d has %s, want %s", step.args, i, got[id], step.want[i])
			}
		}
	}
}

// What is wrong with one message is told, and the others are done.
func TestMailboxMove(t *testing.T) {
	data := mailboxHost(t)
	ids := messageIDs(t, "--data", data, "ann")
	runMailbox(t, exDataErr, "nope in ann@localhost: no such message", "move", "--to", "Archive/2026", "--data", data, "ann", "nope", ids[1])
	if got := flagsByID(t, data, "Archive/2026"); got[ids[1]] != `\Flagged \Seen` || len(got) != 1 {
		t.Errorf("in Archive/2026: %q", got)
	}
	runMailbox(t, exOK, "", "move", "--to", "INBOX", "--folder", "Archive/2026", "--data", data, "ann", ids[1])
	if got := messageIDs(t, "--data", data, "ann"); !slices.Equal(got, ids) {
		t.Errorf("in INBOX: %q, want %q", got, ids)
	}
}

func TestMailboxSortMistakes(t *testing.T) {
	data := mailboxHost(t)
	id := messageIDs(t, "--data", data, "ann")[0]
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"flag", "ann", id}, exUsage, "give --add, --remove or --set"},
		{[]string{"flag", "--set", `\Seen`, "--add", `\Draft`, "ann", id}, exUsage, "--set replaces all flags"},
		{[]string{"flag", "--add", `\Recent`, "ann", id}, exUsage, `"\\Recent" is no flag that a message can have`},
		{[]string{"flag", "--add", "a b", "ann", id}, exUsage, `"a b" is no keyword`},
		{[]string{"flag", "--add", "", "ann", id}, exUsage, `"" is no keyword`},
		{[]string{"flag", "--add", "é", "ann", id}, exUsage, "is no keyword"},
		{[]string{"flag", "--add", `\Seen`, "ann", "../" + id}, exDataErr, "no such message"},
		{[]string{"flag", "--add", `\Seen`, "--folder", "Nope", "ann", id}, exDataErr, "no such folder"},
		{[]string{"flag", "--add", `\Seen`, "eve", id}, exNoUser, "no such mailbox"},
		{[]string{"move", "ann", id}, exUsage, "--to FOLDER is missing"},
		{[]string{"move", "--to", "a//b", "ann", id}, exDataErr, "no such folder"},
		{[]string{"move", "--to", "../x", "ann", id}, exDataErr, "no such folder"},
		{[]string{"move", "--to", "x.y", "ann", id}, exDataErr, "no such folder"},
		{[]string{"move", "--to", "Work", "ann"}, exUsage, "missing argument: ID…"},
	} {
		args := append([]string{test.args[0], "--data", data}, test.args[1:]...)
		runMailbox(t, test.code, test.says, args...)
	}
	if got := messageIDs(t, "--data", data, "ann"); len(got) != 2 || flagsByID(t, data, "INBOX")[id] != "-" {
		t.Errorf("something was changed: %q", got)
	}
}
