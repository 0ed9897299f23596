package main_test

import (
	"cmp"
	"fmt"
	"os/exec"
	"path/filepath"
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
