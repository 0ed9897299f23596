package main_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// state describes what IMAP shows of a mailbox: folders, subscriptions and every message of two folders.
func (c *imap) state() (all []string) {
	c.t.Helper()
	for _, verb := range []string{"LIST", "LSUB"} {
		names := c.folders(verb)
		slices.Sort(names)
		all = append(all, fmt.Sprintf("%s %q", verb, slices.DeleteFunc(names, func(n string) bool { return n == "INBOX" })))
	}
	for _, folder := range []string{"INBOX", folderIMAP} {
		for _, m := range c.fetchAll(folder) {
			flags := slices.DeleteFunc(strings.Fields(m.flags), func(f string) bool { return f == `\Recent` })
			slices.Sort(flags)
			all = append(all, fmt.Sprintf("%s %d %q %q", folder, m.date.Unix(), flags, m.text))
		}
	}
	slices.Sort(all)
	return all
}

// A mailbox that Dovecot wrote goes to a database, an mbox and back into maildirs, and Dovecot shows the same.
func TestDovecotMailboxThereAndBack(t *testing.T) {
	needPeers(t, "postfix", "dovecot", "doveadm")
	t.Parallel()
	d := startDaemon(t)
	dv := startDovecot(t, d.root)
	ann := dv.login(t, "ann@example.org")
	ann.do("CREATE %q", folderIMAP)
	ann.do("SUBSCRIBE %q", folderIMAP)
	ann.do("CREATE Empty")
	ann.append("INBOX", `(\Seen $Label1 NonJunk) "07-Aug-2019 06:05:04 +0200"`, letter("one", 1000))
	ann.append("INBOX", `(\Flagged) "07-Aug-2019 06:05:05 +0000"`, letter("two", 100))
	ann.append(folderIMAP, `(work $Forwarded $Label1) "01-Jan-1999 00:00:00 +0000"`, letter("three", 100_000))
	ann.append(folderIMAP, `() "01-Jan-1999 00:00:00 +0000"`, []byte("Subject: From here\r\n\r\nFrom here\r\n>From there\r\nno end"))

	place := filepath.Join(openDir(t), "place")
	mkdirOwned(t, place)
	copied := filepath.Join(place, "copied")
	lmtpd := func(args ...string) {
		t.Helper()
		output(t, d.command(append([]string{"mailbox"}, args...)...))
	}
	lmtpd("copy", "maildir:"+d.root+"/%d/%n", "sqlite:"+place+"/mail.db")
	lmtpd("copy", "--domain", "example.com", "sqlite:"+place+"/mail.db", "maildir:"+copied+"/%d/%n")
	lmtpd("export", "--config", d.config, "ann@example.org", "mbox:"+place+"/ann.mbox")
	lmtpd("import", "--config", d.config, "bob@example.org", "mbox:"+place+"/ann.mbox")
	lmtpd("import", "--config", d.config, "carl@example.org", "maildir:"+filepath.Join(copied, "example.org", "ann"))
	chownMail(t, d.root)

	want := ann.state()
	carl := dv.login(t, "carl@example.org")
	if got := carl.state(); !slices.Equal(got, want) {
		t.Errorf("through a database and maildirs:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	messages := func(state []string) []string {
		return slices.DeleteFunc(state, func(s string) bool { return strings.HasPrefix(s, "L") })
	}
	bob := dv.login(t, "bob@example.org")
	if got, want := messages(bob.state()), messages(want); !slices.Equal(got, want) {
		t.Errorf("through an mbox:\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	for _, c := range []*imap{ann, bob, carl} {
		c.do("LOGOUT")
	}
	dv.satisfied(t)
}
