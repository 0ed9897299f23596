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
		complain := t.Skipf
		if os.Getenv("LMTPD_PEERS") == "required" {
			complain = t.Fatalf
		}
		complain("a small file system cannot be mounted here: %v: %s", err, bytes.TrimSpace(out))
	}
	t.Cleanup(func() {
		if out, err := exec.Command("umount", dir).CombinedOutput(); err != nil {
			t.Errorf("umount: %v: %s", err, out)
		}
	})
}

// A small is a domain small.example.org on a file system of its own.
type small struct {
	disk  string
	shelf shelf
	full  string // how the store says that the disk is full
}

// onSmallDisks runs a test with each kind of store, with a daemon that has a small file system beside example.org.
func onSmallDisks(t *testing.T, options string, test func(*testing.T, *daemon, small)) {
	t.Run("maildir", func(t *testing.T) {
		d, disk := smallDisk(t, options, "maildir:DISK/%n")
		test(t, d, small{disk, maildirs{disk}, "no space left on device"})
	})
	t.Run("sqlite", func(t *testing.T) {
		d, disk := smallDisk(t, options, "sqlite:DISK/mail.db")
		test(t, d, small{disk, database{filepath.Join(disk, "mail.db"), "small.example.org"}, "full"})
	})
}

// smallDisk starts a daemon with a store for small.example.org on a file system, DISK.
func smallDisk(t *testing.T, options, store string) (d *daemon, disk string) {
	t.Helper()
	d = newDaemon(t)
	disk = filepath.Join(d.dir, "small")
	mkdirOwned(t, disk)
	mountSmall(t, disk, options)
	d.configure(t, mailboxes("small.example.org", strings.Replace(store, "DISK", disk, 1)))
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
func expectVisible(t *testing.T, s shelf, n int) {
	t.Helper()
	if all := s.visible(t, nil); len(all) != n {
		t.Errorf("%d messages are visible, want %d", len(all), n)
	}
	if left := s.checked(t); strings.Contains(left, "left") && !strings.HasPrefix(left, "0 ") {
		t.Error(left)
	}
}

// A full disk defers the recipients whose mailboxes are on it, and no others, as often as they come again.
func TestDiskFull(t *testing.T) {
	onSmallDisks(t, "size=2m", func(t *testing.T, d *daemon, s small) {
		c := dial(t, "unix", d.socket).lhlo()
		big, little := letter("big", 4_000_000), letter("little", 5000)
		for _, name := range []string{"ann", "ann2", "ann3"} {
			to := name + "@small.example.org"
			replies := c.transaction(big, to, name+"@example.org", "ben-"+to)
			expectReplies(t, replies, "452 4.3.1", "250 2.1.5", "452 4.3.1")
			expectCause(t, d, to, s.full)
			expectCause(t, d, "ben-"+to, s.full)
			only(t, d, name).sameContent(t, big)
		}
		expectVisible(t, s.shelf, 0)
		expectReplies(t, c.transaction(little, "cid@small.example.org"), "250 2.1.5")
		expectVisible(t, s.shelf, 1)
	})
}

// Where there is room for some only, large ones and then small ones, as many are visible as were answered 250, a crash changes
// nothing, and once there is room again there are more.
func TestDiskFullForSome(t *testing.T) {
	onSmallDisks(t, "size=16m", func(t *testing.T, d *daemon, s small) {
		c := dial(t, "unix", d.socket).lhlo()
		delivered := map[string]bool{}
		send := func(id string, size int) (deferred int) {
			for i, reply := range c.transaction(letter(id, size), "ann@small.example.org", "ben@small.example.org") {
				if strings.HasPrefix(reply, "250 2.1.5 ") {
					delivered[[]string{"ann", "ben"}[i]+" "+id] = true
					continue
				}
				expectReplies(t, []string{reply}, "452 4.3.1")
				deferred++
			}
			return deferred
		}
		for _, size := range []int{900_000, 20_000, 1000} {
			deferred := 0
			for n := 0; n < 500 && deferred < 10; n++ {
				deferred += send(fmt.Sprintf("%d-%d", size, n), size)
			}
			t.Logf("%d delivered, %d of %d octets deferred", len(delivered), deferred, size)
			if deferred == 0 {
				t.Error("the disk did not become full")
			}
		}
		expectVisible(t, s.shelf, len(delivered))
		d.kill(t)
		run(t, "mount", "-o", "remount,size=50m", s.disk)
		d.start(t)
		c = dial(t, "unix", d.socket).lhlo()
		if deferred := send("more", 1_500_000); deferred != 0 {
			t.Errorf("%d were deferred where there is room again", deferred)
		}
		expectVisible(t, s.shelf, len(delivered))
		for _, f := range s.shelf.visible(t, nil) {
			id := letterID(f.text)
			if !delivered[f.mailbox+" "+id] || !bytes.HasSuffix(f.text, []byte("\n-- end\n")) {
				t.Errorf("%s has %q, which was not delivered or is torn", f.path, id)
			}
		}
	})
}

// A file system without a free inode is full, too: for a mailbox that has to be made, and for one that is there.
func TestInodesFull(t *testing.T) {
	d, disk := smallDisk(t, "size=10m,nr_inodes=16", "maildir:DISK/%n")
	c := dial(t, "unix", d.socket).lhlo()
	expectReplies(t, c.transaction(letter("first", 500), "ann@small.example.org"), "250 2.1.5")
	fillInodes(t, disk)
	replies := c.transaction(letter("second", 500), "ben@small.example.org", "cid@example.org")
	expectReplies(t, replies, "452 4.3.1", "250 2.1.5")
	expectCause(t, d, "ben@small.example.org", "no space left on device")
	expectReplies(t, c.transaction(letter("third", 500), "ann@small.example.org"), "452 4.3.1")
	expectVisible(t, maildirs{disk}, 1)
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
	d, disk := smallDisk(t, "size=1m", "maildir:DISK/%n")
	c := dial(t, "unix", d.socket).lhlo()
	expectReplies(t, c.transaction(letter("before", 500), "ann@small.example.org"), "250 2.1.5")
	run(t, "mount", "-o", "remount,ro", disk)
	body := letter("after", 500)
	replies := c.transaction(body, "ann@small.example.org", "cid@example.org", "new@small.example.org")
	expectReplies(t, replies, "451 4.3.0", "250 2.1.5", "451 4.3.0")
	expectCause(t, d, "new@small.example.org", "read-only file system")
	expectVisible(t, maildirs{disk}, 1)
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
