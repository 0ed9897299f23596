package client

import (
	"encoding/base64"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"lmtpd/auth"
	"lmtpd/protocol/smtp"
)

func quote(s string) string { return strconv.Quote(s) }
func itoa(n int) string     { return strconv.Itoa(n) }
func b64(s string) string   { return base64.StdEncoding.EncodeToString([]byte(s)) }

var tim = auth.Credentials{Name: "tim", Password: "tanstaaftanstaaf"}

// The exchange of RFC 2195 §2, as RFC 4954 carries it.
var cramMD5 = "C: AUTH CRAM-MD5\nS: 334 " + b64("<1896.697170952@postoffice.reston.mci.net>") + "\nC: " + b64("tim b913a602c7eda7a495b4e6e7334d3890") + "\n"

func TestAuth(t *testing.T) {
	plain := "C: AUTH PLAIN " + b64("\x00tim\x00tanstaaftanstaaf") + "\n"
	for _, tt := range []struct {
		name, offers, script, mechanism string
		err                             error  // of Auth
		code                            int    // of the reply in it
		then                            string // "ok": the connection is as it was; "": it is closed
	}{
		{"the strongest that does not give the password away", "PLAIN LOGIN CRAM-MD5", cramMD5 + "S: 235 2.7.0 hello", "", nil, 0, "ok"},
		{"the next one, if the server does not want that", "DIGEST-MD5 CRAM-MD5", "C: AUTH DIGEST-MD5\nS: 504 5.5.4 no\n" + cramMD5 + "S: 235 2.7.0 hello", "", nil, 0, "ok"},
		{"a wrong password is not tried again", "CRAM-MD5 DIGEST-MD5", "C: AUTH DIGEST-MD5\nS: 535 5.7.8 wrong", "", smtp.Reply{}, 535, "ok"},
		{"nothing but plaintext", "PLAIN LOGIN", "", "", ErrNoMechanism, 0, "ok"},
		{"plaintext by name", "PLAIN LOGIN", plain + "S: 235 2.7.0 hello", "plain", nil, 0, "ok"},
		{"by a name that is not offered", "PLAIN", "", "CRAM-MD5", ErrNotOffered, 0, "ok"},
		{"LOGIN, whatever it asks", "LOGIN", "C: AUTH LOGIN\nS: 334 " + b64("Who?") + "\nC: " + b64("tim") + "\nS: 334 " + b64("Really?") + "\nC: " +
			b64("tanstaaftanstaaf") + "\nS: 235 hello", "LOGIN", nil, 0, "ok"},
		{"malformed challenge", "CRAM-MD5", "C: AUTH CRAM-MD5\nS: 334 !\nC: *\nS: 501 5.0.0 cancelled", "CRAM-MD5", nil, -1, "ok"},
		{"refused", "PLAIN", plain + "S: 535 5.7.8 wrong", "PLAIN", smtp.Reply{}, 535, "ok"},
		{"gone", "PLAIN", plain + "S: 421 4.7.0 too often", "PLAIN", smtp.Reply{}, 421, ""},
		{"250 in place of 235", "PLAIN", plain + "S: 250 ok", "PLAIN", smtp.Reply{}, 250, ""},
		{"AUTH without a mechanism", "", "", "", ErrNoMechanism, 0, "ok"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			script := esmtpHello + "S: 250 AUTH " + tt.offers + "\n" + tt.script
			if tt.then == "ok" {
				script += "\nC: RSET\nS: 250 ok"
			}
			var trace strings.Builder
			c, err := submitTo(t, strings.ReplaceAll(script, "\n\n", "\n"), Options{Trace: func(_ Direction, line string) { trace.WriteString(line + "\n") }})
			if err != nil {
				t.Fatal(err)
			}
			err = c.Auth(t.Context(), tt.mechanism, tim)
			r, refused := errors.AsType[smtp.Reply](err)
			switch {
			case tt.code > 0 && (!refused || r.Code != tt.code):
				t.Errorf("%v, want a reply of %d", err, tt.code)
			case tt.code < 0 && (err == nil || refused):
				t.Errorf("%v, want an error of ours", err)
			case tt.code == 0 && !errors.Is(err, tt.err):
				t.Errorf("%v, want %v", err, tt.err)
			}
			if err == nil {
				if again := c.Auth(t.Context(), tt.mechanism, tim); !errors.Is(again, ErrAuthenticated) {
					t.Errorf("a second time: %v", again)
				}
			}
			if (c.lost == nil) != (tt.then == "ok") {
				t.Errorf("the connection: %v", c.lost)
			}
			if err := c.Reset(t.Context()); (err == nil) != (tt.then == "ok") {
				t.Errorf("after it: %v", err)
			}
			for _, secret := range []string{"tanstaaf", b64("tanstaaftanstaaf"), "b913a602", b64("\x00tim\x00tanstaaftanstaaf")} {
				if strings.Contains(trace.String(), secret) {
					t.Errorf("the trace has %q:\n%s", secret, trace.String())
				}
			}
		})
	}
}

