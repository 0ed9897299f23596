package main

import (
	"reflect"
	"strings"
	"testing"

	"lmtpd/protocol/client"
)

const wholeRelay = `
hostname = "mail.example.org"
[relay]
server   = ["smtp://smtp.example.net:587", "smtps://[2001:db8::1]"]
user     = "me"
password_file = "/etc/lmtpd/relay.password"
auth     = "scram-sha-256"
ca       = "/etc/lmtpd/ca.pem"
connections = 5
sender_rewriting = "srs"

[[relay.route]]
sender_domains    = ["Example.ORG", "*.example.org"]
recipient_domains = ["bücher.example", "*.Bücher.example"]
server      = "smtp+unix:/run/partner"

[[relay.route]]
recipient_domains = ["partner.example"]
server      = "smtps://mx.partner.example"
fingerprint = "SHA256:00:01:02:03:04:05:06:07:08:09:0a:0B:0c:0d:0e:0f:10:11:12:13:14:15:16:17:18:19:1a:1b:1c:1d:1e:1f"
user        = "us@example.org"
token_file  = "/run/token"

[[relay.route]]
sender_domains = ["lab.example"]
server = "smtp://127.0.0.1:2525"
tls    = "opportunistic"
`

func TestConfigRelay(t *testing.T) {
	cfg := load(t, wholeRelay, overrides{})
	smarthost := func(s string) client.Address {
		a, err := client.ParseAddress(s)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	want := Relay{Hello: "mail.example.org", Rewriting: RewriteSRS, Routes: []Route{{
		Senders:     []string{"example.org", "*.example.org"},
		Recipients:  []string{"xn--bcher-kva.example", "*.xn--bcher-kva.example"},
		Servers:     []client.Address{smarthost("smtp+unix:/run/partner")},
		Connections: 10,
	}, {
		Recipients: []string{"partner.example"},
		Servers:    []client.Address{smarthost("smtps://mx.partner.example:465")},
		User:       "us@example.org", Token: "/run/token",
		Connections: 10,
	}, {
		Senders: []string{"lab.example"},
		Servers: []client.Address{smarthost("smtp://127.0.0.1:2525")},
		TLS:     RelayTLSOpportunistic, Connections: 10,
	}, {
		Servers: []client.Address{smarthost("smtp://smtp.example.net:587"), smarthost("smtps://[2001:db8::1]:465")},
		User:    "me", Password: "/etc/lmtpd/relay.password", Mechanism: "SCRAM-SHA-256", CA: "/etc/lmtpd/ca.pem",
		Connections: 5,
	}}}
	got := cfg.Relay
	for i := range want.Routes[1].Fingerprint {
		want.Routes[1].Fingerprint[i] = byte(i)
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
}

// Without [relay] there is no route, and with flags alone neither.
func TestConfigNoRelay(t *testing.T) {
	if cfg := load(t, "[log]\nlevel = \"warn\"\n", overrides{}); len(cfg.Relay.Routes) != 0 {
		t.Errorf("%+v", cfg.Relay)
	}
}

func TestMistakesRelay(t *testing.T) {
	const (
		relay = "[relay]\nserver = \"smtp://smtp.example.net:587\"\n"
		route = "[[relay.route]]\nserver = \"smtp://smtp.example.net:587\"\n"
	)
	for _, tt := range []struct{ name, text, want string }{
		{"no server", "[relay]\nuser = \"me\"\npassword_file = \"/p\"\n", `1:2: [relay] has no server: give one, as in server = "smtp://smtp.example.net:587"`},
		{"an empty table", "[relay]\n", `1:2: [relay] has no server: give one, as in server = "smtp://smtp.example.net:587"`},
		{"no server of a route", relay + "[[relay.route]]\nsender_domains = [\"a.example\"]\n", `3:9: [[relay.route]] has no server: give one, as in server = "smtp://smtp.example.net:587"`},
		{"a login without a server beside a route", route + "sender_domains = [\"a.example\"]\n[relay]\nuser = \"me\"\npassword_file = \"/p\"\n", `4:2: [relay] has no server: give one, as in server = "smtp://smtp.example.net:587"`},
		{"no servers", "[relay]\nserver = []\n", `2:1: server: there is none`},
		{"a number for a server", "[relay]\nserver = 25\n", `2:10: server: must be a list of strings, not an integer`},
		{"a server twice", "[relay]\nserver = [\"smtp://a:25\", \"smtp://b\", \"smtp://a\"]\n", `2:38: server: smtp://a:25 is there twice`},
		{"LMTP", "[relay]\nserver = \"lmtp://a\"\n", `2:10: server: "lmtp://a": a relay speaks ESMTP: write smtp://HOST:PORT, smtps://HOST:PORT or smtp+unix:PATH`},
		{"a name alone", "[relay]\nserver = \"smtp.example.net\"\n", `2:10: server: malformed server address: "smtp.example.net"`},
		{"a list of relays", "[[relay]]\nserver = \"smtp://a\"\n", `1:3: relay is not a list: write [relay] once`},
		{"one route", relay + "[relay.route]\nserver = \"smtp://b\"\n", `3:8: relay.route is a list: write [[relay.route]]`},
		{"a route for everything", route, `1:9: [[relay.route]]: give sender_domains or recipient_domains; the servers for everything else stand in [relay]`},
		{"a route for nothing", route + "sender_domains = []\n", `3:1: sender_domains: there is none`},
		{"domains of everything", relay + "sender_domains = [\"a.example\"]\n", `3:1: unknown key "sender_domains" in [relay]`},
		{"a pattern", route + "sender_domains = [\"*\", \"a.*\", \"ann@a.example\", \"*.a.example\"]\n", "3:19: sender_domains: \"*\" is not a domain\n3:24: sender_domains: \"a.*\" is not a domain\n3:31: sender_domains: \"ann@a.example\" is not a domain: leave out the local-part and the @"},
		{"hello of a route", route + "sender_domains = [\"a.example\"]\nhello = \"b.example\"\n", `4:1: unknown key "hello" in [[relay.route]]`},
		{"hello", relay + "hello = \"a b\"\n", `3:9: hello: "a b" is not a domain`},
		{"rewriting", relay + "sender_rewriting = \"sr\"\n", `3:20: sender_rewriting: "sr" is not keep or srs; did you mean "srs"?`},
		{"connections", relay + "connections = 0\n", `3:15: connections: must be at least 1`},
		{"a misspelt key", relay + "sever = 1\n", `3:1: unknown key "sever" in [relay]; did you mean "server"?`},

		{"TLS", relay + "tls = \"require\"\n", `3:7: tls: "require" is not required, opportunistic or none; did you mean "required"?`},
		{"no TLS of smtps", "[relay]\nserver = \"smtps://a\"\ntls = \"none\"\n", `3:7: tls: smtps://a:465 is with TLS from the first octet: leave it out`},
		{"TLS on a unix socket", "[relay]\nserver = \"smtp+unix:/s\"\ntls = \"required\"\n", `3:7: tls: nobody can listen on the way to smtp+unix:/s: leave it out`},
		{"a CA for nothing", relay + "tls = \"opportunistic\"\nca = \"/ca\"\n", `4:1: ca: no certificate is verified with tls = "opportunistic"`},
		{"a fingerprint for nothing", relay + "tls = \"none\"\nfingerprint = \"" + strings.Repeat("ab", 32) + "\"\n", `4:1: fingerprint: no certificate is verified with tls = "none"`},
		{"a CA beside a fingerprint", relay + "ca = \"/ca\"\nfingerprint = \"" + strings.Repeat("ab", 32) + "\"\n", `4:1: fingerprint: one certificate is believed then, whoever has signed it: leave ca out`},

		{"a user without a password", relay + "user = \"me\"\n", `3:1: user: give password_file, the file with the password, or token_file`},
		{"a password of nobody", relay + "password_file = \"/p\"\n", `3:1: password_file: give user, whose it is`},
		{"a password in the open", relay + "user = \"me\"\npassword = \"secret\"\n", "3:1: user: give password_file, the file with the password, or token_file\n4:1: unknown key \"password\" in [relay]"},
		{"a password and a token", relay + "user = \"me\"\npassword_file = \"/p\"\ntoken_file = \"/t\"\n", `5:1: token_file: either this or password_file says who user is`},
		{"a password for whoever answers", relay + "tls = \"opportunistic\"\nuser = \"me\"\npassword_file = \"/p\"\n",
			`4:1: user: with tls = "opportunistic" the secret may go to whoever answers: name a mechanism with auth, or leave tls out`},
		{"a mechanism of nobody", relay + "auth = \"PLAIN\"\n", `3:1: auth: give user and password_file, else there is nobody to log in`},
		{"a mechanism for tokens", relay + "user = \"me\"\npassword_file = \"/p\"\nauth = \"XOAUTH2\"\n", `5:8: auth: XOAUTH2 needs a token: give token_file`},
		{"a mechanism for passwords", relay + "user = \"me\"\ntoken_file = \"/t\"\nauth = \"login\"\n", `5:8: auth: LOGIN needs a password: give password_file`},
		{"EXTERNAL", relay + "auth = \"external\"\n", ``},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := complain(t, tt.text); got != tt.want {
				t.Errorf("got\n\t%s\nwant\n\t%s", got, tt.want)
			}
		})
	}
}
