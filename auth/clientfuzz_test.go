package auth_test

import (
	"strings"
	"testing"

	"lmtpd/auth"
)

// fuzzClient gives a client what a server that is a stranger may send: no panic, no secret in an error, and no success for who has
// not proven that it knows the password.
func fuzzClient(f *testing.F, mechanism string, proves bool, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte(seeds[len(seeds)-1]))
	}
	f.Add([]byte(""), []byte("\x00\xff"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		if said := string(first) + string(second); strings.Contains(said, ",i=") && !strings.Contains(said, ",i=4096") {
			return // the more rounds, the fewer tries
		}
		c := auth.Fixed(hostage(t, mechanism), "NONCE", "smtp/localhost")
		if _, err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for _, challenge := range [][]byte{first, second, second, second} {
			response, err := c.Next(challenge)
			if err != nil {
				if strings.Contains(err.Error(), "hunter2") {
					t.Fatalf("%v", err)
				}
				break
			}
			if response == nil {
				t.Fatalf("no response to %q", challenge)
			}
		}
		if r, ok := c.(auth.RefusedClient); ok && r.Refused() != nil && strings.Contains(r.Refused().Error(), "hunter2") {
			t.Fatalf("%v", r.Refused())
		}
		if err := c.Finish(); err == nil && proves {
			t.Fatalf("%q, %q prove something", first, second)
		}
	})
}

func FuzzClientSCRAM(f *testing.F) {
	fuzzClient(f, "SCRAM-SHA-1", true, "r=NONCEserver,s="+longSalt+",i=4096", "e=invalid-proof", "v=AAAA")
}

func FuzzClientDigest(f *testing.F) {
	fuzzClient(f, "DIGEST-MD5", true, digestNonce, `realm="a\"",`+digestNonce+`qop="auth,auth-int",charset=utf-8`, "rspauth=00000000000000000000000000000000")
}

func FuzzClientNTLM(f *testing.F) {
	fuzzClient(f, "NTLM", false, string(ntlmChallenge(ntlmUnicode, ntlmInfo())), string(ntlmChallenge(ntlmUnicode|ntlmExtended, nil)))
}

func FuzzClientBearer(f *testing.F) {
	fuzzClient(f, "OAUTHBEARER", false, `{"status":"invalid_token","scope":"hunter2"}`, `{"status":"401"}`)
}

func FuzzClientCRAM(f *testing.F) { fuzzClient(f, "CRAM-MD5", false, "<1@a>") }
