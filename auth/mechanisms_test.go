package auth_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lmtpd/auth"
)

const invalidToken = `{"status":"invalid_token"}`

// TestMechanisms plays exchanges that succeed, those of the RFCs among them.
func TestMechanisms(t *testing.T) {
	const (
		cram   = "<1896.697170952@postoffice.reston.mci.net>"
		first1 = "n=user,r=fyko+d2lbbFgONRv9qkxdawL"
		reply1 = "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096"
		final1 = "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts="
	)
	for _, test := range []struct {
		name, mechanism, nonce string
		channel                auth.Channel
		turns                  []turn
		account                string
	}{
		{"RFC 4616 §4", "PLAIN", "", bound(), []turn{{"\x00tim\x00tanstaaftanstaaf", ""}}, "tim"},
		{"asked", "PLAIN", "", bound(), []turn{{none, ""}, {"\x00tim\x00tanstaaftanstaaf", ""}}, "tim"},
		{"as itself", "PLAIN", "", bound(), []turn{{"tim\x00tim\x00tanstaaftanstaaf", ""}}, "tim"},
		{"as another", "PLAIN", "", bound(), []turn{{"ann\x00admin\x00root", ""}}, "ann"},
		{"LOGIN", "LOGIN", "", bound(), []turn{{none, "Username:"}, {"ann", "Password:"}, {"secret", ""}}, "ann"},
		{"LOGIN with the name at once", "LOGIN", "", bound(), []turn{{"ann", "Password:"}, {"secret", ""}}, "ann"},
		{"RFC 2195 §2", "CRAM-MD5", "1896", auth.Channel{}, []turn{{none, cram}, {"tim b913a602c7eda7a495b4e6e7334d3890", ""}}, "tim"},
		{"in capitals", "CRAM-MD5", "1896", auth.Channel{}, []turn{{none, cram}, {"tim B913A602C7EDA7A495B4E6E7334D3890", ""}}, "tim"},
		{"RFC 5802 §5", "SCRAM-SHA-1", "3rfcNHYJY1ZVvWVs7j", auth.Channel{},
			[]turn{{"n,," + first1, reply1}, {final1, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="}, {"", ""}}, "user"},
		{"asked", "SCRAM-SHA-1", "3rfcNHYJY1ZVvWVs7j", auth.Channel{},
			[]turn{{none, ""}, {"n,," + first1, reply1}, {final1, "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="}, {"", ""}}, "user"},
		{"RFC 7677 §3", "SCRAM-SHA-256", "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0", auth.Channel{}, []turn{
			{"n,,n=user,r=rOprNGfwEbeRWgbNEkqO", "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"},
			{"c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
				"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="}, {"", ""}}, "user"},
		{"certificate", "EXTERNAL", "", bound("nobody", "ann"), []turn{{"", ""}}, "ann"},
		{"certificate, asked", "EXTERNAL", "", bound("ann"), []turn{{none, ""}, {"", ""}}, "ann"},
		{"certificate, as itself", "EXTERNAL", "", bound("ann"), []turn{{"ann", ""}}, "ann"},
		{"certificate, as another", "EXTERNAL", "", bound("admin"), []turn{{"tim", ""}}, "tim"},
		{"RFC 7628 §4.1", "OAUTHBEARER", "", bound(), []turn{
			{"n,a=ann,\x01host=server.example.com\x01port=143\x01auth=Bearer token-ann\x01\x01", ""}}, "ann"},
		{"no name", "OAUTHBEARER", "", bound(), []turn{{none, ""}, {"n,,\x01auth=bearer token-ann\x01\x01", ""}}, "ann"},
		{"XOAUTH2", "XOAUTH2", "", bound(), []turn{{"user=ann\x01auth=Bearer token-ann\x01\x01", ""}}, "ann"},
	} {
		t.Run(test.mechanism+" "+test.name, func(t *testing.T) {
			s := newServer(test.nonce)
			if !slices.Contains(s.Mechanisms(test.channel), test.mechanism) {
				t.Errorf("offered are %q", s.Mechanisms(test.channel))
			}
			if account, err := play(t, s.Begin(test.mechanism, test.channel), test.turns); account != test.account || err != nil {
				t.Errorf("got %q, %v", account, err)
			}
		})
	}
}

// TestRefused plays exchanges that fail.
func TestRefused(t *testing.T) {
	long := strings.Repeat("x", 12288)
	const cram = "<1896.697170952@postoffice.reston.mci.net>"
	const unauthorized = `{"status":"401","schemes":"bearer"}`
	for _, test := range []struct {
		name, mechanism string
		channel         auth.Channel
		turns           []turn
	}{
		{"wrong password", "PLAIN", bound(), []turn{{"\x00ann\x00wrong", ""}}},
		{"nobody", "PLAIN", bound(), []turn{{"\x00nobody\x00secret", ""}}},
		{"empty", "PLAIN", bound(), []turn{{"", ""}}},
		{"two parts", "PLAIN", bound(), []turn{{"ann\x00secret", ""}}},
		{"four parts", "PLAIN", bound(), []turn{{"\x00ann\x00secret\x00", ""}}},
		{"no name", "PLAIN", bound(), []turn{{"\x00\x00secret", ""}}},
		{"no password", "PLAIN", bound(), []turn{{"\x00ann\x00", ""}}},
		{"NUL for a password", "LOGIN", bound(), []turn{{"ann", "Password:"}, {"\x00", ""}}},
		{"where others may listen", "PLAIN", auth.Channel{}, []turn{{"\x00ann\x00secret", ""}}},
		{"no UTF-8", "PLAIN", bound(), []turn{{"\x00\xff\x00secret", ""}}},
		{"long", "PLAIN", bound(), []turn{{"\x00" + long + "\x00secret", ""}}},
		{"as another", "PLAIN", bound(), []turn{{"tim\x00ann\x00secret", ""}}},
		{"as nobody", "PLAIN", bound(), []turn{{"nobody\x00admin\x00root", ""}}},
		{"as garbage", "PLAIN", bound(), []turn{{"\r\n\x00admin\x00root", ""}}},
		{"nothing twice", "PLAIN", bound(), []turn{{none, ""}, {none, ""}}},
		{"wrong password", "LOGIN", bound(), []turn{{none, "Username:"}, {"ann", "Password:"}, {"wrong", ""}}},
		{"empty name", "LOGIN", bound(), []turn{{none, "Username:"}, {"", ""}}},
		{"empty password", "LOGIN", bound(), []turn{{"ann", "Password:"}, {"", ""}}},
		{"wrong digest", "CRAM-MD5", bound(), []turn{{none, cram}, {"tim b913a602c7eda7a495b4e6e7334d3891", ""}}},
		{"nobody's digest", "CRAM-MD5", bound(), []turn{{none, cram}, {"nobody b913a602c7eda7a495b4e6e7334d3890", ""}}},
		{"short digest", "CRAM-MD5", bound(), []turn{{none, cram}, {"tim b913", ""}}},
		{"no digest", "CRAM-MD5", bound(), []turn{{none, cram}, {"tim", ""}}},
		{"initial response", "CRAM-MD5", bound(), []turn{{"tim b913a602c7eda7a495b4e6e7334d3890", ""}}},
		{"no names", "EXTERNAL", auth.Channel{}, []turn{{"", ""}}},
		{"certificate of no name", "EXTERNAL", bound("\x00"), []turn{{"", ""}}},
		{"nobody's certificate", "EXTERNAL", bound("nobody"), []turn{{"", ""}}},
		{"as another", "EXTERNAL", bound("ann"), []turn{{"tim", ""}}},
		{"bad token", "OAUTHBEARER", bound(), []turn{{"n,,\x01auth=Bearer token-nobody\x01\x01", invalidToken}, {"\x01", ""}}},
		{"bad token, empty answer", "OAUTHBEARER", bound(), []turn{{"n,,\x01auth=Bearer token-nobody\x01\x01", invalidToken}, {"", ""}}},
		{"another's token", "OAUTHBEARER", bound(), []turn{{"n,a=tim,\x01auth=Bearer token-ann\x01\x01", invalidToken}, {"\x01", ""}}},
		{"no token", "OAUTHBEARER", bound(), []turn{{"n,,\x01host=x\x01\x01", ""}}},
		{"two headers in one", "OAUTHBEARER", bound(), []turn{{"n,,\x01auth=Bearer a b\x01\x01", ""}}},
		{"no end", "OAUTHBEARER", bound(), []turn{{"n,,\x01auth=Bearer token-ann\x01", ""}}},
		{"channel binding", "OAUTHBEARER", bound(), []turn{{"p=tls-exporter,,\x01auth=Bearer token-ann\x01\x01", ""}}},
		{"bad name", "OAUTHBEARER", bound(), []turn{{"n,a==2c,\x01auth=Bearer token-ann\x01\x01", ""}}},
		{"another's token", "XOAUTH2", bound(), []turn{{"user=tim\x01auth=Bearer token-ann\x01\x01", unauthorized}, {"", ""}}},
		{"no name", "XOAUTH2", bound(), []turn{{"auth=Bearer token-ann\x01\x01", ""}}},
		{"Basic", "XOAUTH2", bound(), []turn{{"user=ann\x01auth=Basic token-ann\x01\x01", ""}}},
		{"unknown", "KERBEROS_V4", bound(), []turn{{none, ""}}},
	} {
		t.Run(test.mechanism+" "+test.name, func(t *testing.T) {
			account, err := play(t, newServer("1896").Begin(test.mechanism, test.channel), test.turns)
			if account != "" || !errors.Is(err, auth.ErrCredentials) {
				t.Errorf("got %q, %v", account, err)
			}
		})
	}
}

// What could not be looked up is no failure of the client's.
func TestUndecided(t *testing.T) {
	for _, test := range []struct {
		mechanism string
		channel   auth.Channel
		turns     []turn
	}{
		{"PLAIN", bound(), []turn{{"\x00later\x00secret", ""}}},
		{"PLAIN", bound(), []turn{{"later\x00admin\x00root", ""}}},
		{"LOGIN", bound(), []turn{{"later", "Password:"}, {"secret", ""}}},
		{"CRAM-MD5", bound(), []turn{{none, "<1.697170952@postoffice.reston.mci.net>"}, {"later b913a602c7eda7a495b4e6e7334d3890", ""}}},
		{"SCRAM-SHA-1", auth.Channel{}, []turn{{"n,,n=later,r=x", ""}}},
		{"EXTERNAL", bound("later"), []turn{{"", ""}}},
		{"OAUTHBEARER", bound(), []turn{{"n,,\x01auth=Bearer token-later\x01\x01", ""}}},
	} {
		account, err := play(t, newServer("1").Begin(test.mechanism, test.channel), test.turns)
		if account != "" || !errors.Is(err, errLater) {
			t.Errorf("%s: %q, %v", test.mechanism, account, err)
		}
	}
}

// RFC 4954 §4: what is sent in plain text is offered only where nobody can listen; and nothing that cannot work.
func TestOffered(t *testing.T) {
	for _, test := range []struct {
		name    string
		channel auth.Channel
		want    string
	}{
		{"plain", auth.Channel{}, "SCRAM-SHA-256 SCRAM-SHA-1 CRAM-MD5"},
		{"unix socket", auth.Channel{Secured: true, Names: []string{"ann"}}, "EXTERNAL SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN"},
		{"TLS", bound(), "SCRAM-SHA-256-PLUS SCRAM-SHA-1-PLUS SCRAM-SHA-256 SCRAM-SHA-1 OAUTHBEARER XOAUTH2 CRAM-MD5 PLAIN LOGIN"},
	} {
		if got := strings.Join(newServer("").Mechanisms(test.channel), " "); got != test.want {
			t.Errorf("%s: %s", test.name, got)
		}
	}
	without := auth.NewServer(auth.Config{Mechanisms: append(auth.Mechanisms(), "ANONYMOUS"), Accounts: known})
	if got := strings.Join(without.Mechanisms(bound("ann")), " "); strings.Contains(got, "OAUTH") || strings.Contains(got, "ANONYMOUS") {
		t.Errorf("without tokens: %s", got)
	}
}
