package main_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// needPeers skips a test of real peers, or fails it where LMTPD_PEERS says that they must be there.
func needPeers(t *testing.T, programs ...string) {
	t.Helper()
	if os.Getuid() != 0 {
		complain(t)("Postfix and Dovecot change their users, so this test has to run as root")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			complain(t)("%s is missing: apt-get install postfix dovecot-core dovecot-lmtpd dovecot-imapd", program)
		}
	}
}

// complain is how a test says what it misses: where the peers are required it fails.
func complain(t *testing.T) func(format string, args ...any) {
	if os.Getenv("LMTPD_PEERS") == "required" {
		return t.Fatalf
	}
	return t.Skipf
}

// A postfix is an instance of its own: its configuration, queue and data are in a temporary directory, it listens on
// one loopback port, asks no DNS, and has no transport but LMTP, so nothing can leave the machine. What it logs comes
// out as its output.
type postfix struct {
	*child
	etc      string
	queueDir string
	smtp     string // host:port of its smtpd
}

const postfixMain = `
compatibility_level = 3.6
queue_directory = DIR/spool
data_directory = DIR/data
myhostname = mta.example.net
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = loopback-only
inet_protocols = ipv4
maillog_file = /dev/stdout
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = example.org
virtual_mailbox_maps = static:all
default_transport = error:nothing leaves this machine
smtp_dns_support_level = disabled
smtpd_peername_lookup = no
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_delay_open_until_valid_rcpt = no
smtputf8_enable = yes
message_size_limit = 50000000
mailbox_size_limit = 0
in_flow_delay = 0
lmtp_send_xforward_command = yes
lmtp_connect_timeout = 10s
`

const postfixMaster = `
SMTP inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
showq unix n - n - - showq
scache unix - - n - 1 scache
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
`

// startPostfix starts Postfix with more lines for main.cf, and waits until it takes mail.
func startPostfix(t *testing.T, settings ...string) *postfix {
	t.Helper()
	p := preparePostfix(t, settings...)
	p.start(t)
	return p
}

// preparePostfix makes the directories and the configuration.
func preparePostfix(t *testing.T, settings ...string) *postfix {
	t.Helper()
	dir := openDir(t)
	p := &postfix{etc: filepath.Join(dir, "etc"), queueDir: filepath.Join(dir, "spool"), smtp: freePort(t)}
	for _, sub := range []string{"etc", "spool", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	chownTo(t, "postfix", filepath.Join(dir, "data"))
	main := strings.ReplaceAll(postfixMain, "DIR", dir) + strings.Join(settings, "\n") + "\n"
	writeFile(t, filepath.Join(p.etc, "main.cf"), main)
	writeFile(t, filepath.Join(p.etc, "master.cf"), strings.Replace(postfixMaster, "SMTP", p.smtp, 1))
	return p
}

// chroot puts the LMTP client into the queue's directory, where Debian's master.cf has it.
func (p *postfix) chroot(t *testing.T) {
	t.Helper()
	run(t, "postconf", "-c", p.etc, "-F", "lmtp/unix/chroot=y")
}

func (p *postfix) start(t *testing.T) {
	t.Helper()
	run(t, "postfix", "-c", p.etc, "check") // makes the directories of the queue
	daemons := strings.TrimSpace(run(t, "postconf", "-c", p.etc, "-h", "daemon_directory"))
	p.child = startChild(t, exec.Command(filepath.Join(daemons, "master"), "-c", p.etc, "-s"))
	p.await(t, `daemon started`)
	awaitSocket(t, p.child, "tcp", p.smtp)
}

func chownTo(t testing.TB, name, path string) {
	t.Helper()
	u, err := user.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if err := os.Chown(path, uid, gid); err != nil {
		t.Fatal(err)
	}
}

// A submission is a message for Postfix with its envelope. Parameters stand behind the paths.
type submission struct {
	from string // "<ann@example.org> SMTPUTF8"
	to   []string
	body []byte
	own  string // the client's own address; any of 127.0.0.0/8
}

var queuedAs = regexp.MustCompile(`queued as (\w+)`)

// submit gives messages to Postfix in one session and returns their queue IDs.
func (p *postfix) submit(t *testing.T, all ...submission) (ids []string) {
	t.Helper()
	var own net.Addr
	if all[0].own != "" {
		own = &net.TCPAddr{IP: net.ParseIP(all[0].own)}
	}
	d := dialFrom(t, own, "tcp", p.smtp)
	d.say(250, "EHLO client.example.net")
	for _, s := range all {
		d.say(250, "MAIL FROM:%s", s.from)
		for _, rcpt := range s.to {
			d.say(250, "RCPT TO:%s", rcpt)
		}
		d.say(354, "DATA")
		d.content(s.body)
		ids = append(ids, queuedAs.FindStringSubmatch(d.reply(250))[1])
	}
	d.say(221, "QUIT")
	return ids
}

// fate waits until Postfix logs what became of a recipient of a message, and returns the reply it was given.
func (p *postfix) fate(t *testing.T, id, rcpt, status string) string {
	t.Helper()
	return p.await(t, fmt.Sprintf(`(?:lmtp|error)\[\d+\]: %s: to=<%s>, .*status=%s \((.*)\)$`, id, regexp.QuoteMeta(rcpt), status))[1]
}

// flush makes Postfix try all that is deferred now.
func (p *postfix) flush(t *testing.T) {
	t.Helper()
	run(t, "postqueue", "-c", p.etc, "-f")
}

// queue returns the recipients that each message in the queue still has.
func (p *postfix) queue(t *testing.T) map[string][]string {
	t.Helper()
	type entry struct {
		ID         string `json:"queue_id"`
		Recipients []struct {
			Address string `json:"address"`
		} `json:"recipients"`
	}
	all := make(map[string][]string)
	listing := json.NewDecoder(strings.NewReader(run(t, "postqueue", "-c", p.etc, "-j")))
	for {
		var e entry
		if err := listing.Decode(&e); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		for _, r := range e.Recipients {
			all[e.ID] = append(all[e.ID], r.Address)
		}
	}
}
