package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// cyrusConf is for Cyrus SASL, which keeps the passwords as they are.
const cyrusConf = `
pwcheck_method: auxprop
auxprop_plugin: sasldb
sasldb_path: DB
mech_list: PLAIN LOGIN CRAM-MD5 DIGEST-MD5 SCRAM-SHA-1 SCRAM-SHA-256 NTLM
`

const postfixSASL = `
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = cyrus
smtpd_sasl_path = smtpd
smtpd_sasl_security_options = noanonymous
smtpd_sasl_local_domain = example.org
smtpd_error_sleep_time = 0
smtpd_tls_security_level = may
smtpd_tls_cert_file = CERTIFICATE
smtpd_tls_key_file = CERTIFICATE
`

// startPostfixWithSASL starts a Postfix whose accounts are in Cyrus SASL, the names with the domain example.org. certificate is the
// path of its certificate, and of its key.
func startPostfixWithSASL(t *testing.T, certificate string, accounts map[string]string) *postfix {
	t.Helper()
	p := preparePostfix(t, strings.ReplaceAll(postfixSASL, "CERTIFICATE", certificate))
	sasl := filepath.Join(p.etc, "sasl") // where Debian's Postfix looks, whatever cyrus_sasl_config_path says
	if err := os.Mkdir(sasl, 0o755); err != nil {
		t.Fatal(err)
	}
	db := filepath.Join(sasl, "sasldb")
	for name, secret := range accounts {
		local, domain, _ := strings.Cut(name, "@")
		cmd := exec.Command("saslpasswd2", "-p", "-c", "-f", db, "-u", domain, local)
		cmd.Stdin = strings.NewReader(secret)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("saslpasswd2: %v: %s", err, out)
		}
	}
	chownTo(t, "postfix", db)
	writeFile(t, filepath.Join(sasl, "smtpd.conf"), strings.ReplaceAll(cyrusConf, "DB", db))
	chownTo(t, "postfix", filepath.Join(sasl, "smtpd.conf"))
	master := filepath.Join(p.etc, "master.cf")
	writeFile(t, master, read(t, master)+"tlsmgr unix - - n 1000? 1 tlsmgr\n")
	p.start(t)
	return p
}
