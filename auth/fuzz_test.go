package auth_test

import (
	"bytes"
	"errors"
	"testing"

	"lmtpd/auth"
)

// fuzz gives a mechanism's exchange what a stranger may send: no panic, and nobody is let in who has not said a secret.
func fuzz(f *testing.F, mechanism string, seeds ...string) {
	for _, s := range seeds {
		f.Add([]byte(s), []byte(""), true)
	}
	f.Add([]byte("\x00\xff,,=,="), []byte("c=biws,r=xs,p="), false)
	f.Fuzz(func(t *testing.T, first, second []byte, initial bool) {
		e := newServer("s").Begin(mechanism, bound("nobody", "tim"))
		responses := [][]byte{nil, first, second, {}, {}}
		if initial {
			responses = responses[1:]
		}
		for _, r := range responses {
			_, account, err := e.Next(t.Context(), r)
			switch {
			case mechanism == "EXTERNAL" && account == "tim":
				return
			case account != "" && !secret(first) && !secret(second):
				t.Fatalf("%q is let in by %q, %q", account, first, second)
			case account != "":
				return
			case err != nil && !errors.Is(err, auth.ErrCredentials) && !errors.Is(err, errLater):
				t.Fatalf("%v", err)
			case err != nil:
				return
			}
			_ = e.Claimed()
		}
	})
}

// secret says whether there is one in what was said. SCRAM's and CRAM-MD5's cannot be found by chance.
func secret(said []byte) bool {
	for name, password := range known {
		for _, s := range []string{password, "token-" + name} {
			if bytes.Contains(said, []byte(s)) {
				return true
			}
		}
	}
	return false
}

func FuzzPlain(f *testing.F)       { fuzz(f, "PLAIN", "\x00ann\x00secret", "tim\x00admin\x00root") }
func FuzzLogin(f *testing.F)       { fuzz(f, "LOGIN", "ann") }
func FuzzCRAM(f *testing.F)        { fuzz(f, "CRAM-MD5", "tim b913a602c7eda7a495b4e6e7334d3890") }
func FuzzSCRAMSHA1(f *testing.F)   { fuzz(f, "SCRAM-SHA-1", "n,,n=user,r=x", "n,a=ann,n=a=2Cb,r=x") }
func FuzzSCRAMSHA256(f *testing.F) { fuzz(f, "SCRAM-SHA-256", "n,,n=user,r=x", "y,,n=user,r=x") }
func FuzzSCRAMPlus(f *testing.F)   { fuzz(f, "SCRAM-SHA-256-PLUS", "p=tls-exporter,,n=user,r=x") }
func FuzzExternal(f *testing.F)    { fuzz(f, "EXTERNAL", "", "ann") }
func FuzzOAuthBearer(f *testing.F) {
	fuzz(f, "OAUTHBEARER", "n,a=ann,\x01auth=Bearer token-ann\x01\x01")
}
func FuzzXOAuth2(f *testing.F) { fuzz(f, "XOAUTH2", "user=ann\x01auth=Bearer token-ann\x01\x01") }
