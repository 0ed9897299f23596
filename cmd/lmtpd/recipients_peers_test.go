package main_test

import (
	"bytes"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const dovecotDetails = `
recipient_delimiter = +
lmtp_save_to_detail_mailbox = yes
lda_mailbox_autocreate = yes
lda_mailbox_autosubscribe = yes
`

// A folder that a detail has made is there over IMAP, subscribed to, with what was delivered; Dovecot delivers into the
// same ones for the same addresses.
func TestDovecotSeesFoldersOfDetails(t *testing.T) {
	needPeers(t, "postfix", "dovecot")
	t.Parallel()
	const ann = "ann@example.org"
	d := newDaemon(t)
	d.configure(t, `delimiter = "+"`, `detail = "create"`)
	d.start(t)
	dv := startDovecot(t, d.root, dovecotDetails)
	ours, theirs := dial(t, "unix", d.socket).lhlo(), dial(t, "unix", dv.lmtp).lhlo()
	details := []struct{ detail, folder string }{
		{"Lists", "Lists"},
		{"Archive.Größe", folderIMAP},
		{"Archive/Gro\u0308ße", folderIMAP}, // the same, as another keyboard writes it
		{"日本語", "&ZeVnLIqe-"},
		{"Q&A", "Q&-A"},
	}
	for _, made := range details {
		ours.say(250, "MAIL FROM:<sender@example.net> SMTPUTF8")
		ours.say(250, "RCPT TO:<ann+%s@example.org>", made.detail)
		ours.say(354, "DATA")
		ours.content(letter("in "+made.folder, 1000))
		ours.reply(250)
	}
	both := []string{"ann+Lists@example.org", "ann+More@example.org"}
	expectReplies(t, theirs.transaction(letter("theirs", 500), both...), "250 2.0.0", "250 2.0.0")
	expectReplies(t, ours.transaction(letter("ours", 500), both...), "250 2.1.5", "250 2.1.5")

	im := dv.login(t, ann)
	listed, subscribed, sizes := im.folders("LIST"), im.folders("LSUB"), announced(t, d.mailbox("ann"))
	for _, made := range details {
		if !slices.Contains(listed, made.folder) || !slices.Contains(subscribed, made.folder) {
			t.Errorf("%s: LIST tells of %q, LSUB of %q", made.detail, listed, subscribed)
		}
		if first := im.fetchAll(made.folder)[0]; !bytes.HasSuffix(first.text, letter("in "+made.folder, 1000)) || !sizes[first.size] {
			t.Errorf("%s: %d octets in %s are not what was sent", made.detail, first.size, made.folder)
		}
	}
	for folder, want := range map[string]int{"Lists": 3, "More": 2, folderIMAP: 2} {
		if n := len(im.fetchAll(folder)); n != want {
			t.Errorf("%d messages in %s, want %d", n, folder, want)
		}
	}
	dv.satisfied(t)
}

// sharedUsers has the place of mail in every way that both read.
const sharedUsers = `# one file for both
ann@shared.example.org:{PLAIN}test:UID:UID::HOMES/ann::userdb_mail=maildir:~/Maildir userdb_quota_rule=*:bytes=20000
ben@shared.example.org:{PLAIN}test:UID:UID::HOMES/ben::userdb_mail=maildir:HOMES/%d-%n
cyd@shared.example.org:{PLAIN}test:UID:UID::::userdb_home=HOMES/cyd userdb_mail=maildir:~/mail:INDEX=MEMORY
dan@shared.example.org:{PLAIN}test:UID:UID::HOMES/dan:/bin/sh
`

const dovecotShared = `
mail_plugins = quota
plugin {
  quota = maildir:User quota
}
passdb {
  driver = passwd-file
  args = USERS
}
userdb {
  driver = passwd-file
  args = USERS
}
`

// One file of accounts serves both: they deliver into the same maildirs, know the same users and the same quotas.
func TestDovecotSharesAccounts(t *testing.T) {
	needPeers(t, "postfix", "dovecot")
	t.Parallel()
	d := newDaemon(t)
	homes, users := filepath.Join(d.dir, "homes"), filepath.Join(d.dir, "users")
	mkdirOwned(t, homes)
	for _, name := range []string{"ann", "ben", "cyd", "dan"} {
		mkdirOwned(t, filepath.Join(homes, name))
	}
	fill := strings.NewReplacer("HOMES", homes, "USERS", users, "UID", fmt.Sprint(mailUID))
	writeFile(t, users, fill.Replace(sharedUsers))
	d.configure(t, fmt.Sprintf("[[mailboxes]]\ndomains = [\"shared.example.org\"]\naccounts = %q\nstore = %q\nover_quota = \"refuse\"\n",
		"file:"+users, "maildir:"+d.root+"/%d/%n"))
	d.start(t)
	dv := launchDovecot(t, d.root, fill.Replace(dovecotShared))
	to := make([]string, 0, 5)
	for _, name := range []string{"ann", "BEN", "cyd", "dan", "eve"} {
		to = append(to, name+"@shared.example.org")
	}
	ours, theirs := dial(t, "unix", d.socket).lhlo(), dial(t, "unix", dv.lmtp).lhlo()
	for round := range 2 {
		expectReplies(t, ours.transaction(letter(fmt.Sprint("ours", round), 2000), to...),
			"250 2.1.5", "250 2.1.5", "250 2.1.5", "250 2.1.5", "550 5.1.1")
		expectReplies(t, theirs.transaction(letter(fmt.Sprint("theirs", round), 2000), to...),
			"250 2.0.0", "250 2.0.0", "250 2.0.0", "250 2.0.0", "550 5.1.1")
	}
	large := letter("large", 15_000) // ann has 8,000 octets and more of 20,000
	expectReplies(t, ours.transaction(large, to[0], to[1]), "552 5.2.2", "250 2.1.5")
	expectReplies(t, theirs.transaction(large, to[0], to[1]), "552 5.2.2", "250 2.0.0")
	for user, want := range map[string]struct {
		path     string
		messages int
	}{
		"ann": {filepath.Join(homes, "ann/Maildir"), 4},
		"ben": {filepath.Join(homes, "shared.example.org-ben"), 6},
		"cyd": {filepath.Join(homes, "cyd/mail"), 4},
		"dan": {filepath.Join(d.root, "shared.example.org/dan"), 4},
	} {
		if n := len(visible(t, want.path)); n != want.messages {
			t.Errorf("%d messages in %s, want %d", n, want.path, want.messages)
		}
		if n := len(dv.login(t, user+"@shared.example.org").fetchAll("INBOX")); n != want.messages {
			t.Errorf("Dovecot shows %s %d messages, want %d", user, n, want.messages)
		}
	}
	dv.satisfied(t)
}
