package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"lmtpd/store"
)

// fill opens the default store below data, as serve would, and delivers a message to every placement.
func fill(t *testing.T, data string, content string, to ...store.Placement) {
	t.Helper()
	fillWith(t, overrides{data: data}, content, to...)
}

// fillStore is fill for a store of its own.
func fillStore(t *testing.T, url string, content string, to ...store.Placement) {
	t.Helper()
	fillWith(t, overrides{store: url, data: t.TempDir()}, content, to...)
}

func fillWith(t *testing.T, o overrides, content string, to ...store.Placement) {
	t.Helper()
	cfg, err := o.load()
	if err != nil {
		t.Fatal(err)
	}
	stores, closeAll, err := openStores(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for i, err := range stores[0].Deliver(t.Context(), strings.NewReader(content), to) {
		if err != nil {
			t.Fatalf("%v: %v", to[i], err)
		}
	}
	if err := closeAll(); err != nil {
		t.Fatal(err)
	}
}

const letter = "Subject: hi\r\n\r\nA \r in a line, and 8 bits: \xe9\r\n.dot\r\n"

// messageIDs returns the IDs that "mailbox messages" lists, in its order.
func messageIDs(t *testing.T, args ...string) []string {
	t.Helper()
	code, stdout, stderr := runApp(t, append([]string{"mailbox", "messages", "--json"}, args...)...)
	if code != exOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	var lines []messageLine
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil {
		t.Fatal(err)
	}
	ids := []string{}
	for _, l := range lines {
		ids = append(ids, l.ID)
	}
	return ids
}

func TestMailboxShow(t *testing.T) {
	data := t.TempDir()
	fill(t, data, "old\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}})
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}, Trace: []byte("X: 1\r\n"), Flags: []store.Flag{store.FlagSeen}})
	fill(t, data, "in a folder\r\n", store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}, Folder: "Lists/Go"})
	wire := "X: 1\r\n" + letter
	ids := messageIDs(t, "--data", data, "ann")
	if len(ids) != 2 {
		t.Fatalf("messages %q", ids)
	}
	inFolder := messageIDs(t, "--data", data, "--folder", "Lists/Go", "ann")

	tests := []struct {
		name string
		args []string
		want string
	}{
		{"newest", []string{"ann@localhost"}, strings.ReplaceAll(wire, "\r\n", "\n")},
		{"newest on the wire", []string{"--wire", "ann@localhost"}, wire},
		{"without domain", []string{"ann"}, strings.ReplaceAll(wire, "\r\n", "\n")},
		{"in other case", []string{"Ann@LocalHost"}, strings.ReplaceAll(wire, "\r\n", "\n")},
		{"by ID", []string{"ann", ids[0]}, "old\n"},
		{"newest of a folder", []string{"--folder", "Lists/Go", "ann"}, "in a folder\n"},
		{"by ID in any folder", []string{"ann", inFolder[0]}, "in a folder\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			code, stdout, stderr := runApp(t, append([]string{"mailbox", "show", "--data", data}, tt.args...)...)
			if code != exOK || stdout != tt.want || stderr != "" {
				t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, tt.want)
			}
		})
	}
}

func TestMailboxMistakes(t *testing.T) {
	data, none := t.TempDir(), filepath.Join(t.TempDir(), "none")
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}})
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "bob@localhost"}})
	bob := messageIDs(t, "--data", data, "bob")[0]
	tests := []struct {
		args string
		code int
		says string
	}{
		{"show --data DATA eve", exNoUser, "no such mailbox"},
		{"messages --data DATA eve", exNoUser, "no such mailbox"},
		{"remove --data DATA eve x", exNoUser, "no such mailbox"},
		{"show --data DATA ../ann", exNoUser, "no such mailbox"},
		{"show --data DATA ann@elsewhere.example", exNoUser, "elsewhere.example is not configured; there is localhost"},
		{"show --data DATA ann@@localhost", exDataErr, `"ann@@localhost" is not an address`},
		{"show --data DATA ann x", exDataErr, "no such message"},
		{"show --data DATA ann " + bob, exDataErr, "no such message"},
		{"show --data DATA --folder Nope ann", exDataErr, "no such folder"},
		{"remove --data DATA ann x", exDataErr, "no such message"},
		{"show --data DATA --domain a.example --domain b.example ann", exUsage, `"ann" needs a domain: there is a.example, b.example`},
		{"list --data NONE", exNoUser, "there are no mailboxes in maildir:"},
		{"list --config NONE", exConfig, "read configuration"},
		{"list --store x:y", exUsage, "--store: unknown kind of store"},
	}
	for _, tt := range tests {
		t.Run(tt.args, func(t *testing.T) {
			args := strings.NewReplacer("DATA", data, "NONE", none).Replace("mailbox " + tt.args)
			code, stdout, stderr := runApp(t, strings.Fields(args)...)
			if code != tt.code || stdout != "" || !strings.Contains(stderr, tt.says) {
				t.Errorf("exit %d, %q, %q; want %d and %q", code, stdout, stderr, tt.code, tt.says)
			}
		})
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("looking into mailboxes made a store")
	}
}

