package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"lmtpd/store"
)

var annHere = store.Mailbox{Name: "ann@localhost"}

// oldMail puts mail of all kinds into ann's mailbox below data.
func oldMail(t *testing.T, data string) {
	t.Helper()
	day := time.Date(2019, 8, 7, 6, 5, 4, 0, time.UTC)
	for i, p := range []store.Placement{
		{Date: day}, {Date: day}, {Date: day.Add(time.Hour), Flags: []store.Flag{store.FlagSeen, store.FlagPassed}},
		{Date: day, Folder: "Lists/Go", Flags: []store.Flag{store.FlagFlagged}}, {Date: day.Add(-time.Hour), Folder: "Lists/Go"},
		{Date: day.Add(time.Minute), Folder: "Entwürfe", Flags: []store.Flag{store.FlagDraft, store.FlagSeen, store.FlagAnswered}},
		{Date: day.Add(time.Minute), Folder: "Empty letter"},
	} {
		p.Mailbox = annHere
		text := fmt.Sprintf("Return-Path: <bob@example.org>\r\nSubject: %d\r\n\r\nFrom here\r\n>From there\r\n\r\nbare \r CR\r\nno end", i/2)
		if i == 6 {
			text = ""
		}
		fill(t, data, text, p)
	}
}

// allMail describes all messages of ann below data, or in a maildir of its own.
func allMail(t *testing.T, data string, box store.Mailbox) (all []string) {
	t.Helper()
	cfg, err := overrides{data: data}.load()
	if err != nil {
		t.Fatal(err)
	}
	stores, closeAll, err := openStores(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer closeAll()
	m := mailbox{store: stores[0], Mailbox: box}
	folders, err := m.searched(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, folder := range folders {
		list, err := stores[0].Messages(t.Context(), box, folder)
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range list {
			r, err := stores[0].Open(t.Context(), box, folder, one.ID)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(r)
			if err := errors.Join(err, r.Close()); err != nil {
				t.Fatal(err)
			}
			slices.Sort(one.Flags)
			all = append(all, fmt.Sprintf("%s %d %q %q", folderName(folder), one.Date.Unix(), one.Flags, text))
		}
	}
	slices.Sort(all)
	return all
}

func sameMail(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

// There and back by each kind of place, and once more without a duplicate.
func TestMailboxExportImport(t *testing.T) {
	for _, kind := range []string{"mbox", "maildir"} {
		data, back := t.TempDir(), t.TempDir()
		oldMail(t, data)
		place := kind + ":" + filepath.Join(t.TempDir(), "ann")
		if got := runMailbox(t, exOK, "", "export", "--data", data, "ann", place); got != "ann@localhost  7 put  0 there already  0 failed\n" {
			t.Errorf("%s: %q", place, got)
		}
		for _, want := range []string{"7 put  0 there already", "0 put  7 there already"} {
			got := runMailbox(t, exOK, "", "import", "--data", back, "ann", place)
			if got != "ann@localhost  "+want+"  0 failed\n" {
				t.Errorf("%s: %q, want %s", place, got, want)
			}
			sameMail(t, allMail(t, back, annHere), allMail(t, data, annHere))
		}
	}
}

// An export to a maildir is one that anybody can read, and can be run again.
func TestMailboxExportMaildir(t *testing.T) {
	data, dir := t.TempDir(), filepath.Join(t.TempDir(), "ann")
	oldMail(t, data)
	fill(t, data, "x\r\n", store.Placement{Mailbox: annHere, Folder: "Work"})
	for _, want := range []string{"8 put  0", "0 put  8"} {
		if got := runMailbox(t, exOK, "", "export", "--data", data, "ann", "maildir:"+dir); !strings.Contains(got, want) {
			t.Errorf("%q, want %s", got, want)
		}
		sameMail(t, allMail(t, data, store.Mailbox{Name: "x@localhost", Path: dir, Owner: self()}), allMail(t, data, annHere))
	}
	subscribed, err := os.ReadFile(filepath.Join(dir, "subscriptions"))
	if want := "V\t2\n\nEmpty letter\nEntw&APw-rfe\nLists\tGo\nWork\n"; err != nil || string(subscribed) != want {
		t.Errorf("subscriptions %q, %v, want %q", subscribed, err, want)
	}
	one := filepath.Join(t.TempDir(), "one")
	runMailbox(t, exOK, "", "export", "--folder", "Lists/Go", "--data", data, "ann", "maildir:"+one)
	if got := allMail(t, data, store.Mailbox{Name: "x@localhost", Path: one, Owner: self()}); len(got) != 2 || !strings.HasPrefix(got[0], "Lists/Go ") {
		t.Errorf("one folder: %q", got)
	}
}

// An mbox file is there whole or not at all, and never in the place of another.
func TestMailboxExportMbox(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	oldMail(t, data)
	file := filepath.Join(dir, "ann.mbox")
	runMailbox(t, exOK, "", "export", "--data", data, "ann", "mbox:"+file)
	text, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(text, []byte("From bob@example.org Wed Aug  7 06:05:04 2019\nStatus: O\n")) {
		t.Errorf("%.100q, %v", text, err)
	}
	runMailbox(t, exCantCreate, "it is not replaced", "export", "--data", data, "ann", "mbox:"+file)
	runMailbox(t, exCantCreate, "no such file", "export", "--data", data, "ann", "mbox:"+filepath.Join(dir, "none", "x"))
	if after, err := os.ReadFile(file); err != nil || !bytes.Equal(after, text) {
		t.Errorf("the file has changed: %v", err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("left behind: %v, %v", left, err)
	}
	if got := runMailbox(t, exOK, "", "export", "--data", data, "ann", "mbox:-"); got != string(text) {
		t.Errorf("standard output has %d octets, the file %d", len(got), len(text))
	}
}

func TestMailboxImport(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	file := filepath.Join(dir, "old")
	const text = "From ann Mon Jan  2 15:04:05 2006\nStatus: R\n\nhello\n\nFrom ann Tue Jan  3 15:04:05 2006\nX-Status: F\n\nbye\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var lines []transferLine
	out := runMailbox(t, exOK, "", "import", "--json", "--folder", "Old/Mail", "--data", data, "ann", "mbox:"+file)
	if err := json.Unmarshal([]byte(out), &lines); err != nil || len(lines) != 1 || lines[0] != (transferLine{"ann@localhost", 2, 0, 0}) {
		t.Errorf("%s, %v", out, err)
	}
	sameMail(t, allMail(t, data, annHere), []string{
		`Old/Mail 1136214245 ["\\Seen"] "Status: R\r\n\r\nhello\r\n"`, `Old/Mail 1136300645 ["\\Flagged"] "X-Status: F\r\n\r\nbye\r\n"`,
	})
}

func TestMailboxTransferMistakes(t *testing.T) {
	data, dir := mailboxHost(t), t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("no mbox\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "good"), []byte("From x Mon Jan  2 15:04:05 2006\n\nx\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	accounts := filepath.Join(dir, "users")
	if err := os.WriteFile(accounts, []byte("bob@localhost:{PLAIN}x::::::\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		args string
		code int
		says string
	}{
		{"export ann", exUsage, "missing argument: PLACE"},
		{"export ann DIR/x", exUsage, "write maildir:DIR or mbox:FILE"},
		{"export ann zip:DIR/x", exUsage, "write maildir:DIR or mbox:FILE"},
		{"export ann mbox:", exUsage, "mbox needs a path"},
		{"export ann maildir:DIR/none/x", exCantCreate, "no such file"},
		{"export --folder Nope ann mbox:DIR/x", exDataErr, "no such folder"},
		{"export --folder a//b ann mbox:DIR/x", exDataErr, "no such folder"},
		{"export eve mbox:DIR/x", exNoUser, "no such mailbox"},
		{"import ann mbox:DIR/none", exIOErr, "no such file"},
		{"import ann mbox:DIR", exIOErr, "is a directory"},
		{"import ann mbox:DIR/file", exDataErr, "no mbox"},
		{"import ann maildir:DIR/none", exDataErr, "is no maildir"},
		{"import ann maildir:DIR/file", exIOErr, "not a directory"},
		{"import --folder a//b ann mbox:DIR/file", exDataErr, "no such folder"},
		{"import --accounts file:DIR/users ann mbox:DIR/file", exNoUser, "no such account"},
		{"import ../x mbox:DIR/good", exNoUser, "no such mailbox"},
		{"copy maildir:DIR/a/%u", exUsage, "missing argument: STORE"},
		{"copy maildir:DIR/a/%u maildir:DIR/a/%u", exUsage, "both stores are"},
		{"copy DIR/a/%u maildir:DIR/b/%u", exUsage, "names no kind of store"},
		{"copy maildir:DIR/none/%u maildir:DIR/b/%u", exNoUser, "there are no mailboxes in"},
	} {
		args := strings.Fields(strings.ReplaceAll(test.args, "DIR", dir))
		runMailbox(t, test.code, test.says, slices.Concat(args[:1], []string{"--data", data}, args[1:])...)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 3 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// Whoever interrupts a transfer is told how to go on, and nothing half is left.
func TestMailboxTransferInterrupted(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	oldMail(t, data)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, args := range []string{"export --data DATA ann mbox:DIR/x", "export --data DATA ann maildir:DIR/y", "copy maildir:DATA/mail/%d/%n maildir:DIR/z/%u"} {
		var out, diag bytes.Buffer
		a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: &diag}
		words := strings.Fields("lmtpd mailbox " + strings.NewReplacer("DATA", data, "DIR", dir).Replace(args))
		if code := a.run(ctx, words); code != exTempFail || diag.String() != "lmtpd: interrupted; run it again to go on\n" || out.Len() > 0 {
			t.Errorf("%s: exit %d, %q, %q", args, code, diag.String(), out.String())
		}
	}
	if files, err := filepath.Glob(filepath.Join(dir, "x*")); err != nil || len(files) > 0 {
		t.Errorf("left behind: %q, %v", files, err)
	}
}

// A whole store goes to another and back.
func TestMailboxCopy(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	oldMail(t, data)
	bob := store.Mailbox{Name: "bob@localhost"}
	fill(t, data, "x\r\n", store.Placement{Mailbox: bob, Folder: "Work"})
	here, there, back := "maildir:"+data+"/mail/%d/%n", "maildir:"+dir+"/%u/Maildir", "maildir:"+dir+"/back/mail/%d/%n"
	for _, want := range []string{"ann@localhost  7 put  0 there already  0 failed\nbob@localhost  1 put  0 there already  0 failed\n",
		"ann@localhost  0 put  7 there already  0 failed\nbob@localhost  0 put  1 there already  0 failed\n"} {
		if got := sortedLines(runMailbox(t, exOK, "", "copy", here, there)); got != want {
			t.Errorf("got\n%swant\n%s", got, want)
		}
	}
	runMailbox(t, exOK, "", "copy", there, back)
	for _, box := range []store.Mailbox{annHere, bob} {
		sameMail(t, allMail(t, filepath.Join(dir, "back"), box), allMail(t, data, box))
	}
}

func sortedLines(text string) string {
	return strings.Join(slices.Sorted(strings.Lines(text)), "")
}

// Mail goes to a database and comes back as it was.
func TestMailboxCopySQLite(t *testing.T) {
	data, dir := t.TempDir(), t.TempDir()
	oldMail(t, data)
	fill(t, data, "x\r\n", store.Placement{Mailbox: annHere, Folder: "Work", Flags: []store.Flag{"$Label1", store.FlagSeen}})
	here, there, back := "maildir:"+data+"/mail/%d/%n", "sqlite:"+dir+"/mail.db", "maildir:"+dir+"/back/mail/%d/%n"
	for range 2 {
		runMailbox(t, exOK, "", "copy", here, there)
		runMailbox(t, exOK, "", "copy", there, back)
	}
	sameMail(t, allMail(t, filepath.Join(dir, "back"), annHere), allMail(t, data, annHere))
	folders := func(store string) string { return runMailbox(t, exOK, "", "folders", "--store", store, "ann") }
	if folders(here) != folders(back) || folders(here) != folders(there) {
		t.Errorf("folders here\n%s there\n%s and back\n%s", folders(here), folders(there), folders(back))
	}
}
