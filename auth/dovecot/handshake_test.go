package dovecot

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth"
)

// A handshake may come in any order but for its end, and says which mechanisms there are.
func TestHandshake(t *testing.T) {
	crowd := ""
	for i := range 40 {
		crowd += fmt.Sprintf("MECH\tX-%d\n", i)
	}
	for _, test := range []struct {
		name, lines string
		want        string // the mechanisms of a channel that is not secured; "": no connection
	}{
		{"Dovecot 2.3", handshakeLines, "CRAM-MD5 SCRAM-SHA-256"},
		{"the version last", "MECH\tX\nVERSION\t1\t2\nDONE\n", "X"},
		{"a later minor version", "VERSION\t1\t4\nMECH\tX\nMECH\tX-PLUS\tchannel-binding\nMECH\tY-PLUS\nMECH\tZ\tchannel-binding\nDONE\n", "X"},
		{"with what is not known", "VERSION\t1\t2\tmore\nHELLO\n\nMECH\tX\tfunny\nDONE\tnow\n", "X"},
		{"twice", "VERSION\t1\t2\nMECH\tX\nMECH\tX\tplaintext\nDONE\n", "X"},
		{"what is no mechanism", "VERSION\t1\t2\nMECH\nMECH\t\nMECH\tX Y\nMECH\tX\x01rY\nMECH\tx\nMECH\tMORE-THAN-20-LETTERS-\nMECH\tX\nDONE\n", "X"},
		{"secret without a word", "VERSION\t1\t2\nMECH\tPLAIN\nMECH\tLOGIN\nMECH\tXOAUTH2\nMECH\tOAUTHBEARER\nMECH\tANONYMOUS\nMECH\tX\nDONE\n", "X"},
		{"a crowd", "VERSION\t1\t2\n" + crowd + "DONE\n", "X-0 X-1 X-2 X-3 X-4 X-5 X-6 X-7 X-8 X-9 X-10 X-11 X-12 X-13 X-14 X-15 X-16 X-17 X-18 X-19"},
		{"another major version", "VERSION\t2\t0\nMECH\tX\nDONE\n", ""},
		{"no version", "MECH\tX\nDONE\n", ""},
		{"half a version", "VERSION\t1\nMECH\tX\nDONE\n", ""},
		{"a version of letters", "VERSION\t1\tb\nMECH\tX\nDONE\n", ""},
		{"a major version of letters", "VERSION\tx\t2\nMECH\tX\nDONE\n", ""},
		{"no mechanism", "VERSION\t1\t2\nDONE\n", ""},
		{"none for clients here", "VERSION\t1\t2\nMECH\tAPOP\tprivate\nDONE\n", ""},
		{"no end", "VERSION\t1\t2\n" + strings.Repeat("MECH\tX\n", maxHandshake), ""},
		{"a line without end", "VERSION\t1\t2\nMECH\t" + strings.Repeat("X", maxReceived), ""},
		{"another protocol", "220 mail.example.org ESMTP\r\n", ""},
		{"nothing", "", ""},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			c := fake(t, Config{}, func(p *peer) { p.say(test.lines) })
			if got := strings.Join(c.Mechanisms(auth.Channel{}), " "); got != test.want {
				t.Errorf("%q, not %q", got, test.want)
			}
			if err := c.Ready(t.Context()); (err == nil) != (test.want != "") {
				t.Errorf("ready: %v", err)
			}
		})
	}
}

// Mechanisms are offered where they can work, in the server's order.
func TestMechanisms(t *testing.T) {
	c := scripted(t)
	for _, test := range []struct {
		channel auth.Channel
		want    []string
	}{
		{auth.Channel{}, []string{"CRAM-MD5", "SCRAM-SHA-256"}},
		{auth.Channel{Secured: true}, []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-256", "XOAUTH2", "OAUTHBEARER"}},
		{auth.Channel{Names: []string{"ann"}}, []string{"CRAM-MD5", "SCRAM-SHA-256", "EXTERNAL"}},
	} {
		if got := c.Mechanisms(test.channel); !slices.Equal(got, test.want) {
			t.Errorf("%q, not %q", got, test.want)
		}
	}
}