// A mailbox that is not there is told once.
func TestMailboxUnknown(t *testing.T) {
	data := t.TempDir()
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}})
	for _, args := range []string{"messages eve", "show eve", "show eve x", "remove eve x"} {
		command, rest, _ := strings.Cut(args, " ")
		code, _, stderr := runApp(t, append([]string{"mailbox", command, "--data", data}, strings.Fields(rest)...)...)
		if code != exNoUser || stderr != "lmtpd: no such mailbox: eve@localhost\n" {
			t.Errorf("%s: exit %d, %q", args, code, stderr)
		}
	}
}

// blocksConfig writes a configuration with a block for each store, for the domains d0.example, d1.example and so on.
func blocksConfig(t *testing.T, stores ...string) string {
	t.Helper()
	var text strings.Builder
	for i, s := range stores {
		fmt.Fprintf(&text, "[[mailboxes]]\ndomains = [\"d%d.example\"]\nstore = %q\n", i, s)
	}
	config := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(config, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return config
}

// A block whose directory is not there yet is no trouble for the others.
func TestMailboxOfOtherBlock(t *testing.T) {
	data, none := t.TempDir(), filepath.Join(t.TempDir(), "none")
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@d0.example"}})
	config := blocksConfig(t, "maildir:"+data+"/mail/%d/%n", "maildir:"+none+"/%d/%n")
	if got := messageIDs(t, "--config", config, "ann@d0.example"); len(got) != 1 {
		t.Errorf("messages %q", got)
	}
	code, stdout, stderr := runApp(t, "mailbox", "list", "--config", config)
	if code != exOK || !strings.HasPrefix(stdout, "ann@d0.example ") || stderr != "" {
		t.Errorf("list: exit %d, %q, %q", code, stdout, stderr)
	}
	code, _, stderr = runApp(t, "mailbox", "messages", "--config", config, "ann@d1.example")
	if code != exNoUser || !strings.Contains(stderr, "there are no mailboxes in maildir:"+none) {
		t.Errorf("exit %d, %q", code, stderr)
	}
	if _, err := os.Stat(none); err == nil {
		t.Error("looking into mailboxes made a store")
	}
}

// Where addresses cannot be read from paths that is said, and the other stores are listed.
func TestMailboxListUnsupported(t *testing.T) {
	data := t.TempDir()
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@d0.example"}})
	config := blocksConfig(t, "maildir:"+data+"/mail/%d/%n", "maildir:"+data+"/%n")
	code, stdout, stderr := runApp(t, "mailbox", "list", "--config", config)
	want := "lmtpd: the mailboxes in maildir:" + data + "/%n cannot be listed: neither their paths nor the accounts (any) tell their addresses\n"
	if code != exUnavailable || !strings.HasPrefix(stdout, "ann@d0.example ") || stderr != want {
		t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, want)
	}
}

func TestMailboxRemove(t *testing.T) {
	data := t.TempDir()
	for range 3 {
		fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}})
	}
	fill(t, data, letter, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}, Folder: "Sent"})
	ids := messageIDs(t, "--data", data, "ann")
	sent := messageIDs(t, "--data", data, "--folder", "Sent", "ann")
	code, _, stderr := runApp(t, "mailbox", "remove", "--data", data, "ann", ids[0], "nothing", ids[2], sent[0])
	if code != exDataErr || strings.Count(stderr, "no such message") != 1 {
		t.Errorf("exit %d, %q", code, stderr)
	}
	if left := messageIDs(t, "--data", data, "ann"); len(left) != 1 || left[0] != ids[1] {
		t.Errorf("left %q of %q", left, ids)
	}
	if left := messageIDs(t, "--data", data, "--folder", "Sent", "ann"); len(left) != 0 {
		t.Errorf("left in Sent: %q", left)
	}
	code, _, stderr = runApp(t, "mailbox", "show", "--data", data, "--folder", "Sent", "ann")
	if code != exDataErr || !strings.Contains(stderr, "Sent of ann@localhost is empty") {
		t.Errorf("exit %d, %q", code, stderr)
	}
}

func TestMailboxList(t *testing.T) {
	data := t.TempDir()
	fill(t, data, "1234\r\n", store.Placement{Mailbox: store.Mailbox{Name: "bob@localhost"}}, store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}},
		store.Placement{Mailbox: store.Mailbox{Name: "ann@localhost"}, Folder: "Lists/Go", Flags: []store.Flag{store.FlagSeen, store.FlagFlagged}})

	_, stdout, _ := runApp(t, "mailbox", "list", "--data", data)
	if want := "ann@localhost  2  12\nbob@localhost  1  6\n"; stdout != want {
		t.Errorf("got\n%swant\n%s", stdout, want)
	}
	_, stdout, _ = runApp(t, "mailbox", "list", "--json", "--data", data)
	var lines []mailboxLine
	if err := json.Unmarshal([]byte(stdout), &lines); err != nil || len(lines) != 2 || len(lines[0].Folders) != 1 || lines[0].Folders[0] != "Lists/Go" {
		t.Errorf("%v in %s", err, stdout)
	}
	_, stdout, _ = runApp(t, "mailbox", "messages", "--folder", "Lists/Go", "--data", data, "ann")
	if want := `^\S+  \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ  6  \\Flagged \\Seen\n$`; !regexp.MustCompile(want).MatchString(stdout) {
		t.Errorf("got %q, want %s", stdout, want)
	}
}

