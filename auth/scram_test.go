package auth_test

import (
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"lmtpd/auth"
)

// A scramClient makes the client's messages of SCRAM-SHA-1, as a test wants them.
type scramClient struct {
	header, name, password, data string
}

// run plays an exchange to its end. change may change the final message.
func (c scramClient) run(t *testing.T, e auth.Exchange, change func(string) string) (string, error) {
	t.Helper()
	bare := "n=" + c.name + ",r=client"
	challenge, _, err := e.Next(t.Context(), []byte(c.header+bare))
	if err != nil {
		return "", err
	}
	without := "c=" + base64.StdEncoding.EncodeToString([]byte(c.header+c.data)) + ",r=clientserver"
	var k auth.Key
	fill(&k, sha1.New, c.password, "SCRAM-SHA-1")
	signature := keyed(sha1.New, k.Stored, bare+","+string(challenge)+","+without)
	for i, b := range c.clientKey() {
		signature[i] ^= b
	}
	final := without + ",p=" + base64.StdEncoding.EncodeToString(signature)
	if change != nil {
		final = change(final)
	}
	if _, _, err = e.Next(t.Context(), []byte(final)); err != nil {
		return "", err
	}
	_, account, err := e.Next(t.Context(), []byte{})
	return account, err
}

func (c scramClient) clientKey() []byte {
	salted := saltedSHA1(c.password)
	return keyed(sha1.New, salted, "Client Key")
}

func TestSCRAM(t *testing.T) {
	for _, test := range []struct {
		name, mechanism string
		client          scramClient
		channel         auth.Channel
		change          func(string) string
		account         string
	}{
		{"n", "SCRAM-SHA-1", scramClient{"n,,", "user", "pencil", ""}, bound(), nil, "user"},
		{"y where there is no binding", "SCRAM-SHA-1", scramClient{"y,,", "user", "pencil", ""}, auth.Channel{}, nil, "user"},
		{"y where there is", "SCRAM-SHA-1", scramClient{"y,,", "user", "pencil", ""}, bound(), nil, ""},
		{"p", "SCRAM-SHA-1-PLUS", scramClient{"p=tls-exporter,,", "user", "pencil", "bound"}, bound(), nil, "user"},
		{"p of another channel", "SCRAM-SHA-1-PLUS", scramClient{"p=tls-exporter,,", "user", "pencil", "other"}, bound(), nil, ""},
		{"p of another kind", "SCRAM-SHA-1-PLUS", scramClient{"p=tls-unique,,", "user", "pencil", "bound"}, bound(), nil, ""},
		{"p without PLUS", "SCRAM-SHA-1", scramClient{"p=tls-exporter,,", "user", "pencil", "bound"}, bound(), nil, ""},
		{"PLUS without p", "SCRAM-SHA-1-PLUS", scramClient{"n,,", "user", "pencil", ""}, bound(), nil, ""},
		{"name with signs", "SCRAM-SHA-1", scramClient{"n,,", "a=2Cb=3Dc", "pencil", ""}, bound(), nil, "a,b=c"},
		{"bad escape", "SCRAM-SHA-1", scramClient{"n,,", "a=2c", "pencil", ""}, bound(), nil, ""},
		{"wrong password", "SCRAM-SHA-1", scramClient{"n,,", "user", "pen", ""}, bound(), nil, ""},
		{"nobody, and the decoy's password", "SCRAM-SHA-1", scramClient{"n,,", "nobody", "", ""}, bound(), nil, ""},
		{"as another", "SCRAM-SHA-1", scramClient{"n,a=ann,", "user", "pencil", ""}, bound(), nil, ""},
		{"as another who may be", "SCRAM-SHA-1", scramClient{"n,a=ann,", "admin", "root", ""}, bound(), nil, "ann"},
		{"other nonce", "SCRAM-SHA-1", scramClient{"n,,", "user", "pencil", ""}, bound(), func(s string) string { return strings.Replace(s, "clientserver", "client", 1) }, ""},
		{"no proof", "SCRAM-SHA-1", scramClient{"n,,", "user", "pencil", ""}, bound(), func(s string) string { return s[:strings.Index(s, ",p=")] }, ""},
		{"short proof", "SCRAM-SHA-1", scramClient{"n,,", "user", "pencil", ""}, bound(), func(s string) string { return s[:len(s)-8] + "AAA=" }, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			account, err := test.client.run(t, newServer("server").Begin(test.mechanism, test.channel), test.change)
			if account != test.account || (err == nil) != (test.account != "") || err != nil && !errors.Is(err, auth.ErrCredentials) {
				t.Errorf("got %q, %v", account, err)
			}
		})
	}
}

// What is no first message is refused.
func TestSCRAMFirst(t *testing.T) {
	for _, first := range []string{
		"", "n", "n,", "n,,", "n,,n=user", "n,,n=user,", "n,,n=user,r=", "n,,n=,r=x", "n,,m=x,n=user,r=x", "x,,n=user,r=x", "p=,,n=user,r=x",
		"p=a b,,n=user,r=x", "n,b=x,n=user,r=x", "n,a=,n=user,r=x", "n,,r=x,n=user", "n,,n=us\x00er,r=x", "n,,n=user,r=\x01", "n,,n=user,r=" + strings.Repeat("x", 512),
	} {
		if c, account, err := newServer("s").Begin("SCRAM-SHA-256", auth.Channel{}).Next(t.Context(), []byte(first)); !errors.Is(err, auth.ErrCredentials) {
			t.Errorf("%q: %q, %q, %v", first, c, account, err)
		}
	}
}
