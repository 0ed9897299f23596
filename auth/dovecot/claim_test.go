package dovecot

import (
	"strings"
	"testing"
	"testing/synctest"

	"lmtpd/auth"
)

// The name is where each mechanism has it, and where there is none nothing takes its place.
func TestClaimed(t *testing.T) {
	for _, test := range []struct{ mechanism, response, want string }{
		{"PLAIN", "\x00ann\x00secret", "ann"},
		{"PLAIN", "bob\x00ann\x00secret", "ann"},
		{"PLAIN", "\x00ann\x00sec\x00ret", "ann"},
		{"PLAIN", "ann\x00secret", ""},
		{"PLAIN", "secret", ""},
		{"LOGIN", "ann", "ann"},
		{"CRAM-MD5", "ann b b913a602c7eda7a495b4e6e7334d3890", "ann b"},
		{"CRAM-MD5", "secret", ""},
		{"CRAM-MD5", "a long secret", ""},
		{"CRAM-MD5", " b913a602c7eda7a495b4e6e7334d3890", ""},
		{"SCRAM-SHA-1", "n,,n=ann,r=abc", "ann"},
		{"SCRAM-SHA-256", "y,a=bob,n=a=2Cn=3D2C,r=abc", "a,n=2C"},
		{"SCRAM-SHA-256", "secret", ""},
		{"OAUTHBEARER", "n,a=ann@example.org,\x01host=x\x01auth=Bearer vF9dft4qmT\x01\x01", "ann@example.org"},
		{"OAUTHBEARER", "n,,\x01auth=Bearer vF9dft4qmT,a=no\x01\x01", ""},
		{"XOAUTH2", "user=ann\x01auth=Bearer vF9dft4qmT\x01\x01", "ann"},
		{"XOAUTH2", "auth=Bearer vF9dft4qmT\x01user=ann\x01\x01", ""},
		{"DIGEST-MD5", `charset=utf-8,username="a\"n\\n",realm="x",nonce="OA6MG9tEQGm2hh"`, `a"n\n`},
		{"DIGEST-MD5", `username="ann`, "ann"},
		{"DIGEST-MD5", `username="ann\`, `ann\`},
		{"DIGEST-MD5", "realm=x", ""},
		{"NTLM", "NTLMSSP\x00ann", ""},
	} {
		if got := claimed(test.mechanism, test.response); got != test.want {
			t.Errorf("%s %q: %q, not %q", test.mechanism, test.response, got, test.want)
		}
	}
}

// Only the response that should have the name is looked at. A password is never taken for one, and what is not text neither;
// then the name is what the server says it was.
func TestClaim(t *testing.T) {
	for _, test := range []struct {
		name      string
		responses []string // of LOGIN
		answer    string
		want      string
	}{
		{"without initial response", []string{"-", "ann", "secret"}, "FAIL", "ann"},
		{"with one", []string{"ann", "secret"}, "FAIL", "ann"},
		{"with an empty one", []string{"", "ann", "secret"}, "FAIL", "ann"},
		{"no name", []string{"-", "", "secret"}, "FAIL", ""},
		{"no text", []string{"a\nb", "secret"}, "FAIL", ""},
		{"long", []string{strings.Repeat("x", 512), "secret"}, "FAIL", ""},
		{"as the server has it", []string{"a\nb", "secret"}, "FAIL\tuser=ab", "ab"},
		{"not as the server has it", []string{"ANN", "secret"}, "FAIL\tuser=ann", "ANN"},
		{"what is no name of the server's either", []string{"a\nb", "secret"}, "FAIL\tuser=a\x01nb", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				verb, more, _ := strings.Cut(test.answer, "\t")
				c := fake(t, Config{}, func(p *peer) {
					p.shake(handshakeLines)
					for range test.responses[1:] {
						<-p.lines
						p.say("CONT\t1\t\n")
					}
					<-p.lines
					p.say(verb + "\t1\t" + more + "\n")
				})
				e := c.Begin("LOGIN", auth.Channel{Secured: true})
				got := converse(t, e, test.responses[0], test.responses[1:])
				if !strings.HasSuffix(got, refused) || e.Claimed() != test.want {
					t.Errorf("%q, claimed %q and not %q", got, e.Claimed(), test.want)
				}
			})
		})
	}
}
