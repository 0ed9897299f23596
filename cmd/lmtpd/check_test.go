package main

import (
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/delivery"
	"lmtpd/store"
)

// What check tells of a configuration, whole.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	config := filepath.Join(dir, "c.toml")
	text := `hostname = "mda.example.org"
data = "DIR/data"
[[listen]]
address = "127.0.0.1:24"
proxies = ["192.0.2.0/24"]
[[listen]]
address = "unix:DIR/s"
peers = ["4000000", "4000001"]
group = "4000000"
proxies = ["unix"]
[[listen]]
address = "unix:DIR/t"
mode = "0600"
peers = []
[[mailboxes]]
domains = ["example.org", "example.net"]
store = "maildir:DIR/%d/mail/%n"
[limits]
message_size = 1000
`
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(text, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	want := `configuration           DIR/c.toml
hostname                mda.example.org
data                    DIR/data: not there yet; to be made below DIR, writable by uid UID
dsn                     on: offered to the MTA, and senders who asked hear from here that their mail was delivered; those elsewhere do not, for there is no [relay]
listen                  lmtp on 127.0.0.1:24
  who                   whoever can connect
  proxies               192.0.2.0/24
listen                  lmtp on unix:DIR/s
  socket                not there yet; to be made in DIR: there, writable by uid UID
  file                  mode 0660, owner unchanged, group 4000000
  who                   4000000, 4000001
  proxies               whoever connects
listen                  lmtp on unix:DIR/t
  socket                not there yet; to be made in DIR: there, writable by uid UID
  file                  mode 0600, owner unchanged, group unchanged
  who                   nobody
  proxies               nobody
queue                   mail that is submitted, or sent on because of an alias, waits in DIR/data/spool.db
  attempts              at once, then after 5m0s, 15m0s, 30m0s, then at twice the distance, up to 4h0m0s; 20 at once for one destination
  lifetime              120h0m0s, then it is returned; its sender hears after 4h0m0s that it waits
  postmaster            postmaster@example.org has what cannot be returned
mailboxes               example.org, example.net
  accounts              any: every local-part has a mailbox
  store                 maildir:DIR/%d/mail/%n
  detail                mail for ann+detail goes to ann's INBOX (delimiters +)
  quota                 none but what accounts say; what does not fit is deferred
  directory             DIR: there, writable by uid UID
  for example           postmaster@example.org in DIR/example.org/mail/postmaster
limits                  on what clients can use up
  message_size          1000
  recipients            1000
  connections           1000
  connections_per_peer  100
  errors                10
  hops                  50
  deliveries            16
  per_mailbox           10
  deadline              2m0s
  min_free              nothing
  memory                64MiB
  shutdown              30s
  command_timeout       5m0s
  content_timeout       3m0s
log                     text, info and above
`
	want = strings.NewReplacer("DIR", dir, "UID", fmt.Sprint(os.Getuid())).Replace(want)
	code, stdout, stderr := runApp(t, "check", "--config", config)
	if code != exOK || stderr != "" || stdout != want {
		t.Errorf("exit %d, %s\n%s\nwant\n%s", code, stderr, stdout, want)
	}
	if made := entries(t, dir); !slices.Equal(made, []string{"c.toml"}) {
		t.Errorf("check made something: %q", made)
	}
}

// Where a path does not tell domains apart, two addresses have one mailbox, and that is told.
func TestCheckShared(t *testing.T) {
	for store, want := range map[string]string{
		"maildir:/m/%n":      "with the same local-part of b.example, c.example: the path does not tell their domains apart",
		"maildir:/m/%n/%d":   "",
		"maildir:/m/%u":      "",
		"maildir:/m/x%n/box": "with the same local-part of b.example: the path does not tell their domains apart",
	} {
		config := filepath.Join(t.TempDir(), "c.toml")
		text := fmt.Sprintf(`mailboxes = [{domains = ["a.example", "b.example"], store = %q}, {domains = ["c.example"], store = "maildir:/m/%%n"}]`, store)
		if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr := runApp(t, "check", "--config", config)
		first, _, _ := strings.Cut(stdout, "c.example\n")
		_, got, _ := strings.Cut(first, "  shared ")
		got, _, _ = strings.Cut(strings.TrimSpace(got), "\n")
		if code != exOK || got != want {
			t.Errorf("%s: exit %d %s, %q, want %q", store, code, stderr, got, want)
		}
	}
}

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

// Without anything it tells of the defaults.
func TestCheckDefaults(t *testing.T) {
	t.Chdir(t.TempDir())
	code, stdout, _ := runApp(t, "check")
	for _, want := range []string{
		"none: defaults and flags\n", " 127.0.0.1:2424\n", "mailboxes               localhost\n",
		" postmaster@localhost in lmtpd-data/mail/localhost/postmaster\n", " lmtpd-data/mail: not there yet; to be made below ., ",
	} {
		if code != exOK || !strings.Contains(stdout, want) {
			t.Errorf("exit %d, no %q in\n%s", code, want, stdout)
		}
	}
	if made := entries(t, "."); len(made) > 0 {
		t.Errorf("check made something: %q", made)
	}
}

