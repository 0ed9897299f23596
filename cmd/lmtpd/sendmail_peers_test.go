package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Programs that call sendmail send mail by it: mail(1), git, Python, and cron as it calls it.
func TestSendmailPeers(t *testing.T) {
	needPeers(t)
	d := newMailHost(t, `trust = ["unix"]`)
	d.start(t)
	sendmail := filepath.Join(d.dir, "sendmail")
	writeFile(t, filepath.Join(d.dir, "mailrc"), "set sendmail="+sendmail+"\n")
	writeFile(t, filepath.Join(d.dir, "letter.py"), pythonSendmail)
	writeFile(t, filepath.Join(d.dir, "0001-patch.patch"), patch)
	for _, test := range []struct {
		name, packages string
		command        []string
		stdin          string
		wants          []string
	}{
		{"mail", "bsd-mailx", []string{"mail", "-s", "by mail", "-c", "copy@example.org", "mail@example.org"}, "Hello.\n.\nnot the end\n",
			[]string{"Subject: by mail", "To: mail@example.org", "Hello."}},
		{"git", "git-email libmailtools-perl", []string{"git", "send-email", "--smtp-server=" + sendmail, "--from=me@example.org", "--to=git@example.org",
			"--confirm=never", "--suppress-cc=all", "0001-patch.patch"}, "", []string{"Subject: [PATCH] pätch", "8bit", "\n.dot\n"}},
		{"python", "python3", []string{"python3", "letter.py", sendmail}, "", []string{"Subject: =?utf-8?q?h=C3=A4llo?=", "Grüße", "\n.\n"}},
		{"cron", "postfix", []string{sendmail, "-i", "-FCronDaemon", "-B8BITMIME", "-oem", "cron@example.org"},
			"From: root (Cron Daemon)\nTo: root\nSubject: Cron <root@host> fürchte\n\n10%\r20%\r\n.\nend\n",
			[]string{"From: root (Cron Daemon)", "fürchte", "10%\n20%\n.\nend"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if _, err := exec.LookPath(test.command[0]); err != nil {
				complain(t)("%s is missing: apt-get install %s", test.name, test.packages)
			}
			cmd := exec.Command(test.command[0], test.command[1:]...)
			cmd.Dir = d.dir
			cmd.Stdin = strings.NewReader(test.stdin)
			cmd.Env = append(os.Environ(), "LMTPD_CONFIG="+d.config, "MAILRC="+filepath.Join(d.dir, "mailrc"), "HOME="+d.dir,
				"GIT_CONFIG_GLOBAL=/dev/null", "EMAIL=me@example.org", "GIT_COMMITTER_NAME=Me", "GIT_AUTHOR_NAME=Me")
			if out, err := cmd.CombinedOutput(); err != nil {
				if test.name == "git" && (strings.Contains(string(out), "not a git command") || strings.Contains(string(out), "Mail::Address")) {
					complain(t)("git send-email is missing: apt-get install %s", test.packages)
				}
				t.Fatalf("%v: %s", err, out)
			}
			d.await(t, "to=<"+test.name+"@example.org> .*status=delivered")
			d.drained(t)
			all := visible(t, d.mailbox(test.name))
			if len(all) != 1 {
				t.Fatalf("%d messages", len(all))
			}
			for _, want := range test.wants {
				if !strings.Contains(string(all[0].text), want) {
					t.Errorf("no %q in\n%s", want, all[0].text)
				}
			}
		})
	}
	d.await(t, "to=<copy@example.org> .*status=delivered")
}

const pythonSendmail = `
import subprocess, sys
from email.message import EmailMessage
m = EmailMessage()
m["Subject"], m["From"], m["To"], m["Bcc"] = "hällo", "me@example.org", "Python <python@example.org>", "secret@example.org"
m.set_content("Grüße\n.\n", cte="8bit")
subprocess.run([sys.argv[1], "-t", "-oi"], input=m.as_bytes(), check=True)
`

const patch = `From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: Me <me@example.org>
Date: Sat, 28 Nov 2026 10:00:00 +0000
Subject: [PATCH] pätch
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8
Content-Transfer-Encoding: 8bit

Für alle.
---
 a | 1 +
 1 file changed, 1 insertion(+)

diff --git a/a b/a
--- a/a
+++ b/a
@@ -0,0 +1 @@
+a
.dot
-- 
2.39.5
`
