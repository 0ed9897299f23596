package client

import (
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// eximConf has Exim offer PRDR, take everything for ann, and put off and refuse content for two others.
const eximConf = `
spool_directory = DIR
log_file_path = DIR/%slog
primary_hostname = exim.example.net
host_lookup =
rfc1413_hosts =
keep_environment =
prdr_enable = true
chunking_advertise_hosts = *
acl_smtp_rcpt = everybody
acl_smtp_data = everybody
acl_smtp_data_prdr = each
begin acl
everybody:
  accept
each:
  defer condition = ${if eq{$local_part}{full}}
        message = Mailbox full
  deny  condition = ${if eq{$local_part}{picky}}
        message = Not this
  accept
`

// eximDir makes a directory for the user that Exim becomes. t.TempDir is for nobody but the user of the test.
func eximDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "exim")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	account, err := user.Lookup("Debian-exim")
	if err != nil {
		t.Fatal(err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err == nil {
		err = os.Chown(dir, uid, -1)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// exim opens a session with an Exim that takes mail, and keeps none (-bh).
func exim(t *testing.T) *Conn {
	t.Helper()
	path, dir := program(t, "exim4"), eximDir(t)
	config := filepath.Join(t.TempDir(), "exim.conf")
	if err := os.WriteFile(config, []byte(strings.ReplaceAll(eximConf, "DIR", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	ours, theirs := pair(t)
	defer theirs.Close()
	end, err := theirs.(*net.TCPConn).File()
	if err != nil {
		t.Fatal(err)
	}
	defer end.Close()
	cmd := exec.Command(path, "-C", config, "-bh", "127.0.0.1")
	cmd.Stdin, cmd.Stdout = end, end
	var said strings.Builder
	cmd.Stderr = &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for said, one := "", make([]byte, 1); !strings.HasSuffix(said, "not for real!\n\n"); said += string(one) {
		if _, err := ours.Read(one); err != nil {
			t.Fatalf("%v after %q", err, said)
		}
	}
	c, err := New(t.Context(), ours, ESMTP(), Options{})
	t.Cleanup(func() {
		ours.Close()
		_ = cmd.Wait() // it is gone with the connection
		if t.Failed() {
			t.Log(said.String())
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Exim answers for each recipient where PRDR asks for it, whichever way the content goes.
func TestEximPRDR(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root may give Exim a configuration")
	}
	for _, tt := range []struct {
		to   string
		want []int // codes
	}{
		{"ann picky full", []int{250, 550, 450}},
		{"picky picky ann", []int{550, 550, 250}},
		{"ann", []int{250}},
	} {
		for _, chunking := range []bool{false, true} {
			c := exim(t)
			if !c.Extensions().Has("PRDR") || !c.Extensions().Has("CHUNKING") {
				t.Fatalf("it offers %q", c.Extensions())
			}
			m := letter(strings.Fields(tt.to)...)
			m.PRDR, m.Chunking, m.Content = true, chunking, strings.NewReader(strings.Repeat("la de da\n", chunkSize/4)) // several chunks
			results, err := c.Send(t.Context(), m)
			var got []int
			for _, r := range results {
				got = append(got, r.Reply.Code)
			}
			if err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%s, chunking %v: %q, %v; want %v", tt.to, chunking, told(results), err, tt.want)
			}
		}
	}
}
