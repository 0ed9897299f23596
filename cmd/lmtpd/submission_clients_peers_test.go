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

// A submitter is a program that hands in mail.
type submitter struct {
	name       string
	packages   string
	probe      []string // a command that fails where something is missing
	mechanisms []string // those it knows and lmtpd too
	command    func(*testing.T, login) *exec.Cmd
}

// A login is how a program is to log in, and what it is to do then: to send a letter from the account to the account.
type login struct {
	mechanism string // "": the program chooses
	tls       string // "none", "starttls" or "implicit"
	host      string
	port      string
	ca        string // file of the certificate that the daemon's leads to
	account   string
	secret    string // password or token; "" is none
	identity  string // file of the client's certificate and key; "" is none
	letter    string // file with CRLF line ends
}

// helo is what they call themselves.
const helo = "client.example.net"

func submitters() []submitter {
	return []submitter{
		{"swaks", "swaks libnet-ssleay-perl", []string{"swaks", "--version"}, []string{"PLAIN", "LOGIN", "CRAM-MD5"}, swaks},
		{"msmtp", "msmtp", []string{"msmtp", "--version"}, []string{
			"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "OAUTHBEARER", "XOAUTH2", "EXTERNAL",
		}, msmtp},
		{"curl", "curl", []string{"curl", "--version"}, []string{"PLAIN", "LOGIN", "CRAM-MD5", "OAUTHBEARER", "EXTERNAL"}, curl},
		{"smtplib", "python3", []string{"python3", "-c", "import smtplib, ssl"}, []string{"PLAIN", "LOGIN", "CRAM-MD5"}, smtplib},
		{"smtp_auth", "libnet-smtpauth-perl libauthen-sasl-perl libio-socket-ssl-perl",
			[]string{"perl", "-MNet::SMTP_auth", "-MIO::Socket::SSL", "-e", "1"},
			[]string{"PLAIN", "LOGIN", "CRAM-MD5", "EXTERNAL"}, smtpAuth},
	}
}

// needs skips a test without a program, or fails it where LMTPD_PEERS says that it must be there.
func (s submitter) needs(t *testing.T) {
	t.Helper()
	if out, err := exec.Command(s.probe[0], s.probe[1:]...).CombinedOutput(); err != nil {
		complain(t)("%s is missing: apt-get install %s (%v, %s)", s.name, s.packages, err, out)
	}
}

// account is whom a program logs in as.
func (s submitter) account() string { return s.name + "@example.org" }

// swaks puts a line end behind what it is given.
func swaks(t *testing.T, l login) *exec.Cmd {
	args := []string{
		"--server", l.host, "--port", l.port, "--helo", helo, "--from", l.account, "--to", l.account, "--data", "-",
		"--auth-user", l.account, "--auth-password", l.secret, "--suppress-data",
	}
	args = append(args, map[string][]string{"starttls": {"--tls"}, "implicit": {"--tls-on-connect"}}[l.tls]...)
	if l.tls != "none" {
		args = append(args, "--tls-verify", "--tls-ca-path", l.ca)
	}
	args = append(args, "--auth")
	if l.mechanism != "" {
		args = append(args, l.mechanism)
	}
	cmd := exec.Command("swaks", args...)
	cmd.Stdin = strings.NewReader(strings.TrimSuffix(read(t, l.letter), "\r\n"))
	return cmd
}

func msmtp(t *testing.T, l login) *exec.Cmd {
	dir := t.TempDir()
	secret, config := filepath.Join(dir, "secret"), filepath.Join(dir, "msmtprc")
	writeFile(t, secret, l.secret+"\n")
	settings := []string{
		"account default", "host " + l.host, "port " + l.port, "domain " + helo, "from " + l.account, "user " + l.account,
		"passwordeval cat " + secret, "auth " + cmp.Or(strings.ToLower(l.mechanism), "on"),
	}
	if l.tls == "none" {
		settings = append(settings, "tls off")
	} else {
		settings = append(settings, "tls on", "tls_trust_file "+l.ca, "tls_starttls "+map[string]string{"starttls": "on", "implicit": "off"}[l.tls])
	}
	if l.identity != "" {
		settings = append(settings, "tls_cert_file "+l.identity, "tls_key_file "+l.identity)
	}
	writeFile(t, config, strings.Join(settings, "\n")+"\n")
	cmd := exec.Command("msmtp", "--file="+config, "--", l.account)
	cmd.Stdin = strings.NewReader(string(onDisk([]byte(read(t, l.letter)))))
	return cmd
}

