package dovecot

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"testing/synctest"

	"lmtpd/auth"
)

// What comes of an exchange that is no account.
const (
	refused = "refused"
	doubt   = "could not be told"
)

// outcome is the account, or one of the above.
func outcome(account string, err error) string {
	switch {
	case errors.Is(err, auth.ErrCredentials):
		return refused
	case err != nil:
		return doubt
	}
	return account
}

const authPLAIN = "C: AUTH\t1\tPLAIN\tservice=smtp\tfinal-resp-ok\tsecured\tresp=AGFubgBzZWNyZXQ="

// Each answer of the server's, right or wrong, has one outcome.
func TestAnswers(t *testing.T) {
	for _, test := range []struct {
		name      string
		script    []string
		responses []string // "-": none
		want      string   // the outcome, and before it the challenges that come after the first
	}{
		{"success", []string{"S: OK\t1\tuser=ann@example.org"}, nil, "ann@example.org"},
		{"what is not known", []string{"S: OK\t1\tuser=ann\tdelay=5\tsomething\toriginal_user=ANN"}, nil, "ann"},
		{"escapes", []string{"S: OK\t1\tuser=a\x01\x01n\x01n"}, nil, doubt},
		{"an escaped letter", []string{"S: OK\t1\tuser=a\x01xnn"}, nil, "axnn"},
		{"nobody", []string{"S: OK\t1"}, nil, doubt},
		{"no name", []string{"S: OK\t1\tuser="}, nil, doubt},
		{"no text", []string{"S: OK\t1\tuser=\xff"}, nil, doubt},
		{"a long name", []string{"S: OK\t1\tuser=" + strings.Repeat("x", 512)}, nil, doubt},
		{"nologin", []string{"S: OK\t1\tuser=ann\tnologin"}, nil, refused},
		{"proxy", []string{"S: OK\t1\tuser=ann\tproxy\thost=192.0.2.1"}, nil, doubt},
		{"proxy=y", []string{"S: OK\t1\tuser=ann\tproxy=y"}, nil, doubt},
		{"anonymous", []string{"S: OK\t1\tuser=anonymous\tanonymous"}, nil, refused},
		{"with data", []string{"S: OK\t1\tuser=ann\tresp=dj14"}, []string{""}, "v=x ann"},
		{"with data, none answered", []string{"S: OK\t1\tuser=ann\tresp=dj14"}, []string{"-"}, "v=x ann"},
		{"with data, which is contradicted", []string{"S: OK\t1\tuser=ann\tresp=dj14"}, []string{"no"}, "v=x " + refused},
		{"with data for nobody", []string{"S: OK\t1\tresp=dj14"}, nil, doubt},
		{"with data and nologin", []string{"S: OK\t1\tuser=ann\tnologin\tresp=dj14"}, nil, refused},
		{"with empty data", []string{"S: OK\t1\tuser=ann\tresp="}, nil, "ann"},
		{"with broken data", []string{"S: OK\t1\tuser=ann\tresp=d"}, nil, doubt},

		{"failure", []string{"S: FAIL\t1"}, nil, refused},
		{"failure of a name", []string{"S: FAIL\t1\tuser=ann"}, nil, refused},
		{"failure for a reason", []string{"S: FAIL\t1\treason=no"}, nil, refused},
		{"authz_fail", []string{"S: FAIL\t1\tcode=authz_fail"}, nil, refused},
		{"user_disabled", []string{"S: FAIL\t1\tcode=user_disabled"}, nil, refused},
		{"pass_expired", []string{"S: FAIL\t1\tcode=pass_expired"}, nil, refused},
		{"a code of tomorrow", []string{"S: FAIL\t1\tcode=tomorrow"}, nil, refused},
		{"temp_fail", []string{"S: FAIL\t1\tuser=ann\tcode=temp_fail"}, nil, doubt},
		{"temp", []string{"S: FAIL\t1\tuser=ann\ttemp"}, nil, doubt},
		{"failure with data", []string{"S: FAIL\t1\tresp=e30="}, []string{"\x01"}, "{} " + refused},
		{"temp_fail with data", []string{"S: FAIL\t1\tcode=temp_fail\tresp=e30="}, []string{""}, "{} " + doubt},

		{"a challenge", []string{"S: CONT\t1\tPDE+", "C: CONT\t1\tYW5u", "S: OK\t1\tuser=ann"}, []string{"ann"}, "<1> ann"},
		{"an empty challenge", []string{"S: CONT\t1\t", "C: CONT\t1\t", "S: OK\t1\tuser=ann"}, []string{""}, " ann"},
		{"no response", []string{"S: CONT\t1\t", "C: CONT\t1\t", "S: FAIL\t1"}, []string{"-"}, " " + refused},
		{"many", []string{"S: CONT\t1\tMQ==", "C: CONT\t1\tYQ==", "S: CONT\t1\tMg==", "C: CONT\t1\tYg==", "S: OK\t1\tuser=ann"},
			[]string{"a", "b"}, "1 2 ann"},
		{"a challenge with more", []string{"S: CONT\t1\tMQ==\tsomething", "C: CONT\t1\tYQ==", "S: OK\t1\tuser=ann"}, []string{"a"}, "1 ann"},
		{"a challenge without data", []string{"S: CONT\t1"}, nil, doubt},
		{"a challenge out of band", []string{"S: CONT\t1\t#\tchannel_binding=tls-exporter"}, nil, doubt},
		{"a challenge that is none", []string{"S: CONT\t1\t%%%%"}, nil, doubt},
		{"forgotten", []string{"S: CONT\t1\tMQ==", "S: FAIL\t1\treason=timed out", "S: OK\t9"}, []string{"a"}, "1 " + refused},
		{"hurried", []string{"S: CONT\t1\tMQ==", "S: OK\t1\tuser=ann"}, []string{"a"}, "1 " + doubt},
		{"twice challenged", []string{"S: CONT\t1\tMQ==", "S: CONT\t1\tMg=="}, []string{"a"}, "1 " + doubt},

		{"of others", []string{"S: OK\t2\tuser=bob", "S: FAIL\t0", "S: CONT\t4294967295\tMQ==", "S: OK\t1\tuser=ann"}, nil, "ann"},
		{"what no client knows", []string{"S: NEWS\t1", "S: ", "S: DONE", "S: ok\t1\tuser=bob", "S: OK\t1\tuser=ann"}, nil, "ann"},
		{"no id", []string{"S: OK"}, nil, doubt},
		{"not an id", []string{"S: OK\tann\tuser=ann"}, nil, doubt},
		{"a great id", []string{"S: OK\t4294967297\tuser=ann"}, nil, doubt},
		{"a negative id", []string{"S: FAIL\t-1"}, nil, doubt},
		{"a line without end", []string{"S: OK\t1\tuser=ann\tx=" + strings.Repeat("x", maxReceived)}, nil, doubt},
		{"the longest line", []string{"S: OK\t1\tuser=ann\tx=" + strings.Repeat("x", maxReceived-len("OK\t1\tuser=ann\tx=\n"))}, nil, "ann"},
		{"hung up", []string{"X"}, nil, doubt},
		{"hung up in between", []string{"S: CONT\t1\tMQ==", "X"}, []string{"a"}, "1 " + doubt},
		{"hung up after it", []string{"S: OK\t1\tuser=ann", "X"}, nil, "ann"},
	} {
		inBubble(t, test.name, func(t *testing.T) {
			c := scripted(t, append([]string{authPLAIN}, test.script...)...)
			e := c.Begin("PLAIN", auth.Channel{Secured: true})
			if got := converse(t, e, "\x00ann\x00secret", test.responses); got != test.want {
				t.Errorf("%q, not %q", got, test.want)
			}
			if _, account, err := e.Next(t.Context(), []byte("\x00bob\x00secret")); account != "" || err == nil {
				t.Errorf("after its end: %q, %v", account, err)
			}
			if e.Claimed() != "ann" {
				t.Errorf("claimed: %q", e.Claimed())
			}
		})
	}
}

