package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// mountSmall mounts a file system in memory at dir, as the mount options say, for the time of the test.
func mountSmall(t *testing.T, dir, options string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("mounting a small file system takes root")
	}
	options += fmt.Sprintf(",uid=%d,gid=%d,mode=0755", mailUID, mailUID)
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", options, "lmtpd-test", dir).CombinedOutput(); err != nil {
		t.Skipf("a small file system cannot be mounted here: %v: %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// smallDisk starts a daemon that has, beside example.org, a domain small.example.org on a file system of its own.
func smallDisk(t *testing.T, options string) (d *daemon, disk string) {
	t.Helper()
	d = newDaemon(t)
	disk = filepath.Join(d.dir, "small")
	mkdirOwned(t, disk)
	mountSmall(t, disk, options)
	d.configure(t, mailboxes("small.example.org", "maildir:"+disk+"/%n"))
	d.start(t)
	return d, disk
}

// expectReplies compares how replies begin with what was expected, in order.
func expectReplies(t *testing.T, replies []string, want ...string) {
	t.Helper()
	if len(replies) != len(want) {
		t.Fatalf("replies %q, want %q", replies, want)
	}
	for i, reply := range replies {
		if !strings.HasPrefix(reply, want[i]+" ") {
			t.Errorf("reply %d: %q, want %s", i+1, reply, want[i])
		}
	}
}

// expectCause checks that the log says why a recipient was deferred.
func expectCause(t *testing.T, d *daemon, to, cause string) {
	t.Helper()
	if l := d.logged(t, to); l["status"] != "deferred" || !strings.Contains(l["cause"], cause) {
		t.Errorf("log of %s: %v, want deferred because of %q", to, l, cause)
	}
}

// expectVisible checks that n messages are there, and nothing of any other.
func expectVisible(t *testing.T, disk string, n int) {
	t.Helper()
	if all := visible(t, disk); len(all) != n {
		t.Errorf("%d messages are visible, want %d", len(all), n)
	}
	if left := temporaries(t, disk); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A full disk defers the recipients whose mailboxes are on it, and no others.
func TestDiskFull(t *testing.T) {
	d, disk := smallDisk(t, "size=1m")
	c := dial(t, "unix", d.socket).lhlo()
	big, small := letter("big", 2_000_000), letter("small", 5000)
	replies := c.transaction(big, "ann@small.example.org", "ann@example.org", "ben@small.example.org")
	expectReplies(t, replies, "452 4.3.1", "250 2.1.5", "452 4.3.1")
	expectVisible(t, disk, 0)
	expectCause(t, d, "ann@small.example.org", "no space left on device")
	expectCause(t, d, "ben@small.example.org", "no space left on device")
	only(t, d, "ann").sameContent(t, big)

	expectReplies(t, c.transaction(small, "cid@small.example.org"), "250 2.1.5")
	expectVisible(t, disk, 1)
}

// Where there is room for some copies only, as many are visible as were answered 250.
func TestDiskFullForSome(t *testing.T) {
	d, disk := smallDisk(t, "size=1m")
	body := letter("some", 300_000)
	var to []string
	for i := range 8 {
		to = append(to, fmt.Sprintf("u%d@small.example.org", i))
	}
	delivered := 0
	for i, reply := range dial(t, "unix", d.socket).lhlo().transaction(body, to...) {
		if strings.HasPrefix(reply, "250 2.1.5 ") {
			delivered++
		} else {
			expectReplies(t, []string{reply}, "452 4.3.1")
			expectCause(t, d, to[i], "no space left on device")
		}
	}
	t.Logf("%d of %d delivered", delivered, len(to))
	if delivered == len(to) {
		t.Error("the disk did not become full")
	}
	expectVisible(t, disk, delivered)
	for _, f := range visible(t, disk) {
		f.sameContent(t, body)
	}
}

// A file system without a free inode is full, too: for a mailbox that has to be made, and for one that is there.
func TestInodesFull(t *testing.T) {
	d, disk := smallDisk(t, "size=10m,nr_inodes=16")
	c := dial(t, "unix", d.socket).lhlo()
	expectReplies(t, c.transaction(letter("first", 500), "ann@small.example.org"), "250 2.1.5")
	fillInodes(t, disk)
	replies := c.transaction(letter("second", 500), "ben@small.example.org", "cid@example.org")
	expectReplies(t, replies, "452 4.3.1", "250 2.1.5")
	expectCause(t, d, "ben@small.example.org", "no space left on device")
	expectReplies(t, c.transaction(letter("third", 500), "ann@small.example.org"), "452 4.3.1")
	expectVisible(t, disk, 1)
}

// fillInodes makes files until none can be made.
func fillInodes(t *testing.T, disk string) {
	t.Helper()
	for i := range 1000 {
		f, err := os.Create(filepath.Join(disk, fmt.Sprint("inode", i)))
		if err != nil {
			return
		}
		f.Close()
	}
	t.Fatal("there are always more inodes")
}

// A file system that has become read-only, as one does after an I/O error, defers its recipients.
func TestDiskReadOnly(t *testing.T) {
	d, disk := smallDisk(t, "size=1m")
	c := dial(t, "unix", d.socket).lhlo()
	expectReplies(t, c.transaction(letter("before", 500), "ann@small.example.org"), "250 2.1.5")
	run(t, "mount", "-o", "remount,ro", disk)
	body := letter("after", 500)
	replies := c.transaction(body, "ann@small.example.org", "cid@example.org", "new@small.example.org")
	expectReplies(t, replies, "451 4.3.0", "250 2.1.5", "451 4.3.0")
	expectCause(t, d, "new@small.example.org", "read-only file system")
	expectVisible(t, disk, 1)
	run(t, "mount", "-o", "remount,rw", disk)
	expectReplies(t, c.transaction(body, "new@small.example.org"), "250 2.1.5")
}

// A mailbox that the daemon may not write defers its recipient.
func TestPermissionMissing(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("giving a directory to another user takes root")
	}
	d := startDaemon(t)
	if err := os.MkdirAll(d.mailbox("ann"), 0o700); err != nil { // root's
		t.Fatal(err)
	}
	chownMail(t, filepath.Dir(d.mailbox("ben")))
	if err := os.Chown(d.mailbox("ann"), 0, 0); err != nil {
		t.Fatal(err)
	}
	replies := dial(t, "unix", d.socket).lhlo().transaction(letter("denied", 500), "ann@example.org", "ben@example.org")
	expectReplies(t, replies, "451 4.3.0", "250 2.1.5")
	expectCause(t, d, "ann@example.org", "permission denied")
}

// Below the floor RCPT defers those whose mailboxes are on that disk; where content is received, MAIL defers everybody.
func TestFloor(t *testing.T) {
	floor := func(limits string) (*daemon, dialogue) {
		d := newDaemon(t)
		disk := filepath.Join(d.dir, "small")
		mkdirOwned(t, disk)
		mountSmall(t, disk, "size=1m,nr_inodes=100")
		d.configure(t, mailboxes("small.example.org", "maildir:"+disk+"/%n"), "[limits]", limits)
		d.start(t)
		return d, dial(t, "unix", d.socket).lhlo()
	}
	for _, limits := range []string{`min_free = "2MiB"`, "min_free_inodes = 1000"} {
		_, c := floor(limits)
		c.say(250, "MAIL FROM:<>")
		c.say(452, "RCPT TO:<ann@small.example.org>")
		c.say(250, "RCPT TO:<ann@example.org>")
		c.say(250, "RSET")
	}
	_, c := floor(`min_free = "1000TiB"`)
	c.say(452, "MAIL FROM:<>")
}
