package main_test

import (
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// An exim is an instance of its own: its configuration and spool are in a temporary directory, it listens on one loopback port,
// asks no DNS, and takes no mail. Who logs in has an account of Exim's own. What it logs comes out as its output.
type exim struct {
	*child
	smtp string // host:port
}

const eximConf = `
spool_directory = DIR/spool
log_file_path = DIR/spool/%slog
pid_file_path = DIR/spool/pid
primary_hostname = exim.example.net
auth_advertise_hosts = *
host_lookup =
rfc1413_hosts =
keep_environment =
smtp_accept_max_nonmail = 100
tls_advertise_hosts = *
tls_certificate = CERTIFICATE
tls_privatekey = CERTIFICATE
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if and{{eq{$auth2}{ann@example.org}}{eq{$auth3}{secret}}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User Name and nothing else : Geheimwort
  server_condition = ${if and{{eq{$auth1}{ann@example.org}}{eq{$auth2}{secret}}}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = ${if eq{$auth1}{ann@example.org}{secret}fail}
  server_set_id = $auth1
spa:
  driver = spa
  public_name = NTLM
  server_password = ${if eq{$auth1}{ann@example.org}{secret}fail}
  server_set_id = $auth1
`

// startExim starts Exim with a certificate, the path of which is that of its key too, and waits until it takes connections.
func startExim(t *testing.T, certificate string) *exim {
	t.Helper()
	dir := openDir(t)
	mkdirOwned(t, filepath.Join(dir, "spool"))
	chownTo(t, "Debian-exim", filepath.Join(dir, "spool"))
	chownTo(t, "Debian-exim", certificate)
	config := filepath.Join(dir, "exim.conf")
	writeFile(t, config, strings.NewReplacer("DIR", dir, "CERTIFICATE", certificate).Replace(eximConf))
	e := &exim{smtp: freePort(t)}
	host, port, err := net.SplitHostPort(e.smtp)
	if err != nil {
		t.Fatal(err)
	}
	e.child = startChild(t, exec.Command("exim4", "-bdf", "-C", config, "-oX", host+"."+port))
	awaitSocket(t, e.child, "tcp", e.smtp)
	return e
}
