package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// complain loads a configuration and returns the complaints, without the file's name.
func complain(t *testing.T, text string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "c.toml")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := overrides{config: file}.load()
	if err == nil {
		return ""
	}
	var m mistakes
	if !errors.As(err, &m) {
		t.Fatalf("not mistakes: %v", err)
	}
	if m.ExitCode() != exConfig {
		t.Errorf("exit code %d", m.ExitCode())
	}
	return strings.ReplaceAll(err.Error(), file+":", "")
}

// Every mistake is told with its place, all of them in one run.
func TestMistakes(t *testing.T) {
	// Beginnings that make a section complete, on one line each.
	const (
		tcp  = "[[listen]]\naddress = \":24\"\n"
		unix = "[[listen]]\naddress = \"unix:/s\"\n"
		box  = "[[mailboxes]]\ndomains = [\"a.example\"]\n"
	)
	tests := []struct{ name, text, want string }{
		// Syntax.
		{"no value", "hostname =\n", `1:11: unexpected character U+000A at start of value`},
		{"no equals sign", "hostname\n", `1:9: expected '=' after key`},
		{"open string", "data = \"x\nhostname = 1\n", "1:10: basic strings cannot have new lines\n2:12: hostname: must be a string, not an integer"},
		{"open header", "[log\nformat = 1\n[limits]\nhops = 0\n", "1:5: expected ']' to close table name\n4:8: hops: must be at least 1"},
		{"open array", "[[mailboxes]]\ndomains = [\"a.example\"\nstore = \"x:y\"\n", "3:1: expected ',' or ']' after array value\n3:9: store: unknown kind of store \"x\""},
		{"array over lines", "[[mailboxes]]\ndomains = [\"a.example\"\n \"b.example\",\n \"c.example\"]\nstor = 1\n", "3:2: expected ',' or ']' after array value\n5:1: unknown key \"stor\" in [[mailboxes]]; did you mean \"store\"?"},
		{"bad escape", `data = "\q"` + "\n", `1:9: invalid escape character U+0071 'q'`},
		{"two on a line", "data = \"x\" hostname = \"y\"\n", `1:12: expected newline but got U+0068 'h'`},
		{"bare word", "data = here\n", `1:8: unexpected character U+0068 'h' at start of value`},
		{"reaching into an inline table", "log = { format = \"text\" }\nlog.level = \"info\"\n", `2:1: key log is already defined`},

		// Structure.
		{"key twice", "data = \"a\"\ndata = \"b\"\n", `2:1: data is given twice, first in line 1`},
		{"table twice", "[log]\n[log]\n", `2:2: log is given twice, first in line 1`},
		{"table for a list", "[listen]\naddress = \":24\"\n", `1:2: listen is a list: write [[listen]]`},
		{"table among a list", tcp + "[listen]\n", `3:2: listen is a list here (line 1): write [[listen]]`},
		{"list for a table", "[[log]]\n", `1:3: log is not a list: write [log] once`},
		{"list after a value", "log = 1\n[[log]]\n", "1:7: log: must be a table, not an integer\n2:3: log is given twice, first in line 1"},
		{"value for a list", "listen = \"x\"\n", `1:10: listen: must be a list of tables, not a string`},
		{"strings for a list", "listen = [\"x\"]\n", `1:11: listen: must be a list of tables, not a string`},
		{"inline list", "listen = [{ adress = \"x\", address = \":24\" }]\n", `1:13: unknown key "adress" in [[listen]]; did you mean "address"?`},

		// Unknown names.
		{"unknown key", "hostnam = \"a\"\n", `1:1: unknown key "hostnam"; did you mean "hostname"?`},
		{"unknown key far from all", "colour = \"red\"\n", `1:1: unknown key "colour"`},
		{"unknown table", "[limit]\nhops = 1\n", `1:2: unknown table "limit"; did you mean "limits"?`},
		{"unknown list", "[[listener]]\naddress = \":24\"\n", `1:3: unknown table "listener"; did you mean "listen"?`},
		{"unknown dotted key", "log.levle = \"info\"\n", `1:5: unknown key "levle" in [log]; did you mean "level"?`},
		{"upper case", "[log]\nLevel = \"info\"\n", `2:1: unknown key "Level" in [log]; did you mean "level"?`},

		// Types.
		{"number for a string", "hostname = 5\n", `1:12: hostname: must be a string, not an integer`},
		{"date for a string", "data = 1979-05-27\n", `1:8: data: must be a string, not a date or time`},
		{"list for a string", "data = [1]\n", `1:1: data: must be a string, not a list`},
		{"string for a number", "[limits]\nhops = \"5\"\n", `2:8: hops: must be an integer, not a string`},
		{"fraction for a number", "[limits]\nhops = 1.5\n", `2:8: hops: must be an integer, not a fraction`},
		{"boolean for a size", "[limits]\nmemory = true\n", `2:10: memory: must be a size such as "50MiB", not a boolean`},
		{"string for a list of strings", "[[mailboxes]]\ndomains = \"a.example\"\n", `2:11: domains: must be a list of strings, not a string`},
		{"table for a string", "[data]\nx = 1\n", `1:2: data: must be a string, not a table`},

		// Values.
		{"hostname", "hostname = \"a b\"\n", `1:12: hostname: "a b" is not a domain`},
		{"empty path", "data = \"\"\n", `1:8: data: is empty`},
		{"path with tilde", "data = \"~/x\"\nhostnam = 1\n", "1:8: data: ~ is not expanded here; write the whole path\n2:1: unknown key \"hostnam\"; did you mean \"hostname\"?"},
		{"path with tilde beside a store", "data = \"~/x\"\n" + box + "store = \"maildir:/m/%u\"\n", `1:8: data: ~ is not expanded here; write the whole path`},
		{"path with control character", "data = \"/\\u0007\"\n", `1:8: data: "/\a" is not a path`},
		{"size without unit", "[limits]\nmessage_size = \"50M\"\n", `2:16: message_size: "50M" is not a size such as "50MiB", "50MB" or 52428800`},
		{"size below one", "[limits]\nmessage_size = 0\n", `2:16: message_size: "0" is not a size: it must be at least 1`},
		{"size too large", "[limits]\nmemory = \"9000000000GiB\"\n", `2:10: memory: "9000000000GiB" is too large`},
		{"number too large", "[limits]\nhops = 99999999999\n", `2:8: hops: 99999999999 is too large a number`},
		{"negative number", "[limits]\nconnections = -1\n", `2:15: connections: must be at least 1`},
		{"duration", "[limits]\nshutdown = \"30\"\n", `2:12: shutdown: "30" is not a duration such as "30s", "5m" or "2d"`},
		{"negative duration", "[limits]\nshutdown = \"-1s\"\n", `2:12: shutdown: "-1s" must be more than nothing`},
		{"duration as a number", "[limits]\ncommand_timeout = 5\n", `2:19: command_timeout: must be a string, not an integer`},
		{"log format", "[log]\nformat = \"jsn\"\n", `2:10: format: "jsn" is not text or json; did you mean "json"?`},
		{"log level", "[log]\nlevel = \"loud\"\n", `2:9: level: "loud" is not trace, debug, info, warn or error`},

		// Listeners.
		{"no address", "[[listen]]\nmode = \"0600\"\n", `1:3: [[listen]] has no address: give one such as "127.0.0.1:24" or "unix:/run/lmtpd.sock"`},
		{"unknown protocol", tcp + "protocol = \"ltmp\"\n", `3:12: protocol: "ltmp" is not lmtp, submission or submissions; did you mean "lmtp"?`},
		{"trust of an MTA", tcp + "trust = [\"192.0.2.1\"]\n", `3:1: trust is for submission; whoever can connect here may hand over mail`},
		{"trust on TCP", tcp + "protocol = \"submission\"\ntrust = [\"unix\"]\n", `4:10: trust: nobody connects to this listener by "unix"`},
		{"submissions without TLS", tcp + "protocol = \"submissions\"\ntls = \"starttls\"\n", `4:7: tls: submissions is with implicit TLS; for anything else the protocol is "submission"`},
		{"way of TLS", tcp + "tls = \"startls\"\n", `3:7: tls: "startls" is not off, starttls or implicit; did you mean "starttls"?`},
		// Authentication and submission.
		{"backend", "[auth]\nbackend = \"dovcot:/x\"\n", `2:11: backend: unknown backend "dovcot:/x"; did you mean "dovecot"?`},
		{"backend without a socket", "[auth]\nbackend = \"dovecot\"\n", `2:11: backend: dovecot needs the socket of its auth service, as in dovecot:/run/dovecot/auth-client`},
		{"mechanism", "[auth]\nmechanisms = [\"PLAN\", \"login\", \"LOGIN\"]\n", `2:15: mechanisms: "PLAN" is not EXTERNAL, SCRAM-SHA-256-PLUS, SCRAM-SHA-1-PLUS, SCRAM-SHA-256, SCRAM-SHA-1, OAUTHBEARER, XOAUTH2, CRAM-MD5, PLAIN or LOGIN
2:32: mechanisms: LOGIN is there twice`},
		{"mechanisms beside Dovecot's", "[auth]\nbackend = \"dovecot:/x\"\nmasters = [\"ann\"]\n", `3:1: masters is for backend = "accounts"; Dovecot has that in its own configuration`},
		{"no mechanism", "[auth]\nmechanisms = []\n", `2:1: mechanisms: there is none; without any, leave the listeners for submission out`},
		{"token service", "[auth.oauth]\nintrospect = \"http://id.example.org/x\"\njwks = \"/x\"\n", `2:14: introspect: "http://id.example.org/x": tokens are not sent where others can listen; give https
3:8: jwks: either this or introspect says whether a token is good`},
		{"tokens of nobody", "[auth.oauth]\nissuer = \"x\"\n", `1:7: [auth.oauth]: give introspect or jwks, else no token can be looked at`},
		{"senders of nobody", "[submission]\nsenders = \"/x\"\ncheck_sender = false\ncheck_from = false\n", `2:11: senders: neither check_sender nor check_from is on, so nobody looks at it`},
		{"proxies of nobody", tcp + "proxy_protocol = true\n", `3:18: proxy_protocol: nobody's is believed; name the proxies, as in proxies = ["192.0.2.1"]`},
		{"address without port", "[[listen]]\naddress = \"127.0.0.1\"\n", `2:11: address: "127.0.0.1" is not an address: the port is missing, as in 127.0.0.1:24`},
		{"address without brackets", "[[listen]]\naddress = \"::1:24\"\n", `2:11: address: "::1:24" is not an address: an IPv6 address stands in brackets, as in [::1]:24`},
		{"port", "[[listen]]\naddress = \":66666\"\n", `2:11: address: ":66666" is not an address: its port "66666" is not a number up to 65535`},
		{"port by name", "[[listen]]\naddress = \":lmtp\"\n", `2:11: address: ":lmtp" is not an address: its port "lmtp" is not a number up to 65535`},
		{"host", "[[listen]]\naddress = \"1.2.3.400:24\"\n", `2:11: address: "1.2.3.400:24" is not an address: "1.2.3.400" is neither an IP address nor a host`},
		{"bare path", "[[listen]]\naddress = \"/run/s\"\n", `2:11: address: "/run/s" is not an address; a unix socket is written unix:/run/s`},
		{"socket without path", "[[listen]]\naddress = \"unix:\"\n", `2:11: address: "unix:" has no path`},
		{"socket with tilde", "[[listen]]\naddress = \"unix:~/s\"\n", `2:11: address: ~ is not expanded here; write the whole path`},
		{"long socket", "[[listen]]\naddress = \"unix:/" + strings.Repeat("a", 110) + "\"\n", `2:11: address: the path of a unix socket has at most 103 octets, and this one 111`},
		{"same listener twice", tcp + tcp, `4:11: address: line 2 listens there already`},
		{"same socket twice", unix + "[[listen]]\naddress = \"unix:/x/../s\"\n", `4:11: address: line 2 listens there already`},
		{"mode", unix + "mode = \"0999\"\n", `3:8: mode: "0999" is not a mode such as "0660"`},
		{"mode as a number", unix + "mode = 660\n", `3:8: mode: must be a string, not an integer`},
		{"mode on TCP", tcp + "mode = \"0660\"\n", `3:1: mode is for unix sockets only, and this listener is on TCP`},
		{"peers on TCP", tcp + "peers = [\"0\"]\n", `3:1: peers is for unix sockets only, and this listener is on TCP`},
		{"unknown user", unix + "peers = [\"0\", \"no such\"]\n", `3:15: peers: there is no user "no such" on this system`},
		{"unknown owner", unix + "owner = \"no such\"\n", `3:9: owner: there is no user "no such" on this system`},
		{"unknown group", unix + "group = \"no such\"\n", `3:9: group: there is no group "no such" on this system`},
		{"proxy", unix + "proxies = [\"unxi\"]\n", `3:12: proxies: "unxi" is neither "unix" nor an address nor a network such as 192.0.2.0/24; did you mean "unix"?`},
		{"proxy with host bits", unix + "proxies = [\"192.0.2.1/24\"]\n", `3:12: proxies: 192.0.2.1/24 has bits set behind its length; write 192.0.2.0/24`},
		{"proxy nobody can be", tcp + "proxies = [\"unix\"]\n", `3:12: proxies: nobody connects to this listener by "unix"`},

		// Mailboxes.
		{"no domains", "[[mailboxes]]\naccounts = \"any\"\n", `1:3: [[mailboxes]] has no domains: give some, as in domains = ["example.org"]`},
		{"empty domains", "[[mailboxes]]\ndomains = []\n", `2:1: domains: there is none`},
		{"domain", "[[mailboxes]]\ndomains = [\"a..example\"]\n", `2:12: domains: "a..example" is not a domain`},
		{"address for a domain", "[[mailboxes]]\ndomains = [\"ann@a.example\"]\n", `2:12: domains: "ann@a.example" is not a domain: leave out the local-part and the @`},
		{"domain twice", "[[mailboxes]]\ndomains = [\"a.example\", \"A.Example\"]\n", `2:25: domains: a.example has its mailboxes in line 2 already`},
		{"domain in two blocks", box + box, `4:12: domains: a.example has its mailboxes in line 2 already`},
		{"accounts of no database", box + "accounts = \"sqlite:\"\n", `3:12: accounts: sqlite needs a path, as in sqlite:/etc/lmtpd/users.db`},
		{"accounts of a database at home", box + "accounts = \"sqlite:~/users\"\n", `3:12: accounts: ~ is not expanded here; write the whole path`},
		{"accounts of another system", box + "accounts = \"system:ldap\"\n", `3:12: accounts: "system:ldap": nothing follows system`},
		{"accounts misspelt", box + "accounts = \"sytem\"\n", `3:12: accounts: unknown kind of accounts "sytem"; did you mean "system"?`},
		{"accounts of no file", box + "accounts = \"file:\"\n", `3:12: accounts: file needs a path, as in file:/etc/lmtpd/users`},
		{"accounts at home", box + "accounts = \"file:~/users\"\n", `3:12: accounts: ~ is not expanded here; write the whole path`},
		{"accounts", box + "accounts = \"all\"\n", `3:12: accounts: unknown kind of accounts "all"`},
		{"accounts with more", box + "accounts = \"any:thing\"\n", `3:12: accounts: "any:thing": nothing follows any`},
		{"store without path", box + "store = \"sqlite:\"\n", `3:9: store: sqlite needs a path, as in sqlite:/var/lib/lmtpd/mail.db`},
		{"index of a maildir", box + "store = \"maildir:/m/%u\"\nsearch = true\n", "4:10: search: only a store in a database has an index, as in store = \"sqlite:/var/lib/lmtpd/mail.db\""},
		{"index of the default store", box + "search = true\n", "3:10: search: only a store in a database has an index, as in store = \"sqlite:/var/lib/lmtpd/mail.db\""},
		{"index of no store", box + "search = true\nstore = \"x:y\"\n", "4:9: store: unknown kind of store \"x\""},
		{"index as a word", box + "store = \"sqlite:/m.db\"\nsearch = \"yes\"\n", "4:10: search: must be true or false, not a string"},
		{"database in a home", box + "store = \"sqlite:%h/mail.db\"\n", `3:9: store: mailbox template "%h/mail.db": %h cannot be in it: a file of mailboxes does not lie in a home`},
		{"database without ending", box + "store = \"sqlite:/x/%d\"\n", `3:9: store: mailbox template "/x/%d": the files need an ending, as in /x/%d.db`},
		{"store", box + "store = \"maildri:/x/%u\"\n", `3:9: store: unknown kind of store "maildri"; did you mean "maildir"?`},
		{"store as a path", box + "store = \"/x/%u\"\n", `3:9: store: "/x/%u" names no kind of store; write maildir:/x/%u`},
		{"store without path", box + "store = \"maildir:\"\n", `3:9: store: maildir needs a path, as in maildir:/var/mail/%d/%n`},
		{"store without name", box + "store = \"maildir:/x/%d\"\n", `3:9: store: mailbox template "/x/%d": neither %u nor %n nor %h in it, so all mailboxes would be one`},
		{"store with tilde", box + "store = \"maildir:~/%u\"\n", `3:9: store: ~ is not expanded here; write the whole path`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := complain(t, tt.text); got != tt.want {
				t.Errorf("got\n\t%s\nwant\n\t%s", got, tt.want)
			}
		})
	}
}

