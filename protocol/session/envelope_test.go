package session_test

import (
	"net/netip"
	"strings"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
	"lmtpd/protocol/smtptest"
)

// transaction is one message for Ann.
const transaction = "MAIL FROM:<s@example.com>\r\nRCPT TO:<ann@example.org>\r\nDATA\r\nhello\r\n.\r\n"

// TestWith proves what Received will call the protocol (RFC 3848 §2, RFC 6531 §4.3).
func TestWith(t *testing.T) {
	const auth = "AUTH PLAIN AGFubgBzZWNyZXQ=\r\n"
	utf8 := strings.Replace(transaction, "com>", "com> SMTPUTF8", 1)
	tls := session.Peer{Secured: true, TLS: true}
	unix := session.Peer{Secured: true}
	for _, c := range []struct {
		want    string
		dialect session.Dialect
		peer    session.Peer
		say     string
	}{
		{"LMTP", session.LMTP(), unix, "LHLO c\r\n" + transaction},
		{"LMTPS", session.LMTP(), tls, "LHLO c\r\n" + transaction},
		{"LMTPA", session.LMTP(), unix, "LHLO c\r\n" + auth + transaction},
		{"LMTPSA", session.LMTP(), tls, "LHLO c\r\n" + auth + transaction},
		{"UTF8LMTP", session.LMTP(), unix, "LHLO c\r\n" + utf8},
		{"UTF8LMTPSA", session.LMTP(), tls, "LHLO c\r\n" + auth + utf8},
		{"ESMTP", session.ESMTP(), unix, "EHLO c\r\n" + transaction},
		{"ESMTPS", session.ESMTP(), tls, "EHLO c\r\n" + transaction},
		{"ESMTPA", session.ESMTP(), unix, "EHLO c\r\n" + auth + transaction},
		{"ESMTPSA", session.ESMTP(), tls, "EHLO c\r\n" + auth + transaction},
		{"UTF8SMTP", session.ESMTP(), unix, "EHLO c\r\n" + utf8},
		{"UTF8SMTPSA", session.ESMTP(), tls, "EHLO c\r\n" + auth + utf8},
		{"SMTP", session.ESMTP(), unix, "HELO c\r\n" + transaction},
		{"ESMTP", session.ESMTP(), unix, "HELO c\r\nEHLO c\r\n" + transaction},
		{"SMTP", session.ESMTP(), unix, "EHLO c\r\nHELO c\r\n" + transaction},
	} {
		w := newWitness(t)
		cfg := config(c.dialect)
		cfg.Auth = smtptest.Authenticator{}
		speak(t, session.New(cfg, w, c.peer), w, c.say)
		if len(w.envelopes) != 1 || w.envelopes[0].With != c.want {
			t.Errorf("%+v, want with %s", w.envelopes, c.want)
		}
	}
}

// TestEnvelope proves that what MAIL, RCPT and XFORWARD said reaches the handler.
func TestEnvelope(t *testing.T) {
	w := newWitness(t)
	talk(t, session.LMTP(), w, "LHLO client.example.com",
		"XFORWARD NAME=spike.example.net ADDR=IPv6:fe80::9%25eth0 PORT=2525",
		"XFORWARD PROTO=ESMTP HELO=spi+20ke IDENT=4bXyz SOURCE=REMOTE",
		"MAIL FROM:<s@example.com> SIZE=70 BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=a+2Bb",
		"RCPT TO:<ann@example.org> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;Ann+2B@example.net",
		"RCPT TO:<pelé@example.org>", "DATA", "hello", ".")
	if len(w.envelopes) != 1 || len(w.envelopes[0].Recipients) != 2 {
		t.Fatalf("%+v", w.envelopes)
	}
	env := w.envelopes[0]
	origin := smtp.Client{
		Hello: "spi ke", Name: "spike.example.net", ID: "4bXyz", Proto: "ESMTP",
		Addr: netip.MustParseAddrPort("[fe80::9]:2525"),
	}
	if env.Origin != origin || env.Peer.Hello != "client.example.com" {
		t.Errorf("origin %+v, peer %+v", env.Origin, env.Peer)
	}
	if env.Size != 70 || env.Body != smtp.Body8Bit || env.UTF8 != smtp.UTF8 || env.Ret != smtp.RetHeaders || env.EnvID != "a+b" {
		t.Errorf("%+v", env)
	}
	ann := smtp.Recipient{
		To:       smtp.Path{Local: "ann", Domain: "example.org"},
		Notify:   smtp.NotifySuccess | smtp.NotifyDelay,
		Original: smtp.OriginalRecipient{Type: "rfc822", Address: "Ann+@example.net"},
	}
	if env.Recipients[0] != ann || env.Recipients[1].To.Local != "pelé" {
		t.Errorf("%+v", env.Recipients)
	}
}

// TestForwardLasts proves that XFORWARD holds for one transaction: it outlives a refused MAIL, and neither the
// message nor RSET nor a hello.
func TestForwardLasts(t *testing.T) {
	const forward = "XFORWARD NAME=spike.example.net\r\n"
	for say, want := range map[string]string{
		forward + transaction:                                     "spike.example.net",
		forward + "MAIL FROM:<>x\r\n" + transaction:               "spike.example.net",
		forward + "RSET\r\n" + transaction:                        "",
		forward + "LHLO c\r\n" + transaction:                      "",
		forward + transaction + transaction:                       "",
		forward + "XFORWARD ADDR=oops\r\n" + transaction:          "spike.example.net",
		forward + "XFORWARD NAME=a+0Ab\r\n" + transaction:         "spike.example.net",
		forward + "XFORWARD NAME=[TEMPUNAVAIL]\r\n" + transaction: "",
	} {
		w := newWitness(t)
		speak(t, session.New(config(session.LMTP()), w, session.Peer{Trusted: true}), w, "LHLO c\r\n"+say)
		if n := len(w.envelopes); n == 0 || w.envelopes[n-1].Origin.Name != want {
			t.Errorf("after %q: %+v, want origin %q", say, w.envelopes, want)
		}
	}
}

// TestMask proves that no secret reaches a trace of the dialogue.
func TestMask(t *testing.T) {
	cfg := config(session.ESMTP())
	cfg.Auth = smtptest.Authenticator{}
	s := session.New(cfg, newWitness(t), session.Peer{Secured: true})
	s.Start()
	s.Line(t.Context(), []byte("EHLO c"))
	for line, want := range map[string]string{
		"AUTH PLAIN c2VjcmV0":  "AUTH PLAIN ***",
		"auth plain c2VjcmV0":  "auth plain ***",
		"AUTH  PLAIN c2VjcmV0": "AUTH  ***",
		"AUTH PLAIN":           "AUTH PLAIN",
		"NOOP a b":             "NOOP a b",
	} {
		if got := s.Mask(line); got != want {
			t.Errorf("Mask(%q) = %q, want %q", line, got, want)
		}
	}
	s.Line(t.Context(), []byte("AUTH PLAIN"))
	if got := s.Mask("c2VjcmV0"); got != "***" {
		t.Errorf("a response is shown: %q", got)
	}
}
