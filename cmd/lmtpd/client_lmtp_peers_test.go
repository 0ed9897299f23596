package main_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// dovecotFew is for Dovecot's LMTP with a few accounts, one of which has hardly any room.
const dovecotFew = `
passdb {
  driver = static
  args = password=test
}
userdb {
  driver = passwd-file
  args = username_format=%%u %s
}
mail_plugins = quota
plugin {
  quota = count:User quota
  quota_vsizes = yes
}
`

// Of recipients that fare differently at Dovecot each hears its own, by its number, on one connection and again.
func TestClientDeliversToDovecot(t *testing.T) {
	needPeers(t, "dovecot", "doveadm")
	t.Parallel()
	dir := openDir(t)
	users := filepath.Join(dir, "users")
	var lines bytes.Buffer
	for name, more := range map[string]string{"ann": "", "bob": "", "full": "userdb_quota_rule=*:bytes=100"} {
		fmt.Fprintf(&lines, "%s@example.org::%d:%d::%s/home::%s\n", name, mailUID, mailUID, dir, more)
	}
	writeFile(t, users, lines.String())
	root := filepath.Join(dir, "mail")
	mkdirOwned(t, root)
	d := launchDovecot(t, root, fmt.Sprintf(dovecotFew, users))
	awaitSocket(t, d.child, "unix", d.lmtp)
	c, err := client.Dial(t.Context(), client.Address{Dialect: client.LMTP(), Network: "unix", Name: d.lmtp}, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	var to []smtp.Recipient
	for _, name := range []string{"ann", "full", "nobody", "bob"} {
		to = append(to, smtp.Recipient{To: smtp.Path{Local: name, Domain: "example.org"}})
	}
	for n := range 2 {
		id := fmt.Sprint("mixed-", n)
		results, err := c.Send(t.Context(), client.Message{
			From: smtp.Path{Local: "sender", Domain: "example.net"}, Recipients: to, Content: bytes.NewReader(letter(id, 2000)), LineEnds: client.AsIs,
		})
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range results {
			got = append(got, fmt.Sprint(r.Reply.Code, " ", r.Reply.Enhanced()))
		}
		if want := []string{"250 2.0.0", "552 5.2.2", "550 5.1.1", "250 2.0.0"}; !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q (%v)", id, got, want, results)
		}
		for _, name := range []string{"ann", "bob"} {
			if kept := len(visible(t, filepath.Join(root, "example.org", name))); kept != n+1 {
				t.Errorf("%s has %d messages, want %d", name, kept, n+1)
			}
		}
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
}