// A wrong configuration is told on standard error, with nothing before the place.
func TestCheckMistakes(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(config, []byte("a = 1\nhostname = 2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	code, stdout, stderr := runApp(t, "check", "--config", config, "--lmtp", "x")
	want := strings.ReplaceAll("F:1:1: unknown key \"a\"\nF:2:12: hostname: must be a string, not an integer\n", "F", config) +
		"lmtpd: --lmtp: \"x\" is not an address: the port is missing, as in 127.0.0.1:24\n"
	if code != exConfig || stdout != "" || stderr != want {
		t.Errorf("exit %d, %q, %q; want %q", code, stdout, stderr, want)
	}
}

func TestSocketState(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	live, err := net.Listen("unix", path("live"))
	if err != nil {
		t.Fatal(err)
	}
	defer live.Close()
	stale, err := net.ListenUnix("unix", &net.UnixAddr{Name: path("stale"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	stale.SetUnlinkOnClose(false)
	stale.Close()
	if err := os.WriteFile(path("file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"live":     "live: somebody listens there",
		"stale":    "stale: nobody listens there, and serve replaces it",
		"file":     "in the way: not a socket",
		"none":     "not there yet; to be made in " + dir + ": there, ",
		"sub/none": "cannot be made: its directory " + path("sub") + " is not there",
		"file/s":   "cannot tell: ",
	} {
		if got := socketState(path(name)); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	if info, err := os.Lstat(path("stale")); err != nil || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("looking at it removed the stale socket: %v", err)
	}
}

func TestDirectoryState(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		dir:                               "there, writable by uid ",
		filepath.Join(dir, "a", "b"):      "not there yet; to be made below " + dir + ", writable by uid ",
		filepath.Join(dir, "file"):        "in the way: not a directory",
		filepath.Join(dir, "file", "sub"): "cannot tell: ",
	} {
		if got := directoryState(path); !strings.HasPrefix(got, want) {
			t.Errorf("%s: %q, want %q", path, got, want)
		}
	}
}

func TestTermsMeaning(t *testing.T) {
	for _, test := range []struct {
		terms         Terms
		detail, quota string
	}{
		{Terms{}, "none: every local-part stands for itself", "none but what accounts say; what does not fit is deferred"},
		{
			Terms{Delimiters: "-+", Detail: delivery.DetailFolder, Quota: store.Quota{Usage: store.Usage{Octets: 1 << 30}}, OverQuota: delivery.Refuse},
			"mail for ann-detail goes to ann's folder detail if it is there, else to INBOX (delimiters -+)",
			"1GiB; what does not fit is refused",
		},
		{
			Terms{
				Delimiters: "+", Detail: delivery.DetailCreate, Grace: delivery.OneMessage,
				Quota: store.Quota{Usage: store.Usage{Octets: 1, Messages: 7}, Ignore: []string{"Trash"}},
			},
			"mail for ann+detail goes to ann's folder detail, which is made if it is not there (delimiters +)",
			"1, 7 messages; without Trash; what does not fit is deferred, but for one message",
		},
	} {
		if got := detailMeaning(test.terms); got != test.detail {
			t.Errorf("detail: %s, want %s", got, test.detail)
		}
		if got := quotaMeaning(test.terms); got != test.quota {
			t.Errorf("quota: %s, want %s", got, test.quota)
		}
	}
}

// The mistakes of all files are told in one run.
func TestCheckTellsOfAllFiles(t *testing.T) {
	config := explainable(t)
	dir := filepath.Dir(config)
	put(t, filepath.Join(dir, "users"), "a b::\n")
	put(t, filepath.Join(dir, "aliases"), "sales\n")
	code, _, stderr := runApp(t, "check", "--config", config)
	if code != exConfig || !strings.Contains(stderr, "users:1: ") || !strings.Contains(stderr, "aliases:1: ") {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// Aliases that lead elsewhere are told: nobody has the mail that is for them.
func TestCheckAliasesElsewhere(t *testing.T) {
	for text, want := range map[string]string{
		"sales: ann\n":                                         "",
		"a: ann\nsales: ann, eve@far.example\n":                "alias sales (FILE:2): mail for it is refused, 550 5.7.1: there is no [relay]",
		"sales: ann, eve@far.example\nteam: ann, sales, ben\n": "alias sales (FILE:1): mail for it is refused, 550 5.7.1: there is no [relay]|alias team (FILE:2): mail for it is refused, 550 5.7.1: there is no [relay]",
	} {
		dir := t.TempDir()
		file, config := filepath.Join(dir, "aliases"), filepath.Join(dir, "c.toml")
		put(t, file, text)
		put(t, config, "[[mailboxes]]\ndomains = [\"a.example\"]\naliases = \""+file+"\"\n")
		code, stdout, stderr := runApp(t, "check", "--config", config)
		var told []string
		for line := range strings.Lines(stdout) {
			if text, is := strings.CutPrefix(line, "  elsewhere "); is {
				told = append(told, strings.TrimSpace(text))
			}
		}
		got := strings.Join(told, "|")
		if want = strings.ReplaceAll(want, "FILE", file); code != exOK || got != want {
			t.Errorf("%q: exit %d %s, %q, want %q", text, code, stderr, got, want)
		}
	}
}
