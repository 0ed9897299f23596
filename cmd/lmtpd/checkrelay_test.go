package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"text/tabwriter"
)

// What check tells of a relay, whole, but for the files' directory.
func TestCheckRelay(t *testing.T) {
	dir := t.TempDir()
	for name, mode := range map[string]os.FileMode{"mine": 0o600, "everybody's": 0o644} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("secret\n"), mode); err != nil {
			t.Fatal(err)
		}
	}
	const some = `
[[relay.route]]
sender_domains    = ["example.org"]
recipient_domains = ["partner.example", "*.partner.example"]
server        = ["smtp+unix:/run/partner", "smtps://mx.partner.example"]
user          = "us"
password_file = "DIR/everybody's"
auth          = "PLAIN"
[[relay.route]]
recipient_domains = ["lab.example"]
server = "smtp://127.0.0.1"
tls    = "none"
auth   = "EXTERNAL"
[[relay.route]]
recipient_domains = ["old.example"]
server      = "smtp://mx.old.example"
tls         = "opportunistic"
connections = 1
`
	const all = `
[relay]
server           = "smtp://smtp.example.net:587"
hello            = "mail.example.org"
user             = "me"
password_file    = "DIR/mine"
sender_rewriting = "srs"
`
	const someMeans = `relay           from senders at example.org for recipients at partner.example, *.partner.example
  server        smtp+unix:/run/partner, in plaintext on this host
  else          smtps://mx.partner.example:465, with TLS from the first octet; its certificate must have that name, and be by an authority of this system
  login         us with PLAIN and nothing else; DIR/everybody's, mode 0644: everybody on this host can read it
  connections   10 to one server at once
relay           for recipients at lab.example
  server        smtp://127.0.0.1:25, in plaintext: others can listen
  login         EXTERNAL and nothing else
  connections   10 to one server at once
relay           for recipients at old.example
  server        smtp://mx.old.example:25, with STARTTLS where it is offered, to whoever answers; else in plaintext
  login         none
  connections   1 to one server at once
`
	const allMeans = `relay           for all recipients that are not here
  server        smtp://smtp.example.net:587, with STARTTLS; its certificate must have that name, and be by an authority of this system
  login         me with the strongest mechanism that both know; DIR/mine, mode 0600
  connections   10 to one server at once
`
	for _, tt := range []struct{ name, text, want string }{
		{"none", "", ""},
		{"some", "hostname = \"a.example\"" + some, someMeans + "relay           nothing else: other recipients that are not here are refused\n" +
			"relay hello     a.example\nforwarded mail  keeps its reverse-path\n"},
		{"all", some + all, someMeans + allMeans + "relay hello     mail.example.org\nforwarded mail  has its reverse-path rewritten (SRS)\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cfg := load(t, strings.ReplaceAll(tt.text, "DIR", dir), overrides{})
			var out bytes.Buffer
			w := tabwriter.NewWriter(&out, 0, 8, 2, ' ', 0)
			printer{w}.relay(cfg.Relay)
			w.Flush()
			if got := strings.ReplaceAll(out.String(), dir, "DIR"); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
			if err := checkRelay(cfg); err != nil {
				t.Error(err)
			}
		})
	}
}

// Mistakes in the files of a relay are told, all of them, and none of what is in the files.
func TestCheckRelayFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "\n", "two": "secret\nsecret\n", "good": "secret\r\n"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const route = "[[relay.route]]\nserver = \"smtp://a\"\nsender_domains = [\"a.example\"]\nuser = \"me\"\n"
	cfg := load(t, strings.ReplaceAll(
		route+"password_file = \"DIR/empty\"\n"+
			route+"password_file = \"DIR/two\"\n"+
			route+"token_file = \"DIR/none\"\n"+
			route+"password_file = \"DIR/good\"\nca = \"DIR/good\"\n"+
			route+"password_file = \"DIR/good\"\n", "DIR", dir), overrides{})
	want := `relay: DIR/empty: the password is empty
DIR/two: the password has more than one line
open DIR/none: no such file or directory
DIR/good: there is no certificate in PEM in it`
	err := checkRelay(cfg)
	if err == nil || strings.ReplaceAll(err.Error(), dir, "DIR") != want || exitCode(err) != exConfig {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
	if r := cfg.Relay.Routes[4]; r.Password != "" {
		if c, err := r.credentials(); err != nil || c.Password != "secret" || c.Name != "me" {
			t.Errorf("credentials %q, %v", c.Name, err)
		}
	}
}
