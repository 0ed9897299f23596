package main_test

import (
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/textproto"
	"path/filepath"
	"strings"
	"testing"
	"crypto/x509"

	"lmtpd/auth"
)

type raw struct {
	*textproto.Conn
	ch auth.Channel
}

func dialRaw(t *testing.T, address string) *raw {
	c, err := textproto.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	r := &raw{Conn: c, ch: auth.Channel{Host: "localhost", Secured: true}}
	c.ReadResponse(220)
	c.PrintfLine("EHLO a")
	_, msg, err := c.ReadResponse(250)
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range strings.Split(msg, "\n") {
		if strings.HasPrefix(l, "AUTH ") {
			r.ch.Offered = strings.Fields(l)[1:]
		}
	}
	return r
}

func (r *raw) auth(t *testing.T, mech string, c auth.Credentials) (int, string) {
	cl, err := auth.NewClient(mech, c, r.ch)
	if err != nil {
		t.Fatal(err)
	}
	first, err := cl.Start()
	if err != nil {
		t.Fatal(err)
	}
	line := "AUTH " + mech
	if first != nil {
		line += " " + base64.StdEncoding.EncodeToString(first)
		if len(first) == 0 {
			line += " ="
		}
	}
	r.PrintfLine("%s", line)
	for {
		code, msg, _ := r.ReadResponse(0)
		if code == 235 {
			if err := cl.Finish(); err != nil {
				t.Error(mech, err)
			}
		}
		if code != 334 {
			return code, msg
		}
		b, err := base64.StdEncoding.DecodeString(msg)
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s: %q", mech, b)
		resp, err := cl.Next(b)
		if err != nil {
			t.Log(mech, err)
			r.PrintfLine("*")
			continue
		}
		r.PrintfLine("%s", base64.StdEncoding.EncodeToString(resp))
	}
}

var _ = tls.VersionTLS12
var _ net.Conn

func TestRawExim(t *testing.T) {
	a := newAuthority(t)
	cert := a.issue(t, filepath.Join(openDir(t), "c.pem"), x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	e := startExim(t, cert)
	for _, m := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "NTLM"} {
		r := dialRaw(t, e.smtp)
		t.Log(r.ch.Offered, auth.Choose(r.ch.Offered, auth.Credentials{Name: "ann@example.org", Password: "secret"}, r.ch))
		code, msg := r.auth(t, m, auth.Credentials{Name: "ann@example.org", Password: "wrong"})
		t.Log(m, code, msg)
		code, msg = r.auth(t, m, auth.Credentials{Name: "ann@example.org", Password: "secret"})
		t.Log(m, code, msg)
	}
}

func TestRawDovecot(t *testing.T) {
	a := newAuthority(t)
	cert := a.issue(t, filepath.Join(openDir(t), "c.pem"), x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	e := startDovecotSubmission(t, cert, map[string]string{"ann@example.org": "secret", "tim": "tanstaaf"})
	for _, m := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		for _, c := range []auth.Credentials{{Name: "ann@example.org", Password: "secret"}, {Name: "tim", Password: "tanstaaf"}} {
			r := dialRaw(t, e)
			t.Log(r.ch.Offered, auth.Choose(r.ch.Offered, c, r.ch))
			good := c.Password
			c.Password = "wrong"
			code, msg := r.auth(t, m, c)
			t.Log(m, code, msg)
			c.Password = good
			code, msg = r.auth(t, m, c)
			t.Log(m, code, msg)
		}
	}
}

func TestRawPostfix(t *testing.T) {

	a := newAuthority(t)
	cert := a.issue(t, filepath.Join(openDir(t), "c.pem"), x509.Certificate{IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}})
	e := startPostfixWithSASL(t, cert, map[string]string{"ann@example.org": "secret", "tim@example.org": "sécret€"}).smtp
	for _, m := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "NTLM"} {
		for _, c := range []auth.Credentials{{Name: "ann@example.org", Password: "secret"}, {Name: "ann", Password: "secret"}, {Name: "tim@example.org", Password: "sécret€"}} {
			r := dialRaw(t, e)
			t.Log(r.ch.Offered, auth.Choose(r.ch.Offered, c, r.ch))
			good := c.Password
			c.Password = "wrong"
			code, msg := r.auth(t, m, c)
			t.Log(m, c.Name, code, msg)
			c.Password = good
			code, msg = r.auth(t, m, c)
			t.Log(m, c.Name, code, msg)
		}
	}
}