// A failure counts although the client has still to be told of it, and may leave before; what is not decided, and a success, do not.
func TestRefused(t *testing.T) {
	for answer, want := range map[string]string{
		"S: FAIL\t1\tresp=e30=":                 refused,
		"S: FAIL\t1\tcode=temp_fail\tresp=e30=": doubt,
		"S: OK\t1\tuser=ann\tresp=e30=":         "",
		"S: CONT\t1\te30=":                      "",
	} {
		inBubble(t, answer, func(t *testing.T) {
			e := scripted(t, authPLAIN, answer).Begin("PLAIN", auth.Channel{Secured: true})
			if got := converse(t, e, "\x00ann\x00secret", nil); got != "{} and no end" {
				t.Errorf("%q", got)
			}
			if got := outcome("", e.(auth.Parting).Refused()); got != want {
				t.Errorf("%q, not %q", got, want)
			}
		})
	}
}

// converse returns the challenges that responses get, and the outcome. Before each response all has come that the server says
// without it. It is for bubbles.
func converse(t *testing.T, e auth.Exchange, initial string, responses []string) string {
	t.Helper()
	said := ""
	for _, r := range append([]string{initial}, responses...) {
		response := []byte(r)
		if r == "-" {
			response = nil
		}
		synctest.Wait()
		challenge, account, err := e.Next(t.Context(), response)
		if err != nil || account != "" {
			return said + outcome(account, err)
		}
		said += string(challenge) + " "
	}
	return said + "and no end"
}

