package auth_test

import (
	"strings"
	"testing"

	"lmtpd/auth"
)

// TestDigestIdentity has names divided as the server's realms want it.
func TestDigestIdentity(t *testing.T) {
	for _, test := range []struct{ name, challenge, want string }{
		{"ann", digestNonce, `username="ann",nonce=`},
		{"ann", digestNonce + `realm=""`, `username="ann",realm="",nonce=`},
		{"ann", digestNonce + `realm="a.example",realm="b.example"`, `username="ann",realm="a.example",nonce=`},
		{"ann@example.org", digestNonce, `username="ann",realm="example.org",nonce=`},
		{"ann@example.org", digestNonce + `realm=""`, `username="ann",realm="example.org",nonce=`},
		{"ann@b.example", digestNonce + `realm="a.example",realm="B.example"`, `username="ann",realm="B.example",nonce=`},
		{"ann@example.org", digestNonce + `realm="mail"`, `username="ann@example.org",realm="mail",nonce=`},
		{"@example.org", digestNonce, `username="@example.org",nonce=`},
		{"ann@", digestNonce, `username="ann@",nonce=`},
		{`a"\n`, digestNonce + "charset = UTF-8 , , realm=\"\\\"\\\\\"", `charset=utf-8,username="a\"\\n",realm="\"\\",nonce=`},
		{"ü", digestNonce, "username=\"\xfc\",nonce="},
		{"ü", digestNonce + "charset=utf-8", `charset=utf-8,username="ü",nonce=`},
		{"ann", digestNonce + `qop="auth-int, AUTH",maxbuf=65536,cipher="rc4",unknown=x,unknown=x`, `username="ann",nonce=`},
	} {
		c := newClient(t, "DIGEST-MD5", auth.Credentials{Name: test.name, Password: "x"}, auth.Channel{Host: "mail.example.org"})
		response, err := c.Next([]byte(test.challenge))
		if err != nil || !strings.HasPrefix(string(response), test.want) || !strings.Contains(string(response), `,digest-uri="smtp/mail.example.org",`) {
			t.Errorf("%s, %s: %s, %v", test.name, test.challenge, response, err)
		}
	}
}

// RFC 2831 §2.1.2.1: what ISO 8859-1 has is hashed so, whether UTF-8 is said or not; without UTF-8 there is nothing else. The
// authorization identity is part of what is hashed.
func TestDigestText(t *testing.T) {
	respond := func(c auth.Credentials, charset string) string {
		client := auth.Fixed(newClient(t, "DIGEST-MD5", c, auth.Channel{}), "c", "smtp/x")
		response, err := client.Next([]byte(digestNonce + charset))
		if err != nil {
			return ""
		}
		_, rest, _ := strings.Cut(string(response), "response=")
		return rest
	}
	latin := auth.Credentials{Name: "ann", Password: "ü"}
	octet := auth.Credentials{Name: "ann", Password: "\xfc"}
	euro := auth.Credentials{Name: "ann", Password: "€"}
	switch {
	case respond(latin, "charset=utf-8") != respond(octet, "charset=utf-8"), respond(latin, "") != respond(octet, ""):
		t.Error("it is not hashed as ISO 8859-1")
	case respond(euro, "charset=utf-8") == "":
		t.Error("UTF-8 is not taken")
	case respond(euro, "") != "":
		t.Error("UTF-8 is sent where it is not taken")
	}
	latin.As = "tim"
	if got := respond(latin, ""); !strings.HasSuffix(got, `,qop=auth,authzid="tim"`) || got[:32] == respond(octet, "")[:32] {
		t.Errorf("as another: %s", got)
	}
}

// RFC 2831 §2.1.2: a response has less than 4096 octets.
func TestDigestTooLong(t *testing.T) {
	long := strings.Repeat(`"`, 511)
	c := newClient(t, "DIGEST-MD5", auth.Credentials{Name: long, As: long, Password: "x"}, auth.Channel{})
	if response, err := c.Next([]byte(`algorithm=md5-sess,nonce="` + strings.Repeat("x", 1950) + `"`)); err == nil {
		t.Errorf("%d octets", len(response))
	}
}
