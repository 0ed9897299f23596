package auth_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"lmtpd/auth"
)

const (
	digestNonce = `nonce="n",algorithm=md5-sess,`
	longSalt    = "QSXCR+Q6sek8bf92"
)

// TestHostileServer has servers that are not to be believed, or not to be answered. An error is to come at the last challenge, or
// when the server says that the exchange has succeeded.
func TestHostileServer(t *testing.T) {
	forged := base64.StdEncoding.EncodeToString([]byte(strings.Repeat("x", 20)))
	good := "r=NONCEserver,s=" + longSalt + ",i=4096"
	for _, test := range []struct {
		mechanism, name string
		challenges      []string // after the initial response, if there is one
		atEnd           bool
	}{
		{"PLAIN", "asks again", []string{""}, false},
		{"LOGIN", "asks for ever", []string{"Username:", "Password:", "PIN:"}, false},
		{"LOGIN", "knows at once", []string{"Username:"}, true},
		{"CRAM-MD5", "asks for nothing", []string{""}, false},
		{"CRAM-MD5", "asks twice", []string{"<1@a>", "<2@a>"}, false},
		{"CRAM-MD5", "does not ask", nil, true},
		{"EXTERNAL", "asks again", []string{""}, false},
		{"NTLM", "garbage", []string{"\xff\xfe"}, false},
		{"NTLM", "says only that it is there", []string{"NTLM supported"}, false},
		{"NTLM", "our own message", []string{"NTLMSSP\x00\x01\x00\x00\x00" + strings.Repeat("\x01", 40)}, false},
		{"NTLM", "pairs without an end", []string{string(ntlmChallenge(ntlmUnicode, ntlmInfo()[:32]))}, false},
		{"NTLM", "a pair too long", []string{string(ntlmChallenge(ntlmUnicode, []byte{1, 0, 9, 0, 0, 0, 0, 0}))}, false},
		{"NTLM", "a time too short", []string{string(ntlmChallenge(ntlmUnicode, ntlmInfo(7, 0, 1, 0, 1)))}, false},
		{"NTLM", "info that is not there", []string{string(ntlmChallenge(ntlmUnicode, ntlmInfo())[:60])}, false},
		{"NTLM", "info too long", []string{string(ntlmChallenge(ntlmUnicode, append(make([]byte, 40000), ntlmInfo()...)))}, false},
		{"NTLM", "another alphabet", []string{string(ntlmChallenge(2, ntlmInfo()))}, false},
		{"NTLM", "asks twice", []string{string(ntlmChallenge(ntlmUnicode, nil)), string(ntlmChallenge(ntlmUnicode, nil))}, false},
		{"NTLM", "does not ask", nil, true},
		{"SCRAM-SHA-1", "garbage", []string{"\xff"}, false},
		{"SCRAM-SHA-1", "empty", []string{""}, false},
		{"SCRAM-SHA-1", "our own message", []string{"n,,n=user,r=NONCE"}, false},
		{"SCRAM-SHA-1", "another nonce", []string{"r=server,s=" + longSalt + ",i=4096"}, false},
		{"SCRAM-SHA-1", "our nonce alone", []string{"r=NONCE,s=" + longSalt + ",i=4096"}, false},
		{"SCRAM-SHA-1", "a nonce with a NUL", []string{"r=NONCE\x00,s=" + longSalt + ",i=4096"}, false},
		{"SCRAM-SHA-1", "no salt", []string{"r=NONCEserver,s=,i=4096"}, false},
		{"SCRAM-SHA-1", "bad salt", []string{"r=NONCEserver,s=====,i=4096"}, false},
		{"SCRAM-SHA-1", "no rounds", []string{"r=NONCEserver,s=" + longSalt}, false},
		{"SCRAM-SHA-1", "one round", []string{"r=NONCEserver,s=" + longSalt + ",i=1"}, false},
		{"SCRAM-SHA-1", "too many rounds", []string{"r=NONCEserver,s=" + longSalt + ",i=2000001"}, false},
		{"SCRAM-SHA-1", "far too many rounds", []string{"r=NONCEserver,s=" + longSalt + ",i=99999999999999999999"}, false},
		{"SCRAM-SHA-1", "fewer than no rounds", []string{"r=NONCEserver,s=" + longSalt + ",i=-4096"}, false},
		{"SCRAM-SHA-1", "mandatory extension", []string{"m=x," + good}, false},
		{"SCRAM-SHA-1", "does not prove itself", []string{good}, true},
		{"SCRAM-SHA-1", "proves nothing", []string{good, ""}, false},
		{"SCRAM-SHA-1", "empty proof", []string{good, "v="}, false},
		{"SCRAM-SHA-1", "short proof", []string{good, "v=AAAA"}, false},
		{"SCRAM-SHA-1", "forged proof", []string{good, "v=" + forged}, false},
		{"SCRAM-SHA-1", "asks again", []string{good, good}, false},
		{"SCRAM-SHA-1", "proof at once", []string{"v=" + forged}, false},
		{"SCRAM-SHA-1", "does not ask", nil, true},
		{"SCRAM-SHA-1", "fails and succeeds", []string{good, "e=invalid-proof"}, true},
		{"SCRAM-SHA-1", "fails at once and succeeds", []string{"e=unknown-user"}, true},
		{"SCRAM-SHA-1", "fails and goes on", []string{good, "e=invalid-proof", "v=" + forged}, false},
		{"DIGEST-MD5", "garbage", []string{"\xff"}, false},
		{"DIGEST-MD5", "empty", []string{""}, false},
		{"DIGEST-MD5", "no nonce", []string{`algorithm=md5-sess`}, false},
		{"DIGEST-MD5", "two nonces", []string{`nonce="n",nonce="m",algorithm=md5-sess`}, false},
		{"DIGEST-MD5", "no algorithm", []string{`nonce="n"`}, false},
		{"DIGEST-MD5", "another algorithm", []string{`nonce="n",algorithm=md5`}, false},
		{"DIGEST-MD5", "another alphabet", []string{digestNonce + `charset=koi8-r`}, false},
		{"DIGEST-MD5", "a security layer", []string{digestNonce + `qop="auth-int,auth-conf"`}, false},
		{"DIGEST-MD5", "an open quote", []string{digestNonce + `realm="x`}, false},
		{"DIGEST-MD5", "an open escape", []string{digestNonce + `realm="x\`}, false},
		{"DIGEST-MD5", "nothing between", []string{`nonce="n"algorithm=md5-sess`}, false},
		{"DIGEST-MD5", "no value", []string{digestNonce + `realm=`}, false},
		{"DIGEST-MD5", "too long", []string{digestNonce + `x="` + strings.Repeat("x", 2048) + `"`}, false},
		{"DIGEST-MD5", "does not prove itself", []string{digestNonce}, true},
		{"DIGEST-MD5", "proves nothing", []string{digestNonce, ""}, false},
		{"DIGEST-MD5", "forged proof", []string{digestNonce, "rspauth=00000000000000000000000000000000"}, false},
		{"DIGEST-MD5", "asks again", []string{digestNonce, digestNonce}, false},
		{"DIGEST-MD5", "does not ask", nil, true},
		{"OAUTHBEARER", "refuses and succeeds", []string{`{"status":"invalid_token"}`}, true},
		{"OAUTHBEARER", "refuses for ever", []string{`{"status":"invalid_token"}`, ""}, false},
		{"XOAUTH2", "refuses for ever", []string{"", ""}, false},
	} {
		t.Run(test.mechanism+" "+test.name, func(t *testing.T) {
			c := hostage(t, test.mechanism)
			auth.Fixed(c, "NONCE", "smtp/localhost")
			_, err := c.Start()
			for i, challenge := range test.challenges {
				if err != nil {
					t.Fatalf("challenge %d: %v", i, err)
				}
				_, err = c.Next([]byte(challenge))
			}
			if test.atEnd {
				if err != nil {
					t.Fatal(err)
				}
				err = c.Finish()
			}
			if err == nil || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%v", err)
			}
		})
	}
}

// hostage is a client with a secret that nobody is to hear.
func hostage(t testing.TB, mechanism string) auth.Client {
	credentials := auth.Credentials{Name: "user", Password: "hunter2"}
	switch mechanism {
	case "OAUTHBEARER", "XOAUTH2":
		credentials = auth.Credentials{Name: "user", Token: "hunter2"}
	case "EXTERNAL":
		credentials = auth.Credentials{}
	}
	return newClient(t, mechanism, credentials, bound())
}

// RFC 7628 §3.2.3, RFC 5802 §7: why a server refuses is told, but no secret with it, and nothing that only looks like a reason.
func TestRefusedClient(t *testing.T) {
	const good = "r=NONCEserver,s=" + longSalt + ",i=4096"
	for _, test := range []struct {
		mechanism  string
		challenges []string
		answer     string
		want       string
	}{
		{"OAUTHBEARER", []string{`{"status":"invalid_token","schemes":"bearer","scope":"smtp.send"}`}, "\x01", `the token is refused, status "invalid_token", scope "smtp.send"`},
		{"OAUTHBEARER", []string{`{"status":"invalid_token","scope":"hunter2 x"}`}, "\x01", `the token is refused, status "invalid_token"`},
		{"OAUTHBEARER", []string{"\xff"}, "\x01", "the token is refused"},
		{"XOAUTH2", []string{`{"status":"401","schemes":"bearer","scope":"https://mail.google.com/"}`}, "", `the token is refused, status "401", scope "https://mail.google.com/"`},
		{"XOAUTH2", []string{`{"status":401}`}, "", "the token is refused"},
		{"XOAUTH2", []string{`{"status":"\u001b[2J"}`}, "", "the token is refused"},
		{"SCRAM-SHA-1", []string{good, "e=invalid-proof"}, "", "the server says invalid-proof"},
		{"SCRAM-SHA-1", []string{"e=unknown-user,x=y"}, "", "the server says unknown-user"},
		{"SCRAM-SHA-1", []string{"e=hunter2"}, "", "the server says that it has failed"},
	} {
		c, ok := auth.Fixed(hostage(t, test.mechanism), "NONCE", "").(auth.RefusedClient)
		if !ok {
			t.Errorf("%s never tells", test.mechanism)
			continue
		}
		if c.Refused() != nil {
			t.Errorf("%s: refused before it was", test.mechanism)
		}
		var answer []byte
		var err error
		for _, challenge := range test.challenges {
			answer, err = c.Next([]byte(challenge))
		}
		if err != nil || answer == nil || string(answer) != test.answer || c.Refused() == nil || c.Refused().Error() != test.want {
			t.Errorf("%s %q: %q, %v; %v", test.mechanism, test.challenges, answer, err, c.Refused())
		}
	}
}
