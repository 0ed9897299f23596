package main_test

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// eximConf has Exim take mail from those who log in and from nobody else, asking no DNS, with all of its mechanisms that have to do
// with passwords.
const eximConf = `
spool_directory = DIR/spool
log_file_path = DIR/spool/%slog
pid_file_path = DIR/spool/pid
primary_hostname = exim.example.net
auth_advertise_hosts = *
host_lookup =
rfc1413_hosts =
keep_environment =
tls_advertise_hosts = *
tls_certificate = CERTIFICATE
tls_privatekey = CERTIFICATE
SECRET = ${lookup{$auth1}lsearch{DIR/passwords}{$value}fail}
begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_prompts = :
  server_condition = ${if eq{$auth3}{${lookup{$auth2}lsearch{DIR/passwords}{$value}fail}}}
  server_set_id = $auth2
login:
  driver = plaintext
  public_name = LOGIN
  server_prompts = User Name and nothing else : Geheimwort
  server_condition = ${if eq{$auth2}{SECRET}}
  server_set_id = $auth1
cram:
  driver = cram_md5
  public_name = CRAM-MD5
  server_secret = SECRET
  server_set_id = $auth1
spa:
  driver = spa
  public_name = NTLM
  server_password = SECRET
  server_set_id = $auth1
`

// startExim starts an Exim of its own with accounts, whose passwords are kept as they are, and returns where it takes mail: host:port.
// certificate is the path of its certificate, and of its key.
func startExim(t *testing.T, certificate string, accounts map[string]string) string {
	t.Helper()
	dir := openDir(t)
	if err := os.Mkdir(filepath.Join(dir, "spool"), 0o755); err != nil {
		t.Fatal(err)
	}
	passwords := ""
	for name, secret := range accounts {
		passwords += name + ": " + secret + "\n"
	}
	writeFile(t, filepath.Join(dir, "passwords"), passwords)
	for _, path := range []string{filepath.Join(dir, "spool"), filepath.Join(dir, "passwords"), certificate} {
		chownTo(t, "Debian-exim", path)
	}
	config := filepath.Join(dir, "exim.conf")
	writeFile(t, config, strings.NewReplacer("DIR", dir, "CERTIFICATE", certificate).Replace(eximConf))
	address := freePort(t)
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	e := startChild(t, exec.Command("exim4", "-bdf", "-C", config, "-oX", host+"."+port))
	awaitSocket(t, e, "tcp", address)
	return address
}