// The server is told what is known of the channel, and nothing that anybody put between.
func TestAuthLine(t *testing.T) {
	tls := auth.Channel{
		Session: "s1", Peer: netip.MustParseAddr("::ffff:192.0.2.1"), Secured: true, Names: []string{"ann", "a\tb\nc"},
		Binding: func(string) ([]byte, error) { return nil, errors.New("none") },
	}
	noCertificate := tls
	noCertificate.Names = nil
	unix := auth.Channel{Session: "a\tb\nc", Secured: true, Names: []string{"root"}}
	for _, test := range []struct {
		mechanism string
		channel   auth.Channel
		response  string // "-": none
		want      string
	}{
		{"CRAM-MD5", auth.Channel{}, "-", "CRAM-MD5\tservice=smtp\tfinal-resp-ok"},
		{"CRAM-MD5", auth.Channel{}, "", "CRAM-MD5\tservice=smtp\tfinal-resp-ok\tresp="},
		{"CRAM-MD5", auth.Channel{Peer: netip.MustParseAddr("fe80::1%eth0")}, "-", "CRAM-MD5\tservice=smtp\tfinal-resp-ok\trip=fe80::1"},
		{"CRAM-MD5", unix, "-", "CRAM-MD5\tservice=smtp\tfinal-resp-ok\tsecured\tsession=a\x01tb\x01nc"},
		{"EXTERNAL", unix, "", "EXTERNAL\tservice=smtp\tfinal-resp-ok\tsecured\tsession=a\x01tb\x01nc\tcert_username=root\tresp="},
		{"PLAIN", noCertificate, "x", "PLAIN\tservice=smtp\tfinal-resp-ok\tsecured=tls\tsession=s1\trip=192.0.2.1\tresp=eA=="},
		{"PLAIN", tls, "x", "PLAIN\tservice=smtp\tfinal-resp-ok\tsecured=tls\tvalid-client-cert\tsession=s1\trip=192.0.2.1\tcert_username=ann\tresp=eA=="},
		{"EXTERNAL", tls, "x", "EXTERNAL\tservice=smtp\tfinal-resp-ok\tsecured=tls\tvalid-client-cert\tsession=s1\trip=192.0.2.1\tcert_username=ann\tresp=eA=="},
		{"EXTERNAL", tls, "a\tb\nc", "EXTERNAL\tservice=smtp\tfinal-resp-ok\tsecured=tls\tvalid-client-cert\tsession=s1\trip=192.0.2.1\tcert_username=a\x01tb\x01nc\tresp=YQliCmM="},
	} {
		inBubble(t, test.mechanism, func(t *testing.T) {
			c := scripted(t, "C: AUTH\t1\t"+test.want, "S: OK\t1\tuser=ann")
			if got := converse(t, c.Begin(test.mechanism, test.channel), test.response, nil); got != "ann" {
				t.Errorf("%q", got)
			}
		})
	}
}

// EXTERNAL without a response is asked for one before the server is.
func TestExternalAsks(t *testing.T) { synctest.Test(t, externalAsks) }

func externalAsks(t *testing.T) {
	c := scripted(t, "C: AUTH\t1\tEXTERNAL\tservice=smtp\tfinal-resp-ok\tcert_username=ann\tresp=", "S: OK\t1\tuser=ann")
	if got := converse(t, c.Begin("EXTERNAL", auth.Channel{Names: []string{"ann"}}), "-", []string{""}); got != " ann" {
		t.Errorf("%q", got)
	}
}

// A server of version 1.1 takes an empty response for none, unless it is told otherwise, and is not told of what was given up.
func TestOlderServer(t *testing.T) { synctest.Test(t, olderServer) }

func olderServer(t *testing.T) {
	c := fake(t, Config{Service: "submission"}, func(p *peer) {
		p.shake(strings.Replace(handshakeLines, "VERSION\t1\t2", "VERSION\t1\t1", 1))
		p.play("C: AUTH\t1\tCRAM-MD5\tservice=submission\tfinal-resp-ok\tresp==", "S: OK\t1\tuser=ann")
	})
	if got := converse(t, c.Begin("CRAM-MD5", auth.Channel{}), "", nil); got != "ann" {
		t.Errorf("%q", got)
	}
}

// The server is not asked what it would hang up on: a mechanism that it does not have, or a line that is too long for it.
func TestNotAsked(t *testing.T) { synctest.Test(t, notAsked) }

func notAsked(t *testing.T) {
	c := scripted(t, "C: CANCEL\t1", "C: AUTH\t2\tCRAM-MD5\tservice=smtp\tfinal-resp-ok", "S: OK\t2\tuser=ann")
	for _, mechanism := range []string{"NTLM", "plain", "ANONYMOUS", "APOP", "EXTERNAL", "", "PLAIN\t"} {
		if got := converse(t, c.Begin(mechanism, auth.Channel{Secured: true}), "x", nil); got != refused {
			t.Errorf("%q: %q", mechanism, got)
		}
	}
	if got := converse(t, c.Begin("PLAIN", auth.Channel{}), "\x00ann\x00secret", nil); got != refused {
		t.Errorf("PLAIN where others may listen: %q", got)
	}
	if got := converse(t, c.Begin("PLAIN", auth.Channel{Secured: true}), strings.Repeat("x", maxSent), nil); got != refused {
		t.Errorf("a long response: %q", got)
	}
	if got := converse(t, c.Begin("CRAM-MD5", auth.Channel{}), "-", nil); got != "ann" {
		t.Errorf("what is asked after all: %q", got)
	}
}
