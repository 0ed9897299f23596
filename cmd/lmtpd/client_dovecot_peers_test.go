package main_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// dovecotOneFull is for accounts with a quota that LMTP minds.
const dovecotOneFull = dovecotShared + `
protocol lmtp {
  mail_plugins = quota
}
`

// Dovecot takes a message over LMTP for some recipients, refuses one before the content, and another after it: each result is that
// of its recipient.
func TestClientToDovecot(t *testing.T) {
	needPeers(t, "dovecot")
	t.Parallel()
	dir := openDir(t)
	users := filepath.Join(dir, "users")
	line := "%s:{PLAIN}test:%d:%d::" + filepath.Join(dir, "home") + "::%s\n"
	var text strings.Builder
	for _, name := range []string{"ann", "ben"} {
		fmt.Fprintf(&text, line, name+"@example.org", mailUID, mailUID, "")
	}
	fmt.Fprintf(&text, line, "full@example.org", mailUID, mailUID, "userdb_quota_rule=*:bytes=1000")
	writeFile(t, users, text.String())
	root := filepath.Join(dir, "mail")
	mkdirOwned(t, root)
	dv := launchDovecot(t, root, strings.ReplaceAll(dovecotOneFull, "USERS", users))

	conn, err := client.Dial(t.Context(), client.Address{Dialect: client.LMTP(), Network: "unix", Name: dv.lmtp}, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := letter("mixed", 5000)
	m := client.Message{From: smtp.Path{Local: "bob", Domain: "example.net"}, Content: bytes.NewReader(body), LineEnds: client.AsIs, Size: int64(len(body))}
	for _, local := range []string{"ann", "full", "nobody", "ben", "ann"} {
		m.Recipients = append(m.Recipients, smtp.Recipient{To: smtp.Path{Local: local, Domain: "example.org"}})
	}
	results, err := conn.Send(t.Context(), m)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{
		"250 2.0.0 <ann@example.org>", "552 5.2.2 <full@example.org>", "550 5.1.1 <nobody@example.org>", "250 2.0.0 <ben@example.org>", "250 2.0.0 <ann@example.org>",
	} {
		if r := results[i]; r.Outcome != client.Known || !strings.HasPrefix(r.Reply.String(), want) {
			t.Errorf("recipient %d: %v %s, want %s", i, r.Outcome, r.Reply, want)
		}
	}
	if err := conn.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	for local, want := range map[string]int{"ann": 1, "ben": 1, "full": 0} {
		got := visible(t, filepath.Join(root, "example.org", local))
		if len(got) < want || want == 0 && len(got) > 0 {
			t.Errorf("%s has %d messages", local, len(got))
			continue
		}
		for _, f := range got {
			f.sameContent(t, body)
		}
	}
}