// A server that is to prove itself and does not is not believed, and hears nothing more.
func TestAuthUnproven(t *testing.T) {
	c, err := submitTo(t, esmtpHello+"S: 250 AUTH SCRAM-SHA-256\nC~ AUTH SCRAM-SHA-256 \nS: 235 2.7.0 welcome\nSILENCE", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(t.Context(), "", tim); !errors.Is(err, ErrUnproven) {
		t.Errorf("%v, want %v", err, ErrUnproven)
	}
	if _, err := c.Send(t.Context(), letter("ann")); !errors.Is(err, ErrUnproven) {
		t.Errorf("a message: %v", err)
	}
}

// After a refusal another mechanism may follow.
func TestAuthAnother(t *testing.T) {
	c, err := submitTo(t, esmtpHello+"S: 250-AUTH=LOGIN\nS: 250 AUTH CRAM-MD5 login PLAIN\nC: AUTH PLAIN "+b64("\x00tim\x00tanstaaftanstaaf")+"\nS: 535 no\n"+cramMD5+"S: 235 hello", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := c.AuthTypes(); !slices.Equal(got, []string{"LOGIN", "CRAM-MD5", "PLAIN"}) {
		t.Errorf("offered: %q", got)
	}
	if err := c.Auth(t.Context(), "PLAIN", tim); err == nil {
		t.Error("a refusal is no error")
	}
	if err := c.Auth(t.Context(), "CRAM-MD5", tim); err != nil {
		t.Error(err)
	}
}

// Nothing is said where AUTH has no place.
func TestAuthOutOfPlace(t *testing.T) {
	c, err := submitTo(t, esmtpHello+"S: 250 SIZE", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(t.Context(), "", tim); !errors.Is(err, ErrNotOffered) {
		t.Errorf("AUTH is not offered: %v", err)
	}
	c, err = submitTo(t, esmtpHello+"S: 250 AUTH PLAIN\nC: MAIL FROM:<>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 550 no", Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Send(t.Context(), letter("ann")); err != nil {
		t.Fatal(err)
	}
	if err := c.Auth(t.Context(), "PLAIN", tim); !errors.Is(err, ErrTransaction) {
		t.Errorf("in a transaction: %v", err)
	}
}

// An initial response that does not fit into the command follows it (RFC 4954 §4), and one that is empty is told.
func TestAuthCommand(t *testing.T) {
	for name, tt := range map[string]struct {
		initial    []byte
		line, mask string
		held       bool
	}{
		"none":     {nil, "AUTH X", "AUTH X", false},
		"empty":    {[]byte{}, "AUTH X =", "AUTH X =", false},
		"some":     {[]byte("a"), "AUTH X YQ==", "AUTH X ***", false},
		"too much": {make([]byte, maxAuthLine), "AUTH X", "AUTH X", true},
	} {
		if line, mask, held := authCommand("X", tt.initial); line != tt.line || mask != tt.mask || held != tt.held {
			t.Errorf("%s: %q, %q, %v", name, line, mask, held)
		}
	}
}
