package main_test

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// clientPassword is one that a program has to take as it stands.
const clientPassword = `se cret=2C,"%u\'`

// Every program logs in with every mechanism that both know, and with the one it chooses, and sends; what proves nothing is
// refused.
func TestClientsSubmit(t *testing.T) {
	t.Parallel()
	m := prepareMSA(t, newDaemon(t), "")
	for _, s := range submitters() {
		m.add(t, s.account(), clientPassword, "PLAIN")
	}
	m.start(t)
	t.Run("programs", func(t *testing.T) {
		for _, s := range submitters() {
			m.serves(t, s, append([]string{""}, s.mechanisms...)...)
		}
	})
}

// Where passwords are kept as hashes from which nothing else can be proven, programs find the mechanisms that are left.
func TestClientsOfHashedPasswords(t *testing.T) {
	t.Parallel()
	m := prepareMSA(t, newDatabaseDaemon(t), "")
	for _, s := range submitters() {
		m.add(t, s.account(), clientPassword, "SHA512-CRYPT")
	}
	m.start(t)
	t.Run("programs", func(t *testing.T) {
		for _, s := range submitters() {
			m.serves(t, s, "", "PLAIN", "LOGIN")
			t.Run(s.name+"/CRAM-MD5", func(t *testing.T) {
				s.needs(t)
				if out, err := s.command(t, m.login(t, s.account(), "CRAM-MD5", "starttls")).CombinedOutput(); err == nil {
					t.Errorf("logs in with what is not offered:\n%s", out)
				}
			})
		}
	})
}

// curl takes OAUTHBEARER where it is offered, whatever it is told.
func TestCurlWithXOAUTH2(t *testing.T) {
	t.Parallel()
	m := prepareMSA(t, newDaemon(t), "[auth]\nmechanisms = [\"XOAUTH2\"]\n")
	for _, s := range submitters() {
		m.add(t, s.account(), clientPassword, "SHA512-CRYPT")
	}
	m.start(t)
	t.Run("programs", func(t *testing.T) {
		for _, s := range submitters() {
			if s.name == "curl" {
				m.serves(t, s, "XOAUTH2")
			}
		}
	})
}

// serves lets a program log in with mechanisms and send, beside other programs, and looks into its mailbox then.
func (m *msa) serves(t *testing.T, s submitter, mechanisms ...string) {
	t.Run(s.name, func(t *testing.T) {
		t.Parallel()
		s.needs(t)
		var sent []string
		for _, mechanism := range mechanisms {
			for i, tls := range ways(mechanism) {
				l := m.login(t, s.account(), mechanism, tls)
				t.Run(l.id(), func(t *testing.T) {
					if mechanism != "" { // which fail if the program chooses, and how many, is its affair
						m.refuses(t, s.command(t, m.forged(t, l)), l, i+1)
					}
					m.takes(t, s.command(t, l), l, i+1)
				})
				sent = append(sent, l.id())
			}
		}
		m.expectLetters(t, s.name, sent)
	})
}

// ways are how a mechanism can be had: without TLS only where it tells no secret.
func ways(mechanism string) []string {
	if mechanism == "CRAM-MD5" || strings.HasPrefix(mechanism, "SCRAM") {
		return []string{"none", "starttls", "implicit"}
	}
	return []string{"starttls", "implicit"}
}

// id is the ID of the letter.
func (l login) id() string { return cmp.Or(l.mechanism, "any") + " " + l.tls }

// own is a letter that an account sends to itself.
func (l login) own() []byte {
	return bytes.ReplaceAll(letter(l.id(), 900), []byte("sender@example.net"), []byte(l.account))
}

// login is how an account can log in.
func (m *msa) login(t *testing.T, account, mechanism, tls string) login {
	t.Helper()
	host, port, err := net.SplitHostPort(m.listeners[cmp.Or(strings.TrimPrefix(tls, "none"), "starttls")])
	if err != nil {
		t.Fatal(err)
	}
	dir := openDir(t)
	l := login{
		mechanism: mechanism, tls: tls, host: host, port: port, ca: m.ca(), account: account, secret: clientPassword,
		letter: filepath.Join(dir, "letter"),
	}
	writeFile(t, l.letter, string(l.own()))
	switch mechanism {
	case "OAUTHBEARER", "XOAUTH2":
		l.secret = token(t, m.issuer, account)
	case "EXTERNAL":
		l.secret = ""
		l.identity = m.authority.issue(t, filepath.Join(dir, "client.pem"), x509.Certificate{EmailAddresses: []string{account}})
	}
	return l
}

// forged is a login with what looks like a proof: a wrong password, a token of another issuer, the certificate of another one.
func (m *msa) forged(t *testing.T, l login) login {
	t.Helper()
	dir := openDir(t)
	switch l.mechanism {
	case "OAUTHBEARER", "XOAUTH2":
		l.secret = token(t, newIssuer(t, filepath.Join(dir, "jwks")), l.account)
	case "EXTERNAL":
		l.identity = m.authority.issue(t, filepath.Join(dir, "client.pem"), x509.Certificate{EmailAddresses: []string{l.stranger()}})
	default:
		l.secret += "x"
	}
	return l
}

// stranger is another one with a certificate, who has no account: a new one each time, since whoever fails again is told later.
func (l login) stranger() string { return l.tls + "." + l.account }

// takes runs a program that is to log in, as the nth with this mechanism, and to send.
func (m *msa) takes(t *testing.T, cmd *exec.Cmd, l login, nth int) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s: %v\n%s", cmd.Args[0], err, out)
		return
	}
	m.awaitN(t, nth, fmt.Sprintf(`msg=authenticated .* mechanism=%s user=%s account=%s$`, cmp.Or(l.mechanism, `\S+`), l.account, l.account))
}

// refuses runs a program that is refused, as the nth with this mechanism.
func (m *msa) refuses(t *testing.T, cmd *exec.Cmd, l login, nth int) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("%s is content, and should not be:\n%s", cmd.Args[0], out)
		return
	}
	user := l.account
	if l.mechanism == "EXTERNAL" {
		user = `\w+\.` + user
	}
	m.awaitN(t, nth, fmt.Sprintf(`msg="authentication failed" .* mechanism=%s user=%s `, l.mechanism, user))
}

// expectLetters checks that a mailbox has these letters, whole, and no others.
func (m *msa) expectLetters(t *testing.T, localPart string, sent []string) {
	t.Helper()
	if len(sent) > 0 {
		m.awaitN(t, len(sent), `to=<`+regexp.QuoteMeta(localPart)+`@example\.org> .*status=delivered`)
	}
	var got []string
	for _, f := range inMailbox(m.shelf.visible(t, nil), localPart) {
		mechanism, tls, _ := strings.Cut(letterID(f.text), " ")
		l := login{mechanism: mechanism, tls: tls, account: localPart + "@example.org"}
		got = append(got, l.id())
		f.sameContent(t, l.own())
		with := map[string]string{"none": "ESMTPA", "starttls": "ESMTPSA", "implicit": "ESMTPSA"}[tls]
		expectField(t, f, "Received", `by mda\.example\.org.* with `+with+` id `)
		expectField(t, f, "Return-Path", "^<"+regexp.QuoteMeta(l.account)+">$")
	}
	slices.Sort(got)
	slices.Sort(sent)
	if !slices.Equal(got, sent) {
		t.Errorf("%s has %q, and was sent %q", localPart, got, sent)
	}
}
