package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"lmtpd/store"
	"lmtpd/store/maildir"
)

const dovecotQuota = `
mail_plugins = quota
protocol imap {
  mail_plugins = quota imap_quota
}
plugin {
  quota = maildir:User quota
  quota_rule = *:bytes=1000000:messages=100
  quota_rule2 = Junk:ignore
  quota_rule3 = Junk/*:ignore
}
`

// A shared mailbox is one whose quota lmtpd and Dovecot keep together.
type sharedMailbox struct {
	*testing.T
	store   *maildir.Store
	d       *daemon
	dv      *dovecot
	mailbox store.Mailbox
}

// What the one enters into maildirsize the other reads, to the octet, and neither counts anew what the other has counted.
func TestQuotaBesideDovecot(t *testing.T) {
	needPeers(t, "postfix", "dovecot", "doveadm")
	t.Parallel()
	d := newDaemon(t)
	m := sharedMailbox{T: t, store: openMaildirs(t, d), d: d, dv: startDovecot(t, d.root, dovecotQuota), mailbox: store.Mailbox{
		Name:  "ann@example.org",
		Quota: store.Quota{Usage: store.Usage{Octets: 1000000, Messages: 100}, Ignore: []string{"Junk"}},
	}}
	m.deliver("", letter("before", 1500)) // nobody has counted yet
	m.agree("we count first", 1)
	ours := m.inode()
	im := m.dv.login(t, m.mailbox.Name)
	for _, folder := range []string{"Work", "Junk"} {
		im.do("CREATE %s", folder)
	}
	m.turn("ours", im)
	if !os.SameFile(m.inode(), ours) {
		t.Error("Dovecot counted anew what we had counted")
	}
	m.dv.doveadm(t, "quota", "recalc", "-u", m.mailbox.Name)
	theirs := m.inode()
	if os.SameFile(theirs, ours) {
		t.Error("Dovecot did not count anew when it was told to")
	}
	m.agree("Dovecot counts", 7)
	m.turn("theirs", im)
	m.agree("at the end", 13)
	if !os.SameFile(m.inode(), theirs) {
		t.Error("we counted anew what Dovecot had counted")
	}
	used, err := m.store.Usage(t.Context(), m.mailbox)
	if err != nil {
		t.Error(err)
	}
	m.dv.doveadm(t, "quota", "recalc", "-u", m.mailbox.Name)
	if got, want := m.file(), fmt.Sprintf("1000000S,100C\n%d %d\n", used.Octets, used.Messages); got != want {
		t.Errorf("Dovecot counts anew: %q, want %q", got, want)
	}
	if again, err := m.store.Recount(t.Context(), m.mailbox); err != nil || again != used {
		t.Errorf("we count anew: %+v, %v, want %+v", again, err, used)
	}
	m.dv.satisfied(t)
}

// turn has both deliver and remove, six messages more at its end, and they agree at each step.
func (m *sharedMailbox) turn(whose string, im *imap) {
	m.Helper()
	used, err := m.store.Usage(m.Context(), m.mailbox)
	if err != nil {
		m.Fatal(err)
	}
	n := used.Messages
	for _, step := range []struct {
		name string
		do   func()
		more int64
	}{
		{"we deliver", func() { m.deliver("", letter("ours", 2000)) }, 1},
		{"Dovecot delivers", func() { dial(m.T, "unix", m.dv.lmtp).lhlo().transaction(letter("theirs", 3001), m.mailbox.Name) }, 1},
		{"we deliver to a folder", func() { m.deliver("Work", letter("filed", 40_003)) }, 1},
		{"Dovecot appends to a folder", func() { im.append("Work", `(\Seen)`, letter("appended", 7000)) }, 1},
		{"we deliver to an ignored folder", func() { m.deliver("Junk", letter("junk", 5000)) }, 0},
		{"Dovecot appends to an ignored folder", func() { im.append("Junk", "", letter("junk", 5000)) }, 0},
		{"bare line ends", func() { m.deliver("", []byte("Subject: x\r\n\r\na\nb\rc\r\n")) }, 1},
		{"Dovecot expunges", func() {
			im.do("SELECT INBOX")
			im.do(`STORE 1 +FLAGS (\Deleted)`)
			im.do("EXPUNGE")
		}, -1},
		{"Dovecot moves", func() { im.do("MOVE 1 Junk") }, -1},
		{"Dovecot moves back", func() {
			im.do("SELECT Junk")
			im.do("MOVE 1:2 INBOX")
		}, 2},
		{"we remove", func() { m.remove("Work") }, -1},
		{"we remove from an ignored folder", func() { m.remove("Junk") }, 0},
		{"we deliver again", func() { m.deliver("", letter("again", 999)) }, 1},
		{"and again", func() { m.deliver("Work", letter("again", 998)) }, 1},
	} {
		step.do()
		n += step.more
		m.agree(whose+": "+step.name, n)
	}
}

func (m *sharedMailbox) deliver(folder string, message []byte) {
	m.Helper()
	err := m.store.Deliver(m.Context(), bytes.NewReader(message), []store.Placement{{Mailbox: m.mailbox, Folder: folder}})[0]
	if err != nil {
		m.Fatal(err)
	}
	chownMail(m, m.d.root)
}

// remove removes the oldest message of a folder.
func (m *sharedMailbox) remove(folder string) {
	m.Helper()
	list, err := m.store.Messages(m.Context(), m.mailbox, folder)
	if err == nil && len(list) > 0 {
		err = m.store.Remove(m.Context(), m.mailbox, folder, list[0].ID)
	}
	if err != nil || len(list) == 0 {
		m.Fatalf("%d messages, %v", len(list), err)
	}
}

// agree has both say what the mailbox holds. Dovecot tells kilobytes; the octets are compared when it counts anew.
func (m *sharedMailbox) agree(when string, messages int64) {
	m.Helper()
	used, err := m.store.Usage(m.Context(), m.mailbox)
	chownMail(m, m.d.root)
	if err != nil || used.Messages != messages {
		m.Errorf("%s: we say %+v, %v, want %d messages", when, used, err, messages)
	}
	told := m.dv.doveadm(m.T, "-f", "flow", "quota", "get", "-u", m.mailbox.Name)
	for _, want := range []string{"Type=STORAGE Value=" + fmt.Sprint((used.Octets+1023)/1024), "Type=MESSAGE Value=" + fmt.Sprint(used.Messages)} {
		if !strings.Contains(strings.Join(told, " ")+" ", want+" ") {
			m.Errorf("%s: Dovecot says %q, want %s (%+v)", when, told, want, used)
		}
	}
	var there store.Usage // as the files tell
	for _, f := range visible(m, m.d.mailbox("ann")) {
		if !slices.Contains(strings.Split(f.path, "/"), ".Junk") {
			there.Messages++
			there.Octets += int64(len(f.text))
		}
	}
	if there != used {
		m.Errorf("%s: we say %+v, the files %+v", when, used, there)
	}
}

// inode tells whether maildirsize is another file.
func (m *sharedMailbox) inode() os.FileInfo {
	m.Helper()
	fi, err := os.Stat(filepath.Join(m.d.mailbox("ann"), "maildirsize"))
	if err != nil {
		m.Fatal(err)
	}
	return fi
}

func (m *sharedMailbox) file() string {
	m.Helper()
	text, err := os.ReadFile(filepath.Join(m.d.mailbox("ann"), "maildirsize"))
	if err != nil {
		m.Fatal(err)
	}
	return string(text)
}
