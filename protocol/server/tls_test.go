package server_test

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"lmtpd/protocol/server"
	"lmtpd/protocol/session"
)

func esmtpWithTLS(t *testing.T) server.Endpoint {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	ep := lmtp()
	ep.Session.Dialect = session.ESMTP()
	ep.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	return ep
}

// RFC 3207 §4.2: after the handshake all is as at the start, and STARTTLS is not offered again.
func TestStartTLS(t *testing.T) {
	l := newPipeListener()
	start(t, server.New(config(&keeper{})), l, esmtpWithTLS(t))
	c := newClient(t, l.dial())
	c.expect("220")
	c.send("EHLO client.example.org\r\n")
	if _, text, err := c.r.ReadResponse(250); err != nil || !strings.Contains(text, "STARTTLS") {
		t.Fatalf("%q, %v", text, err)
	}
	c.say("STARTTLS", "220 2.0.0")
	tc := tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true})
	if err := tc.Handshake(); err != nil {
		t.Fatal(err)
	}
	c.Conn, c.r = tc, textproto.NewReader(bufio.NewReader(tc))
	c.say("MAIL FROM:<>", "503 5.5.1")
	c.send("EHLO client.example.org\r\n")
	if _, text, err := c.r.ReadResponse(250); err != nil || strings.Contains(text, "STARTTLS") {
		t.Fatalf("%q, %v", text, err)
	}
	c.say("STARTTLS", "503 5.5.1")
	c.say("MAIL FROM:<>", "250")
	c.say("QUIT", "221")
}

// What stands in plaintext behind STARTTLS was put there by somebody in between: the connection ends.
func TestStartTLSInjection(t *testing.T) {
	l := newPipeListener()
	start(t, server.New(config(&keeper{})), l, esmtpWithTLS(t))
	c := newClient(t, l.dial())
	c.expect("220")
	c.say("EHLO client.example.org", "250")
	go io.WriteString(c.Conn, "STARTTLS\r\nRSET\r\n")
	c.expect("220 2.0.0")
	if rest, _ := io.ReadAll(c.Conn); len(rest) > 0 {
		t.Fatalf("the session went on: %q", rest)
	}
}
