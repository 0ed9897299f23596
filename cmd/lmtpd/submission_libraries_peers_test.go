package main_test

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Postfix hands mail on as a client, with each mechanism of Cyrus SASL that both know.
func TestPostfixSubmits(t *testing.T) {
	needPeers(t, "postfix")
	t.Parallel()
	m := prepareMSA(t, newDaemon(t), "")
	dir := openDir(t)
	transports, passwords := filepath.Join(dir, "transports"), filepath.Join(dir, "passwords")
	p := preparePostfix(t,
		"smtp_sasl_auth_enable = yes", "smtp_sasl_security_options = noanonymous", "smtp_sender_dependent_authentication = yes",
		"smtp_sasl_password_maps = texthash:"+passwords, "transport_maps = texthash:"+transports, "smtp_tls_CAfile = "+m.ca(),
		"smtp_tls_security_level = secure", "smtp_tls_secure_cert_match = mda.example.org")
	var logins []login
	services := read(t, filepath.Join(p.etc, "master.cf"))
	var routes, secrets strings.Builder
	for _, mechanism := range []string{"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256"} {
		for _, tls := range []string{"starttls", "implicit"} {
			name := strings.ToLower(mechanism + "-" + tls)
			l := m.login(t, name+"@example.org", mechanism, tls)
			m.add(t, l.account, clientPassword, "PLAIN")
			fmt.Fprintf(&routes, "%s %s:[%s]:%s\n", l.account, name, l.host, l.port)
			fmt.Fprintf(&secrets, "%[1]s %[1]s:%s\n", l.account, l.secret)
			services += fmt.Sprintf("%s unix - - n - - smtp -o smtp_sasl_mechanism_filter=%s -o smtp_tls_wrappermode=%s\n",
				name, mechanism, map[string]string{"starttls": "no", "implicit": "yes"}[tls])
			logins = append(logins, l)
		}
	}
	forged := m.login(t, "forged@example.org", "PLAIN", "starttls")
	m.add(t, forged.account, clientPassword, "PLAIN")
	fmt.Fprintf(&routes, "%s plain-starttls:[%s]:%s\n", forged.account, forged.host, forged.port)
	fmt.Fprintf(&secrets, "%[1]s %[1]s:wrong\n", forged.account)
	writeFile(t, filepath.Join(p.etc, "master.cf"), services)
	writeFile(t, transports, routes.String())
	writeFile(t, passwords, secrets.String())
	m.start(t)
	p.start(t)
	for _, l := range logins {
		id := p.submit(t, submission{from: "<" + l.account + "> BODY=8BITMIME", to: []string{"<" + l.account + ">"}, body: l.own()})[0]
		p.await(t, fmt.Sprintf(`smtp\[\d+\]: %s: to=<%s>, .*status=sent `, id, regexp.QuoteMeta(l.account)))
		m.await(t, fmt.Sprintf(`msg=authenticated .* mechanism=%s user=%s `, l.mechanism, l.account))
		local, _, _ := strings.Cut(l.account, "@")
		m.expectLetters(t, local, []string{l.id()})
	}
	id := p.submit(t, submission{from: "<" + forged.account + ">", to: []string{"<" + forged.account + ">"}, body: forged.own()})[0]
	p.await(t, fmt.Sprintf(`smtp\[\d+\]: %s: to=.*status=deferred .*535 5\.7\.8`, id))
	m.expectLetters(t, "forged", nil)
}

// GNU SASL binds its exchanges to the channel (RFC 5802 §6). Its program logs in and sends nothing.
func TestGNUSASLLogsIn(t *testing.T) {
	t.Parallel()
	if out, err := exec.Command("gsasl", "--version").CombinedOutput(); err != nil {
		complain(t)("gsasl is missing: apt-get install gsasl (%v, %s)", err, out)
	}
	m := prepareMSA(t, newDaemon(t), "")
	const account = "gsasl@example.org"
	m.add(t, account, clientPassword, "PLAIN")
	m.start(t)
	for _, mechanism := range []string{
		"PLAIN", "LOGIN", "CRAM-MD5", "SCRAM-SHA-1", "SCRAM-SHA-256", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256-PLUS", "EXTERNAL",
	} {
		t.Run(mechanism, func(t *testing.T) {
			l := m.login(t, account, mechanism, "starttls")
			m.refuses(t, gsasl(m.forged(t, l)), l, 1)
			m.takes(t, gsasl(l), l, 1)
		})
	}
}

func gsasl(l login) *exec.Cmd {
	args := []string{
		"--smtp", "--starttls", "--connect=" + net.JoinHostPort(l.host, l.port), "--hostname=mda.example.org", "--x509-ca-file=" + l.ca,
		"--mechanism=" + l.mechanism, "--authentication-id=" + l.account, "--authorization-id=", "--password=" + l.secret,
	}
	if l.identity != "" {
		args = append(args, "--x509-cert-file="+l.identity, "--x509-key-file="+l.identity)
	}
	return exec.Command("gsasl", args...)
}
