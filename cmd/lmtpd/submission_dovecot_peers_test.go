package main_test

import (
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"testing"
)

// dovecotSubmission has Dovecot take mail from those who log in, with all of its mechanisms that have to do with passwords, and
// without making those wait who had a wrong one before. It would hand on what it takes to a host that is not there, and does not ask
// it what it can do.
const dovecotSubmission = `
protocols = imap lmtp submission
ssl = yes
ssl_cert = <CERTIFICATE
ssl_key = <CERTIFICATE
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
submission_relay_host = 127.0.0.1
submission_relay_port = 1
submission_backend_capabilities = 8BITMIME
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service submission-login {
  inet_listener submission {
    address = 127.0.0.1
    port = PORT
  }
}
passdb {
  driver = passwd-file
  args = scheme=PLAIN username_format=%u USERS
}
userdb {
  driver = static
  args = uid=UID gid=UID home=DIR/home/%u allow_all_users=yes
}
`

// startDovecotSubmission starts Dovecot with accounts whose passwords are kept as they are, and returns where it takes mail:
// host:port. certificate is the path of its certificate, and of its key.
func startDovecotSubmission(t *testing.T, certificate string, accounts map[string]string) string {
	t.Helper()
	address := freePort(t)
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	users := ""
	for name, secret := range accounts {
		users += fmt.Sprintf("%s:{PLAIN}%s\n", name, secret)
	}
	file := filepath.Join(openDir(t), "users")
	writeFile(t, file, users)
	fill := strings.NewReplacer("CERTIFICATE", certificate, "PORT", port, "USERS", file)
	d := launchDovecot(t, openDir(t), fill.Replace(dovecotSubmission))
	awaitSocket(t, d.child, "tcp", address)
	return address
}
