package main

import (
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"lmtpd/delivery"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// load loads a configuration that has no mistakes.
func load(t *testing.T, text string, o overrides) *Config {
	t.Helper()
	o.config = filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(o.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := o.load()
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

// ownPeers are the default peers: root and us.
func ownPeers() []uint32 {
	if uid := os.Getuid(); uid != 0 {
		return []uint32{0, uint32(uid)}
	}
	return []uint32{0}
}

// Without file and flags everything is on loopback and below ./lmtpd-data.
func TestConfigDefaults(t *testing.T) {
	cfg, err := overrides{}.load()
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Hostname == "" || cfg.File != "" || cfg.Data != "./lmtpd-data" {
		t.Errorf("%+v", cfg)
	}
	if want := []Listen{{Protocol: "lmtp", Network: "tcp", Address: "127.0.0.1:2424", Owner: -1, Group: -1}}; !reflect.DeepEqual(cfg.Listen, want) {
		t.Errorf("listen %+v", cfg.Listen)
	}
	if got := blocks(cfg); got != "localhost any maildir:lmtpd-data/mail/%d/%n" {
		t.Errorf("mailboxes %s", got)
	}
	if cfg.Limits != defaultLimits() || cfg.Log != (Log{"text", slog.LevelInfo}) {
		t.Errorf("%+v", cfg)
	}
}

// blocks writes the blocks of mailboxes, one a line.
func blocks(cfg *Config) string {
	var lines []string
	for _, m := range cfg.Mailboxes {
		lines = append(lines, fmt.Sprintf("%s %s %s", strings.Join(m.Domains, ","), m.Accounts, m.Store))
	}
	return strings.Join(lines, "\n")
}

const wholeConfig = `
hostname = "mail.example.org"
data     = "/var/lib/lmtpd"
dsn      = "off"

[[listen]]
protocol = "lmtp"
address  = "unix:/run/lmtpd/../s"
mode     = "0666"
owner    = "0"
group    = "0"
peers    = ["root", "4711"]
proxies  = ["unix"]

[[listen]]
address = "[0:0::1]:24"
proxies = ["192.0.2.0/24", "2001:db8::1", "::ffff:192.0.2.7"]

[[mailboxes]]
domains  = ["Example.ORG", "bücher.example"]
accounts = "any"
store    = "maildir:/var/mail/%d/%n"

[[mailboxes]]
domains = ["b.example"]

[limits]
message_size = "20MB"
recipients = 10
connections = 0x10
connections_per_peer = 12
errors = 13
hops = 14
deliveries = 15
per_mailbox = 16
deadline = "17s"
min_free = "18kB"
min_free_inodes = 19
memory = 0x3e8
shutdown = "1m30s"
command_timeout = "1s"
content_timeout = "500ms"

[queue]
lifetime    = "7d"
warn_after  = "1h"
retry       = ["1m", "10m"]
retry_max   = "2h"
concurrency = 3
postmaster  = "root@example.org"

[log]
format = "json"
level = "debug"
`

// wholeTerms belong to the last block.
const wholeTerms = `
delimiter      = "-+"
detail         = "create"
quota          = "1GiB"
quota_messages = 1000
quota_ignore   = ["Trash", "Lists/Go"]
over_quota     = "refuse"
quota_grace    = true

[limits]`

func TestConfigWhole(t *testing.T) {
	cfg := load(t, strings.Replace(wholeConfig, "[limits]", wholeTerms, 1), overrides{})
	if cfg.Hostname != "mail.example.org" || cfg.Data != "/var/lib/lmtpd" || cfg.File == "" || cfg.DSN != DSNOff {
		t.Errorf("%+v", cfg)
	}
	want := []Listen{{
		Protocol: "lmtp", Network: "unix", Address: "/run/s", Mode: 0o666, Owner: 0, Group: 0,
		Peers: []uint32{0, 4711}, Proxies: Clients{Unix: true},
	}, {
		Protocol: "lmtp", Network: "tcp", Address: "[::1]:24", Owner: -1, Group: -1,
		Proxies: Clients{Nets: []netip.Prefix{
			netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("2001:db8::1/128"), netip.MustParsePrefix("192.0.2.7/32"),
		}},
	}}
	if !reflect.DeepEqual(cfg.Listen, want) {
		t.Errorf("listen\n%+v, want\n%+v", cfg.Listen, want)
	}
	if got := blocks(cfg); got != "example.org,xn--bcher-kva.example any maildir:/var/mail/%d/%n\nb.example any maildir:/var/lib/lmtpd/mail/%d/%n" {
		t.Errorf("mailboxes\n%s", got)
	}
	terms := Terms{
		Delimiters: "-+", Detail: delivery.DetailCreate,
		Quota:     store.Quota{Usage: store.Usage{Messages: 1000, Octets: 1 << 30}, Ignore: []string{"Trash", "Lists/Go"}},
		OverQuota: delivery.Refuse, Grace: delivery.OneMessage,
	}
	if first, second := cfg.Mailboxes[0].Terms, cfg.Mailboxes[1].Terms; !reflect.DeepEqual(first, defaultTerms()) || !reflect.DeepEqual(second, terms) {
		t.Errorf("terms\n%+v\n%+v, want\n%+v", first, second, terms)
	}
	limits := Limits{20e6, 10, 16, 12, 13, 14, 15, 16, 17 * time.Second, store.Floor{Octets: 18e3, Inodes: 19}, 1000, 90 * time.Second, time.Second, time.Second / 2}
	if cfg.Limits != limits {
		t.Errorf("%+v, want\n%+v", cfg.Limits, limits)
	}
	queue := Queue{7 * 24 * time.Hour, time.Hour, []time.Duration{time.Minute, 10 * time.Minute}, 2 * time.Hour, 3, smtp.Path{Local: "root", Domain: "example.org"}}
	if !reflect.DeepEqual(cfg.Queue, queue) {
		t.Errorf("%+v, want\n%+v", cfg.Queue, queue)
	}
	if cfg.Log != (Log{"json", slog.LevelDebug}) {
		t.Errorf("%+v", cfg.Log)
	}
}

// TOML has several ways to say the same.
func TestConfigSpellings(t *testing.T) {
	for name, text := range map[string]string{
		"tables":        "[[listen]]\naddress = \":24\"\n[[mailboxes]]\ndomains = [\"a.example\"]\n[log]\nlevel = \"warn\"\n",
		"inline tables": "listen = [{address = \":24\"}]\nmailboxes = [{domains = [\"a.example\"]}]\nlog = {level = \"warn\"}\n",
		"dotted keys":   "log.level = 'warn'\n[[listen]]\n\"address\" = ''':24'''\n[[mailboxes]]\ndomains = [\n  \"a.example\", # this\n]\n",
		"CRLF":          "[[listen]]\r\naddress = \":24\"\r\n[[mailboxes]]\r\ndomains = [\"a.example\"]\r\n[log]\r\nlevel = \"warn\"\r\n",
	} {
		cfg := load(t, text, overrides{})
		if len(cfg.Listen) != 1 || cfg.Listen[0].Address != ":24" || cfg.Mailboxes[0].Domains[0] != "a.example" || cfg.Log.Level != slog.LevelWarn {
			t.Errorf("%s: %+v", name, cfg)
		}
	}
}

// Peers of a unix socket are root and us unless it says otherwise; an empty list is nobody.
func TestConfigPeers(t *testing.T) {
	for text, want := range map[string][]uint32{
		"":                ownPeers(),
		"peers = []":      {},
		`peers = ["0"]`:   {0},
		`peers = ["123"]`: {123},
	} {
		cfg := load(t, "[[listen]]\naddress = \"unix:/s\"\n"+text, overrides{})
		if got := cfg.Listen[0].Peers; !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
		if mode := cfg.Listen[0].Mode; mode != defaultMode {
			t.Errorf("mode %o", mode)
		}
	}
}

// Flags replace what the file says.
func TestConfigFlags(t *testing.T) {
	tests := []struct {
		name   string
		flags  overrides
		listen string
		blocks string
	}{
		{"listeners", overrides{listen: map[string][]string{"lmtp": {":1", "unix:/s"}}}, ":1 /s",
			"example.org,xn--bcher-kva.example any maildir:/var/mail/%d/%n\nb.example any maildir:/var/lib/lmtpd/mail/%d/%n"},
		{"data", overrides{data: "/d%u"}, "/run/s [::1]:24",
			"example.org,xn--bcher-kva.example any maildir:/var/mail/%d/%n\nb.example any maildir:/d%%u/mail/%d/%n"},
		{"store", overrides{store: "maildir:/m/%u"}, "/run/s [::1]:24",
			"example.org,xn--bcher-kva.example,b.example any maildir:/m/%u"},
		{"domains and store", overrides{domains: []string{"C.example", "d.example", "c.EXAMPLE"}, store: "maildir:/m/%u"}, "/run/s [::1]:24",
			"c.example,d.example any maildir:/m/%u"},
		{"accounts and store", overrides{accounts: "any", store: "maildir:/m/%u"}, "/run/s [::1]:24",
			"example.org,xn--bcher-kva.example,b.example any maildir:/m/%u"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cfg := load(t, wholeConfig, tt.flags)
			var listen []string
			for _, l := range cfg.Listen {
				listen = append(listen, l.Address)
			}
			if got := strings.Join(listen, " "); got != tt.listen {
				t.Errorf("listens on %s, want %s", got, tt.listen)
			}
			if got := blocks(cfg); got != tt.blocks {
				t.Errorf("mailboxes\n%s\nwant\n%s", got, tt.blocks)
			}
		})
	}
}

// Without --store the store of the blocks is kept, if they agree on one.
func TestConfigFlagsKeepStore(t *testing.T) {
	const same = `
[[mailboxes]]
domains = ["a.example"]
store   = "maildir:/m/%u"
[[mailboxes]]
domains  = ["b.example"]
accounts = "any"
store    = "maildir:/m/%u"
`
	for want, flags := range map[string]overrides{
		"c.example any maildir:/m/%u":           {domains: []string{"c.example"}},
		"a.example,b.example any maildir:/m/%u": {accounts: "any"},
		"a.example any maildir:/n/%u":           {domains: []string{"a.example"}, store: "maildir:/n/%u", accounts: "any"},
	} {
		if got := blocks(load(t, same, flags)); got != want {
			t.Errorf("mailboxes %s, want %s", got, want)
		}
	}
	config := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(config, []byte(wholeConfig), 0o600); err != nil {
		t.Fatal(err)
	}
	for flag, flags := range map[string]overrides{
		"domain":   {config: config, domains: []string{"c.example"}},
		"accounts": {config: config, accounts: "any"},
	} {
		_, err := flags.load()
		want := "lmtpd: --" + flag + ": the blocks of " + config + " have different stores; give --store"
		if err == nil || err.Error() != want || exitCode(err) != exUsage {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

// Blocks that take mail on different terms are not made one.
func TestConfigFlagsKeepTerms(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c.toml")
	text := "[[mailboxes]]\ndomains = [\"a.example\"]\nquota = 1\n[[mailboxes]]\ndomains = [\"b.example\"]\nquota = 2\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := overrides{config: config, domains: []string{"c.example"}}.load()
	want := "lmtpd: --domain: the blocks of " + config + " have different aliases, details or quotas, and no flag is for these"
	if err == nil || err.Error() != want || exitCode(err) != exUsage {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

// A mistake in a store is one mistake, although its block has another one then.
func TestConfigFlagsWrongStore(t *testing.T) {
	config := filepath.Join(t.TempDir(), "c.toml")
	text := "[[mailboxes]]\ndomains = [\"a.example\"]\nstore = \"maildir:/m/%u\"\n[[mailboxes]]\ndomains = [\"b.example\"]\nstore = \"x:\"\n"
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := overrides{config: config, domains: []string{"c.example"}}.load()
	if want := config + ":6:9: store: unknown kind of store \"x\""; err == nil || err.Error() != want {
		t.Errorf("got %v\nwant %s", err, want)
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"1": 1, "1B": 1, "2kB": 2000, "2KB": 2000, "2KiB": 2048, "50MiB": 50 << 20, "50 MiB": 50 << 20, "1GB": 1e9, "1GiB": 1 << 30,
		"3TB": 3e12, "3TiB": 3 << 40, "9223372036854775807": 1<<63 - 1, "8388607TiB": 8388607 << 40,
		"": 0, "0": 0, "-1": 0, "1M": 0, "MiB": 0, "1.5GiB": 0, "8388608TiB": 0, "9223372036854775808": 0, "1 M iB": 0, "1mib": 0, "0x10": 0,
	} {
		if got, err := parseSize(text); got != want || (err == nil) != (want != 0) {
			t.Errorf("%q: %d, %v; want %d", text, got, err, want)
		}
	}
}

func TestOctets(t *testing.T) {
	for n, want := range map[octets]string{1: "1", 1000: "1000", 1024: "1KiB", 50 << 20: "50MiB", 1 << 30: "1GiB", 3 << 40: "3TiB", 1<<20 + 1: "1048577"} {
		if got := n.String(); got != want {
			t.Errorf("%d: %s, want %s", int64(n), got, want)
		}
	}
}

func TestParseListener(t *testing.T) {
	for text, want := range map[string]string{
		"127.0.0.1:24": "tcp 127.0.0.1:24", ":24": "tcp :24", "[::1]:24": "tcp [::1]:24", "[::]:0": "tcp [::]:0", "localhost:2424": "tcp localhost:2424",
		"mda.example.org:24": "tcp mda.example.org:24", "[fe80::1%eth0]:24": "tcp [fe80::1%eth0]:24",
		"unix:/run/s": "unix /run/s", "unix:s": "unix s", "unix:./a//s": "unix a/s",
		"": "", "24": "", "localhost": "", "::1": "", "[::1]": "", "a b:24": "", "127.0.0.1:": "", "127.0.0.1:024": "", "127.0.0.1:+24": "",
		"inet:127.0.0.1:24": "", "unix:": "", "unix:a\x00b": "", "tcp:x": "", "256.0.0.1:24": "", "[127.0.0.1]:24": "tcp 127.0.0.1:24",
	} {
		l, err := parseListener(text)
		if got := strings.TrimSpace(l.Network + " " + l.Address); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
}