// A mistake of one kind hides none of another.
func TestMistakesAllAtOnce(t *testing.T) {
	text := `hostnam = "a"
data = 5
[[listen]]
protcol = "lmtp
address = "::1:24"
[limits
hops = "no"
[limits]
hops = "no"
`
	want := `1:1: unknown key "hostnam"; did you mean "hostname"?
2:8: data: must be a string, not an integer
4:16: basic strings cannot have new lines
5:11: address: "::1:24" is not an address: an IPv6 address stands in brackets, as in [::1]:24
6:8: expected ']' to close table name
9:8: hops: must be an integer, not a string`
	if got := complain(t, text); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

// Nobody listens twice at one place, and a tilde is expanded in no flag.
func TestMistakesInFlagsTogether(t *testing.T) {
	_, err := overrides{listen: map[string][]string{"lmtp": {":24", "unix:/a/../s", ":24", "unix:/s"}}, data: "~/x"}.load()
	want := `lmtpd: --data: ~ is not expanded here; write the whole path
lmtpd: --lmtp: :24 is given twice
lmtpd: --lmtp: unix:/s is given twice`
	if err == nil || err.Error() != want || exitCode(err) != exUsage {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

// Flags are told after the file, and alone they are a mistake of usage.
func TestMistakesInFlags(t *testing.T) {
	_, err := overrides{listen: map[string][]string{"lmtp": {"x", ":24", "/s"}}, domains: []string{"a@b"}, store: "x:", accounts: "y"}.load()
	want := `lmtpd: --lmtp: "x" is not an address: the port is missing, as in 127.0.0.1:24
lmtpd: --lmtp: "/s" is not an address; a unix socket is written unix:/s
lmtpd: --domain: "a@b" is not a domain: leave out the local-part and the @
lmtpd: --store: unknown kind of store "x"
lmtpd: --accounts: unknown kind of accounts "y"`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if code := exitCode(err); code != exUsage {
		t.Errorf("exit code %d, want %d", code, exUsage)
	}
}