// An empty list is a list.
func TestMailboxListEmpty(t *testing.T) {
	data := t.TempDir()
	if err := os.Mkdir(filepath.Join(data, "mail"), 0o700); err != nil {
		t.Fatal(err)
	}
	for args, want := range map[string]string{"list": "", "list --json": "[]\n"} {
		code, stdout, stderr := runApp(t, append(strings.Fields("mailbox "+args), "--data", data)...)
		if code != exOK || stdout != want || stderr != "" {
			t.Errorf("%s: exit %d, %q, %q", args, code, stdout, stderr)
		}
	}
}

func TestLineEnds(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "a": "a", "a\r\nb\r\n": "a\nb\n", "\r": "\r", "a\r\r\nb\r": "a\r\nb\r", "\n\r\n": "\n\n", "\r\r": "\r\r", "a\rb": "a\rb",
	} {
		for size := 1; size < 4; size++ {
			var b strings.Builder
			if got := crlfToLF(t, in, size, &b); got != want {
				t.Errorf("%q by %d: %q, want %q", in, size, got, want)
			}
		}
	}
}

// crlfToLF writes in through an lfWriter, size octets at a time.
func crlfToLF(t *testing.T, in string, size int, b *strings.Builder) string {
	t.Helper()
	lf := &lfWriter{w: bufio.NewWriter(b)}
	for len(in) > 0 {
		n := min(size, len(in))
		if _, err := lf.Write([]byte(in[:n])); err != nil {
			t.Fatal(err)
		}
		in = in[n:]
	}
	if err := lf.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// Where neither the store nor its paths know the mailboxes, the accounts do; who has none yet is not in the list. Homes and
// quotas are the accounts' too.
func TestMailboxListOfAccounts(t *testing.T) {
	dir, owner := t.TempDir(), self()
	if owner.UID == 0 { // root's rights are for nobody's home
		owner = &store.Owner{UID: 54321, GID: 54321}
		chmod(t, filepath.Dir(dir), 0o755)
	}
	ids := fmt.Sprintf("::%d:%d::", owner.UID, owner.GID)
	users := "ann@a.example" + ids + dir + "/ann::userdb_quota_rule=*:storage=1G\nben" + ids + dir + "/ben::\ncyd@a.example" + ids + dir + "/cyd::\n"
	config := filepath.Join(dir, "c.toml")
	put(t, filepath.Join(dir, "users"), users)
	put(t, config, "data = \""+dir+"\"\n[[mailboxes]]\ndomains = [\"a.example\"]\naccounts = \"file:"+dir+"/users\"\nstore = \"maildir:%h/Maildir\"\n")
	for _, name := range []string{"ann", "ben", "cyd"} {
		home := filepath.Join(dir, name)
		if err := errors.Join(os.Mkdir(home, 0o700), os.Chown(home, owner.UID, owner.GID)); err != nil {
			t.Fatal(err)
		}
	}
	cfg, err := overrides{config: config}.load()
	if err != nil {
		t.Fatal(err)
	}
	stores, closeAll, err := openStores(cfg, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "ben"} {
		box := store.Mailbox{Name: name + "@a.example", Home: filepath.Join(dir, name), Owner: owner}
		if err := stores[0].Deliver(t.Context(), strings.NewReader("x\r\n"), []store.Placement{{Mailbox: box}})[0]; err != nil {
			t.Fatal(err)
		}
	}
	if err := closeAll(); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runApp(t, "mailbox", "list", "--config", config)
	if want := "ann@a.example  1  2\nben@a.example  1  3\n"; code != exOK || stdout != want {
		t.Errorf("exit %d, %q, %s; want %q", code, stdout, stderr, want)
	}
	if code, stdout, stderr := runApp(t, "mailbox", "show", "--config", config, "ann"); code != exOK || stdout != "x\n" {
		t.Errorf("exit %d, %q, %s", code, stdout, stderr)
	}
	if _, err := os.Stat(filepath.Join(dir, "ann", "Maildir", "maildirsize")); err != nil {
		t.Errorf("the quota of the account is not known: %v", err)
	}
}

// self is the owner of what the process itself has made.
func self() *store.Owner { return &store.Owner{UID: os.Geteuid(), GID: os.Getegid()} }

func chmod(t *testing.T, path string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

func put(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
