package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth"
)

// newClient is a client that there must be.
func newClient(t testing.TB, mechanism string, c auth.Credentials, ch auth.Channel) auth.Client {
	t.Helper()
	client, err := auth.NewClient(mechanism, c, ch)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// answer has a client answer challenges: turns[i].challenge is what comes before turns[i].response.
func answer(t *testing.T, c auth.Client, turns []turn) error {
	t.Helper()
	for i, turn := range turns {
		response, err := c.Start()
		if i > 0 || turn.challenge != none {
			response, err = c.Next([]byte(turn.challenge))
		}
		if err != nil {
			return err
		}
		if got := string(response); got != turn.response || response == nil {
			t.Errorf("turn %d: %q, want %q", i+1, got, turn.response)
		}
	}
	return c.Finish()
}

// TestClientExamples plays the client's side of examples, those of the RFCs among them.
func TestClientExamples(t *testing.T) {
	const (
		digest1 = `realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",qop="auth",algorithm=md5-sess,charset=utf-8`
		digest2 = `realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",qop="auth",algorithm=md5-sess,charset=utf-8`
	)
	chris := auth.Credentials{Name: "chris", Password: "secret"}
	user := auth.Credentials{Name: "user", Password: "pencil"}
	bearer := auth.Credentials{Name: "user@example.com", Token: "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg=="}
	for _, test := range []struct {
		name, mechanism, nonce, uri string
		credentials                 auth.Credentials
		channel                     auth.Channel
		turns                       []turn
	}{
		{"RFC 4616 §4", "PLAIN", "", "", auth.Credentials{Name: "tim", Password: "tanstaaftanstaaf"}, auth.Channel{},
			[]turn{{"\x00tim\x00tanstaaftanstaaf", none}}},
		{"RFC 4616 §4, as another", "plain", "", "", auth.Credentials{Name: "Kurt", As: "Ursel", Password: "xipj3plmq"}, auth.Channel{},
			[]turn{{"Ursel\x00Kurt\x00xipj3plmq", none}}},
		{"any prompts", "LOGIN", "", "", chris, auth.Channel{}, []turn{{"chris", ""}, {"secret", "\xff\x00User Name"}}},
		{"RFC 2195 §2", "CRAM-MD5", "", "", auth.Credentials{Name: "tim", Password: "tanstaaftanstaaf"}, auth.Channel{},
			[]turn{{"tim b913a602c7eda7a495b4e6e7334d3890", "<1896.697170952@postoffice.reston.mci.net>"}}},
		{"RFC 5802 §5", "SCRAM-SHA-1", "fyko+d2lbbFgONRv9qkxdawL", "", user, auth.Channel{}, []turn{
			{"n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL", none},
			{"c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
				"r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"},
			{"", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="}}},
		{"RFC 7677 §3", "SCRAM-SHA-256", "rOprNGfwEbeRWgbNEkqO", "", user, auth.Channel{}, []turn{
			{"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", none},
			{"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
				"r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"},
			{"", "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}}},
		{"RFC 2831 §4, IMAP", "DIGEST-MD5", "OA6MHXh6VqTrRk", "imap/elwood.innosoft.com", chris, auth.Channel{}, []turn{
			{`charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",` +
				`digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth`, digest1},
			{"", "rspauth=ea40f60335c427b5527b84dbabcdfffd"}}},
		{"RFC 2831 §4, ACAP", "DIGEST-MD5", "OA9BSuZWMSpW8m", "acap/elwood.innosoft.com", chris, auth.Channel{}, []turn{
			{`charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA9BSXrbuRhWay",nc=00000001,cnonce="OA9BSuZWMSpW8m",` +
				`digest-uri="acap/elwood.innosoft.com",response=6084c6db3fede7352c551284490fd0fc,qop=auth`, digest2},
			{"", "rspauth=2f0b3d7c3c2e486600ef710726aa2eae"}}},
		{"RFC 7628 §4.1", "OAUTHBEARER", "", "", bearer, auth.Channel{Host: "server.example.com"}, []turn{
			{"n,a=user@example.com,\x01host=server.example.com\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01", none}}},
		{"a name with signs", "OAUTHBEARER", "", "", auth.Credentials{Name: "a,b=c", Token: "x"}, auth.Channel{},
			[]turn{{"n,a=a=2Cb=3Dc,\x01auth=Bearer x\x01\x01", none}}},
		{"no name", "OAUTHBEARER", "", "", auth.Credentials{Token: "x"}, auth.Channel{}, []turn{{"n,,\x01auth=Bearer x\x01\x01", none}}},
		{"Google's", "XOAUTH2", "", "", auth.Credentials{Name: "someuser@example.com", Token: "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg"},
			auth.Channel{}, []turn{{"user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01", none}}},
		{"RFC 4422 App. A", "EXTERNAL", "", "", auth.Credentials{}, auth.Channel{}, []turn{{"", none}}},
		{"RFC 4422 App. A, as", "EXTERNAL", "", "", auth.Credentials{As: "fred@example.com"}, auth.Channel{}, []turn{{"fred@example.com", none}}},
		{"with a name", "EXTERNAL", "", "", auth.Credentials{Name: "fred"}, auth.Channel{}, []turn{{"fred", none}}},
	} {
		t.Run(test.mechanism+" "+test.name, func(t *testing.T) {
			c := auth.Fixed(newClient(t, test.mechanism, test.credentials, test.channel), test.nonce, test.uri)
			if err := answer(t, c, test.turns); err != nil {
				t.Error(err)
			}
			if _, ok := c.(auth.RefusedClient); ok && len(test.turns) == 1 {
				return // one with a token takes the next challenge for a refusal
			}
			if response, err := c.Next([]byte(test.turns[len(test.turns)-1].challenge)); err == nil {
				t.Errorf("one challenge too many: %q", response)
			}
		})
	}
}

// TestClientServer has clients log in to our own server.
func TestClientServer(t *testing.T) {
	user := auth.Credentials{Name: "user", Password: "pencil"}
	signs := auth.Credentials{Name: "a,b=c", Password: "pencil"}
	admin := auth.Credentials{Name: "admin", As: "ann", Password: "root"}
	plain := auth.Channel{Secured: true, Names: []string{"user"}}
	for _, test := range []struct {
		mechanism   string
		credentials auth.Credentials
		channel     auth.Channel // of both
		offered     []string     // as the client sees it; nil: as it is
		want        string
	}{
		{"PLAIN", user, plain, nil, "user"},
		{"PLAIN", admin, plain, nil, "ann"},
		{"PLAIN", auth.Credentials{Name: "user", As: "ann", Password: "pencil"}, plain, nil, ""},
		{"LOGIN", user, plain, nil, "user"},
		{"LOGIN", auth.Credentials{Name: "user", Password: "pen"}, plain, nil, ""},
		{"CRAM-MD5", user, plain, nil, "user"},
		{"CRAM-MD5", auth.Credentials{Name: "user", Password: "pen"}, plain, nil, ""},
		{"SCRAM-SHA-1", user, plain, nil, "user"},
		{"SCRAM-SHA-1", signs, plain, nil, "a,b=c"},
		{"SCRAM-SHA-1", admin, plain, nil, "ann"},
		{"SCRAM-SHA-256", user, plain, nil, "user"},
		{"SCRAM-SHA-256", auth.Credentials{Name: "user", Password: "pen"}, plain, nil, ""},
		{"SCRAM-SHA-256", auth.Credentials{Name: "nobody", Password: "pen"}, plain, nil, ""},
		{"SCRAM-SHA-256", user, bound(), nil, "user"},                            // by name, although -PLUS is offered
		{"SCRAM-SHA-256", user, bound(), []string{"SCRAM-SHA-256", "PLAIN"}, ""}, // somebody has taken -PLUS from the list
		{"SCRAM-SHA-1-PLUS", user, bound(), nil, "user"},
		{"SCRAM-SHA-256-PLUS", user, bound(), nil, "user"},
		{"SCRAM-SHA-256-PLUS", admin, bound(), nil, "ann"},
		{"SCRAM-SHA-256-PLUS", auth.Credentials{Name: "user", Password: "pen"}, bound(), nil, ""},
		{"EXTERNAL", auth.Credentials{}, plain, nil, "user"},
		{"EXTERNAL", auth.Credentials{As: "user"}, plain, nil, "user"},
		{"EXTERNAL", auth.Credentials{As: "ann"}, plain, nil, ""},
		{"OAUTHBEARER", auth.Credentials{Token: "token-ann"}, plain, nil, "ann"},
		{"OAUTHBEARER", auth.Credentials{Name: "ann", Token: "token-ann"}, plain, nil, "ann"},
		{"OAUTHBEARER", auth.Credentials{Name: "tim", Token: "token-ann"}, plain, nil, ""},
		{"XOAUTH2", auth.Credentials{Name: "ann", Token: "token-ann"}, plain, nil, "ann"},
		{"XOAUTH2", auth.Credentials{Name: "ann", Token: "token-tim"}, plain, nil, ""},
	} {
		s := newServer("server")
		test.channel.Offered = test.offered
		if test.offered == nil {
			test.channel.Offered = s.Mechanisms(test.channel)
		}
		c := newClient(t, test.mechanism, test.credentials, test.channel)
		account, err := logIn(t, c, s.Begin(test.mechanism, test.channel))
		if account != test.want || (err == nil) != (test.want != "") {
			t.Errorf("%s %v of %q: %q, %v", test.mechanism, test.credentials.Name, test.offered, account, err)
		}
	}
}

// logIn plays an exchange between both sides.
func logIn(t *testing.T, c auth.Client, e auth.Exchange) (string, error) {
	t.Helper()
	response, err := c.Start()
	for range 10 {
		if err != nil {
			return "", err
		}
		challenge, account, failed := e.Next(t.Context(), response)
		if account != "" {
			return account, c.Finish()
		}
		if failed != nil {
			return "", failed
		}
		response, err = c.Next(challenge)
	}
	return "", errors.New("it does not end")
}

// Without the binding of a channel, SCRAM says that it could have, but that the server could not; where the server could, or was
// not heard, it says nothing.
func TestClientBinding(t *testing.T) {
	endPoint := auth.Channel{Binding: func(kind string) ([]byte, error) {
		if kind == "tls-server-end-point" {
			return []byte("hash"), nil
		}
		return nil, errors.New("not here")
	}}
	both := auth.Channel{Binding: func(kind string) ([]byte, error) { return []byte(kind), nil }}
	user := auth.Credentials{Name: "user", Password: "pencil", As: "ann"}
	for _, test := range []struct {
		mechanism string
		channel   auth.Channel
		offered   []string
		want      string
	}{
		{"SCRAM-SHA-1", auth.Channel{}, []string{"SCRAM-SHA-1"}, "n,a=ann,"},
		{"SCRAM-SHA-1", bound(), []string{"SCRAM-SHA-1"}, "y,a=ann,"},
		{"SCRAM-SHA-1", bound(), []string{"SCRAM-SHA-1", "scram-sha-1-plus"}, "n,a=ann,"},
		{"SCRAM-SHA-1", bound(), []string{"SCRAM-SHA-1", "SCRAM-SHA-512-PLUS"}, "n,a=ann,"},
		{"SCRAM-SHA-1", bound(), nil, "n,a=ann,"},
		{"SCRAM-SHA-1-PLUS", bound(), nil, "p=tls-exporter,a=ann,"},
		{"SCRAM-SHA-1-PLUS", both, nil, "p=tls-exporter,a=ann,"},
		{"SCRAM-SHA-1-PLUS", endPoint, nil, "p=tls-server-end-point,a=ann,"},
	} {
		test.channel.Offered = test.offered
		if first, err := newClient(t, test.mechanism, user, test.channel).Start(); err != nil || !strings.HasPrefix(string(first), test.want+"n=user,r=") {
			t.Errorf("%s of %q: %q, %v", test.mechanism, test.offered, first, err)
		}
	}
}

// TestClientUnusable has credentials that a mechanism cannot be used with.
func TestClientUnusable(t *testing.T) {
	for _, test := range []struct {
		mechanism   string
		credentials auth.Credentials
		channel     auth.Channel
	}{
		{"KERBEROS_V4", auth.Credentials{Name: "user", Password: "pencil"}, bound()},
		{"", auth.Credentials{Name: "user", Password: "pencil"}, bound()},
		{"PLAIN", auth.Credentials{Name: "user", Token: "pencil"}, bound()},
		{"PLAIN", auth.Credentials{Password: "pencil"}, bound()},
		{"PLAIN", auth.Credentials{Name: "us\x00er", Password: "pencil"}, bound()},
		{"PLAIN", auth.Credentials{Name: "user", Password: "pen\x00cil"}, bound()},
		{"PLAIN", auth.Credentials{Name: "user", As: "an\x00n", Password: "pencil"}, bound()},
		{"LOGIN", auth.Credentials{Name: "us\r\ner", Password: "pencil"}, bound()},
		{"LOGIN", auth.Credentials{Name: "user", As: "ann", Password: "pencil"}, bound()},
		{"CRAM-MD5", auth.Credentials{Name: "user", As: "ann", Password: "pencil"}, bound()},
		{"NTLM", auth.Credentials{Name: "user", As: "ann", Password: "pencil"}, bound()},
		{"NTLM", auth.Credentials{Name: `DOMAIN\`, Password: "pencil"}, bound()},
		{"NTLM", auth.Credentials{Name: "user", Password: "pencil\xff"}, bound()},
		{"SCRAM-SHA-1", auth.Credentials{Name: strings.Repeat("x", 512), Password: "pencil"}, bound()},
		{"SCRAM-SHA-1-PLUS", auth.Credentials{Name: "user", Password: "pencil"}, auth.Channel{Secured: true}},
		{"OAUTHBEARER", auth.Credentials{Name: "user", Password: "pencil"}, bound()},
		{"OAUTHBEARER", auth.Credentials{Token: "pencil\x01auth=pencil"}, bound()},
		{"OAUTHBEARER", auth.Credentials{Name: "us\x01er", Token: "pencil"}, bound()},
		{"XOAUTH2", auth.Credentials{Token: "pencil"}, bound()},
		{"EXTERNAL", auth.Credentials{As: "an\x00n"}, bound()},
	} {
		c, err := auth.NewClient(test.mechanism, test.credentials, test.channel)
		if c != nil || err == nil || strings.Contains(err.Error(), "pencil") {
			t.Errorf("%s %q: %v, %v", test.mechanism, test.credentials, c, err)
		}
	}
}

func TestChoose(t *testing.T) {
	all := []string{"LOGIN", "PLAIN", "plain", "NTLM", "GSSAPI", "cram-md5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "Scram-Sha-1-Plus",
		"SCRAM-SHA-256-PLUS", "SCRAM-SHA-512", "XOAUTH2", "OAUTHBEARER", "EXTERNAL", "ANONYMOUS", ""}
	for _, test := range []struct {
		name        string
		credentials auth.Credentials
		channel     auth.Channel
		want        string
	}{
		{"password, TLS", auth.Credentials{Name: "ann", Password: "x"}, bound(),
			"SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 NTLM PLAIN LOGIN"},
		{"password, unix socket", auth.Credentials{Name: "ann", Password: "x"}, auth.Channel{Secured: true},
			"SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5 NTLM PLAIN LOGIN"},
		{"password, others listen", auth.Credentials{Name: "ann", Password: "x"}, auth.Channel{}, "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 CRAM-MD5"},
		{"as another", auth.Credentials{Name: "ann", As: "tim", Password: "x"}, auth.Channel{Secured: true}, "SCRAM-SHA-256 SCRAM-SHA-1 DIGEST-MD5 PLAIN"},
		{"token", auth.Credentials{Name: "ann", Token: "x"}, bound(), "OAUTHBEARER XOAUTH2"},
		{"token without a name", auth.Credentials{Token: "x"}, bound(), "OAUTHBEARER"},
		{"token, others listen", auth.Credentials{Name: "ann", Token: "x"}, auth.Channel{}, ""},
		{"nothing", auth.Credentials{}, auth.Channel{}, "EXTERNAL"},
		{"a name alone", auth.Credentials{Name: "ann"}, bound(), "EXTERNAL"},
		{"password without a name", auth.Credentials{Password: "x"}, bound(), ""},
	} {
		if got := strings.Join(auth.Choose(all, test.credentials, test.channel), " "); got != test.want {
			t.Errorf("%s: %s", test.name, got)
		}
	}
	if got := auth.Choose([]string{"SCRAM-SHA-256-PLUS", "login"}, auth.Credentials{Name: "ann", Password: "x"}, auth.Channel{Secured: true}); !slices.Equal(got, []string{"LOGIN"}) {
		t.Errorf("-PLUS without a binding: %q", got)
	}
}
