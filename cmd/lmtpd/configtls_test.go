package main

import (
	"reflect"
	"strings"
	"testing"

	"lmtpd/protocol/server/certificate"
)

// readTLSAlone reads a configuration that has nothing but certificates, and returns the complaints too.
func readTLSAlone(text string) (c TLS, complaints string) {
	r := &report{file: "f"}
	t := parseDocument([]byte(text), r)
	readTLS(&c, t.section("tls"))
	t.done()
	if err := r.err(); err != nil {
		complaints = strings.ReplaceAll(err.Error(), "f:", "")
	}
	return c, complaints
}

func TestConfigTLS(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want TLS
	}{
		"nothing": {"", TLS{}},
		"empty":   {"[tls]\n", TLS{}},
		"one":     {"[tls]\ncertificate = \"/c.pem\"\nkey = \"/k.pem\"\n", TLS{Certificates: []certificate.Pair{{Certificate: "/c.pem", Key: "/k.pem"}}}},
		"one file": {"[tls]\ncertificate = \"/c.pem\"\nkey = \"/c.pem\"\n",
			TLS{Certificates: []certificate.Pair{{Certificate: "/c.pem", Key: "/c.pem"}}}},
		"more": {"[tls]\ncertificate = \"a\"\nkey = \"b\"\n[[tls.certificates]]\ncertificate = \"c\"\nkey = \"d\"\n[[tls.certificates]]\nkey = \"f\"\ncertificate = \"e\"\n",
			TLS{Certificates: []certificate.Pair{{Certificate: "a", Key: "b"}, {Certificate: "c", Key: "d"}, {Certificate: "e", Key: "f"}}}},
		"only more": {"[[tls.certificates]]\ncertificate = \"c\"\nkey = \"d\"\n", TLS{Certificates: []certificate.Pair{{Certificate: "c", Key: "d"}}}},
		"inline": {"tls = {certificates = [{certificate = \"c\", key = \"d\"}]}\n",
			TLS{Certificates: []certificate.Pair{{Certificate: "c", Key: "d"}}}},
		"CA":          {"[tls]\nca = \"/ca.pem\"\n", TLS{CA: "/ca.pem", Client: certificate.ClientRequest}},
		"CA, none":    {"[tls]\nca = \"/ca.pem\"\nclient = \"none\"\n", TLS{CA: "/ca.pem"}},
		"CA, request": {"[tls]\nca = \"/ca.pem\"\nclient = \"request\"\n", TLS{CA: "/ca.pem", Client: certificate.ClientRequest}},
		"CA, require": {"[tls]\nclient = \"require\"\nca = \"/ca.pem\"\n", TLS{CA: "/ca.pem", Client: certificate.ClientRequire}},
	} {
		if got, complaints := readTLSAlone(tt.text); !reflect.DeepEqual(got, tt.want) || complaints != "" {
			t.Errorf("%s: %+v, want %+v\n%s", name, got, tt.want, complaints)
		}
	}
}

func TestConfigTLSMistakes(t *testing.T) {
	const one, more = "[tls]\ncertificate = \"a\"\nkey = \"b\"\n", "[[tls.certificates]]\n"
	for _, tt := range []struct{ name, text, want string }{
		{"no key", "[tls]\ncertificate = \"a\"\n", `2:1: certificate: its key is missing: give key, which may be the same file`},
		{"no certificate", "[tls]\nkey = \"a\"\n", `2:1: key: its certificate is missing: give certificate, which may be the same file`},
		{"empty key", "[tls]\ncertificate = \"a\"\nkey = \"\"\n", `3:7: key: is empty`},
		{"key with tilde", "[tls]\ncertificate = \"a\"\nkey = \"~/b\"\n", `3:7: key: ~ is not expanded here; write the whole path`},
		{"number for a path", "[tls]\ncertificate = 1\nkey = \"b\"\n", `2:15: certificate: must be a string, not an integer`},
		{"no key of another", one + more + "certificate = \"c\"\n", `5:1: certificate: its key is missing: give key, which may be the same file`},
		{"nothing of another", one + more, `4:7: [[tls.certificates]] has no certificate: give one, with its key`},
		{"twice", one + more + "certificate = \"a\"\nkey = \"c\"\n", `5:15: certificate: line 2 has it already`},
		{"unknown key", "[tls]\ncertficate = \"a\"\n", `2:1: unknown key "certficate" in [tls]; did you mean "certificate"?`},
		{"unknown key of another", one + more + "certificate = \"c\"\nkeys = \"d\"\n",
			"5:1: certificate: its key is missing: give key, which may be the same file\n6:1: unknown key \"keys\" in [[tls.certificates]]; did you mean \"key\"?"},
		{"table for a list", "[tls.certificates]\ncertificate = \"a\"\n", `1:6: tls.certificates is a list: write [[tls.certificates]]`},
		{"strings for a list", "[tls]\ncertificates = [\"a\"]\n", `2:17: certificates: must be a list of tables, not a string`},
		{"list for a table", "[[tls]]\ncertificate = \"a\"\n", `1:3: tls is not a list: write [tls] once`},
		{"client", "[tls]\nclient = \"required\"\n", `2:10: client: "required" is not none, request or require; did you mean "require"?`},
		{"request without CA", "[tls]\nclient = \"request\"\n", `2:10: client: request needs a ca, which the certificates of clients must lead to`},
		{"require without CA", "[tls]\nclient = \"require\"\n", `2:10: client: require needs a ca, which the certificates of clients must lead to`},
		{"require with a bad CA", "[tls]\nclient = \"require\"\nca = \"\"\n", `3:6: ca: is empty`},
		{"all at once", "[tls]\ncertificate = \"a\"\nclient = \"require\"\nport = 1\n",
			"2:1: certificate: its key is missing: give key, which may be the same file\n" +
				"3:10: client: require needs a ca, which the certificates of clients must lead to\n4:1: unknown key \"port\" in [tls]"},
		{"syntax", "[tls]\ncertificate = \"a\nkey = \"b\"\n", `2:17: basic strings cannot have new lines`},
	} {
		if _, got := readTLSAlone(tt.text); got != tt.want {
			t.Errorf("%s:\n%s\nwant\n%s", tt.name, got, tt.want)
		}
	}
}
