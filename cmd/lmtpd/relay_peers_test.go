package main_test

import (
	"bytes"
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"lmtpd/auth"
	"lmtpd/delivery/relay"
	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// A provider is a Postfix that takes mail only from those who have logged in on a secured connection, with a Dovecot that knows
// who they are. What it takes for partner.example is below mail.
type provider struct {
	*postfix
	ca   string // file
	mail string
}

// providerSASL lets Postfix ask Dovecot, which has the password as it is and so any mechanism.
const providerSASL = `
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
service auth {
  unix_listener DIR/auth {
    mode = 0666
  }
}
`

// startProvider starts both; more is put behind the configuration of Postfix.
func startProvider(t *testing.T, more ...string) *provider {
	t.Helper()
	needPeers(t, "postfix", "dovecot")
	dir := openDir(t)
	d := startDovecot(t, filepath.Join(dir, "none"), providerSASL)
	issuer := newAuthority(t)
	server := issuer.issue(t, filepath.Join(dir, "server.pem"), x509.Certificate{
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	})
	h := &provider{ca: filepath.Join(dir, "ca.pem"), mail: filepath.Join(dir, "mail")}
	writeFile(t, h.ca, issuer.pem())
	mkdirOwned(t, h.mail)
	h.postfix = preparePostfix(t)
	// What is given twice is complained of at every turn; postconf replaces it.
	run(t, "postconf", append([]string{"-c", h.etc, "-e",
		"mynetworks =",
		"smtpd_tls_security_level = encrypt",
		"smtpd_tls_cert_file = " + server,
		"smtpd_tls_key_file = " + server,
		"smtpd_tls_auth_only = yes",
		"smtpd_sasl_auth_enable = yes",
		"smtpd_sasl_type = dovecot",
		"smtpd_sasl_path = " + filepath.Join(filepath.Dir(d.config), "auth"),
		"smtpd_relay_restrictions = permit_sasl_authenticated, reject",
		"smtpd_recipient_restrictions = check_recipient_access inline:{" +
			"{later@partner.example = 450 4.2.1 Come back when the moon is full}," +
			"{never@partner.example = 550 5.1.1 Gone fishing, for good}}, permit_sasl_authenticated, reject",
		"virtual_mailbox_domains = partner.example",
		"virtual_mailbox_base = " + h.mail,
		"virtual_mailbox_maps = static:box/",
		fmt.Sprintf("virtual_uid_maps = static:%d", mailUID),
		fmt.Sprintf("virtual_gid_maps = static:%d", mailUID),
		"virtual_transport = virtual",
	}, more...)...)
	master := filepath.Join(h.etc, "master.cf")
	writeFile(t, master, read(t, master)+"virtual unix - n n - - virtual\ntlsmgr unix - - n 1000? 1 tlsmgr\n")
	h.start(t)
	return h
}

// relay makes a relay that uses the provider as a user, with a password.
func (h *provider) relay(t *testing.T, ca, mechanism, password string) *relay.Relay {
	t.Helper()
	a, err := client.ParseAddress("smtp://" + h.smtp)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(read(t, ca)))
	r, err := relay.New(relay.Config{
		Routes: []relay.Route{{
			Servers:  []client.Address{a},
			Security: client.Security{Start: client.Required, Config: &tls.Config{RootCAs: roots}},
			Login: relay.Login{Name: "me", Mechanism: mechanism, Credentials: func() (auth.Credentials, error) {
				return auth.Credentials{Name: "me", Password: password}, nil
			}},
			Connections: 3,
		}},
		Fold: strings.ToLower, Hello: "mda.example.org", Now: time.Now, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

// toPartner is a message to some at partner.example.
func toPartner(body []byte, to ...string) *spool.Message {
	m := &spool.Message{ID: "1", From: smtp.Path{Local: "ann", Domain: "example.org"}, Content: bytes.NewReader(body), Body: smtp.Body8Bit}
	for _, local := range to {
		m.Recipients = append(m.Recipients, smtp.Recipient{To: smtp.Path{Local: local, Domain: "partner.example"}})
	}
	return m
}

// A Postfix that demands STARTTLS and a login takes what the relay brings, and its refusals are kept word for word.
func TestRelayToPostfix(t *testing.T) {
	t.Parallel()
	h := startProvider(t)
	for _, mechanism := range []string{"", "PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		name := cmp.Or(mechanism, "strongest")
		t.Run(name, func(t *testing.T) {
			body := letter(name, 5000)
			outcomes := h.attempt(t, h.relay(t, h.ca, mechanism, "test"), toPartner(body, "bob", "later", "never", "cy"))
			for i, o := range outcomes {
				if o.Server != "mta.example.net" {
					t.Errorf("recipient %d: a reply of %q", i, o.Server)
				}
			}
			queued := queuedAs.FindStringSubmatch(outcomes[0].Reply.Text)
			if queued == nil || outcomes[0].Fate != spool.PassedOn || outcomes[3] != outcomes[0] {
				t.Fatalf("taken: %+v and %+v", outcomes[0], outcomes[3])
			}
			if o, want := outcomes[1], "450 4.2.1 <later@partner.example>: Recipient address rejected: Come back when the moon is full"; o.Fate != spool.Deferred || o.Reply.String() != want {
				t.Errorf("%+v, want %s", o, want)
			}
			if o, want := outcomes[2], "550 5.1.1 <never@partner.example>: Recipient address rejected: Gone fishing, for good"; o.Fate != spool.Bounced || o.Reply.String() != want {
				t.Errorf("%+v, want %s", o, want)
			}
			for _, to := range []string{"bob@partner.example", "cy@partner.example"} {
				h.await(t, fmt.Sprintf(`virtual\[\d+\]: %s: to=<%s>, .*status=sent`, queued[1], to))
			}
			if got := h.letters(t, name); len(got) != 2 {
				t.Fatalf("%d copies of %s, want 2", len(got), name)
			} else {
				got[0].sameContent(t, body)
				got[1].sameContent(t, body)
			}
		})
	}
}

// What is wrong with the way to the provider makes mail wait, and bounces none.
func TestRelayRefusedByPostfix(t *testing.T) {
	t.Parallel()
	h := startProvider(t)
	stranger := filepath.Join(openDir(t), "ca.pem")
	writeFile(t, stranger, newAuthority(t).pem())
	for _, tt := range []struct {
		name string
		r    *relay.Relay
		want string
	}{
		{"a wrong password", h.relay(t, h.ca, "", "guess"), "535 5.7.8"},
		{"a certificate by somebody else", h.relay(t, stranger, "", "test"), "certificate signed by unknown authority"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := toPartner(letter("refused", 500), "bob")
			outcomes, err := tt.r.Attempt(t.Context(), tt.r.Destination(m.From, m.Recipients[0].To), m)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%+v, %v; want %s", outcomes, err, tt.want)
			}
		})
	}
	if got := h.letters(t, "refused"); len(got) != 0 {
		t.Errorf("%d copies came through", len(got))
	}
}

func (h *provider) attempt(t *testing.T, r *relay.Relay, m *spool.Message) []spool.Outcome {
	t.Helper()
	outcomes, err := r.Attempt(t.Context(), r.Destination(m.From, m.Recipients[0].To), m)
	if err != nil {
		t.Fatal(err)
	}
	return outcomes
}

// letters returns the copies of a letter that have arrived.
func (h *provider) letters(t *testing.T, id string) (its []found) {
	t.Helper()
	for _, f := range visible(t, h.mail) {
		if letterID(f.text) == id {
			its = append(its, f)
		}
	}
	return its
}

// pem is the authority's certificate as a file has it.
func (a *authority) pem() string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.cert.Raw}))
}