// curl sends an initial response if it is told to, here with implicit TLS.
func curl(t *testing.T, l login) *exec.Cmd {
	scheme := "smtp"
	args := []string{"--disable", "--no-progress-meter", "--noproxy", "*", "--cacert", l.ca, "--mail-from", l.account, "--mail-rcpt", l.account, "--upload-file", l.letter}
	switch l.tls {
	case "starttls":
		args = append(args, "--ssl-reqd")
	case "implicit":
		scheme = "smtps"
		args = append(args, "--sasl-ir")
	}
	if l.mechanism != "" {
		args = append(args, "--login-options", "AUTH="+l.mechanism)
	}
	if l.mechanism == "OAUTHBEARER" || l.mechanism == "XOAUTH2" {
		args = append(args, "--user", l.account+":", "--oauth2-bearer", l.secret)
	} else {
		args = append(args, "--user", l.account+":"+l.secret)
	}
	if l.identity != "" {
		args = append(args, "--cert", l.identity, "--key", l.identity)
	}
	return exec.Command("curl", append(args, fmt.Sprintf("%s://%s:%s/%s", scheme, l.host, l.port, helo))...)
}

const smtplibScript = `
import smtplib, ssl, sys
mechanism, tls, host, port, ca, account, secret, identity, letter = sys.argv[1:]
context = ssl.create_default_context(cafile=ca)
if tls == "implicit":
    smtp = smtplib.SMTP_SSL(host, int(port), "client.example.net", context=context)
else:
    smtp = smtplib.SMTP(host, int(port), "client.example.net")
    if tls == "starttls":
        smtp.starttls(context=context)
smtp.ehlo()
if mechanism:
    smtp.user, smtp.password = account, secret
    method = getattr(smtp, "auth_" + mechanism.lower().replace("-", "_"))
    smtp.auth(mechanism, method, initial_response_ok=tls == "implicit")
else:
    smtp.login(account, secret)
with open(letter, "rb") as f:
    smtp.sendmail(account, [account], f.read())
smtp.quit()
`

func smtplib(t *testing.T, l login) *exec.Cmd { return script(l, "python3", "-c", smtplibScript) }

// TLS makes an object of Net::SMTP_auth one of Net::SMTP, which has no way of logging in with a mechanism of one's choice.
const smtpAuthScript = `
use strict;
use Net::SMTP_auth;
@Net::SMTP::_SSL::ISA = ('IO::Socket::SSL', 'Net::SMTP_auth');
my ($mechanism, $tls, $host, $port, $ca, $account, $secret, $identity, $letter) = @ARGV;
my %tls = (SSL_ca_file => $ca, SSL_verify_mode => 1);
@tls{qw(SSL_cert_file SSL_key_file)} = ($identity, $identity) if $identity;
my $smtp = Net::SMTP_auth->new($host, Port => $port, Hello => 'client.example.net', $tls eq 'implicit' ? (SSL => 1, %tls) : ()) or die "$@";
$tls ne 'starttls' or $smtp->starttls(%tls) or die "$@", $smtp->message;
$mechanism ? $smtp->auth($mechanism, $account, $secret) : $smtp->Net::SMTP::auth($account, $secret);
$smtp->code == 235 or die $smtp->code, $smtp->message;
open my $in, '<:raw', $letter or die;
$smtp->mail($account) && $smtp->to($account) && $smtp->data(<$in>) or die $smtp->message;
$smtp->quit;
`

func smtpAuth(t *testing.T, l login) *exec.Cmd { return script(l, "perl", "-e", smtpAuthScript, "--") }

// script is a command with a login as its arguments.
func script(l login, command ...string) *exec.Cmd {
	args := append(command, l.mechanism, l.tls, l.host, l.port, l.ca, l.account, l.secret, l.identity, l.letter)
	return exec.Command(args[0], args[1:]...)
}

// clientPassword is one that a program has to take as it stands.
const clientPassword = `se cret=2C,"%u\'`

// Every program logs in with every mechanism that both know, and sends; what proves nothing is refused.
func TestClientsSubmit(t *testing.T) {
	m := prepareMSA(t, newDaemon(t), "")
	for _, s := range submitters() {
		m.add(t, s.account(), clientPassword, "PLAIN")
	}
	m.start(t)
	for _, s := range submitters() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			s.needs(t)
			var sent []string
			for _, mechanism := range s.mechanisms {
				for i, tls := range ways(mechanism) {
					t.Run(mechanism+"/"+tls, func(t *testing.T) {
						l := m.login(t, s.account(), mechanism, tls)
						m.refuses(t, s.command(t, m.forged(t, l)), l, i+1)
						m.takes(t, s.command(t, l), l, i+1)
						sent = append(sent, l.id())
					})
				}
			}
			m.expectLetters(t, s.name, sent)
		})
	}
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
