package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The users that the tests make, beside the host's.
const (
	annUID = 54321
	benUID = 54322
)

// systemUsers prepares a daemon for users of the host with homes: ann; ben, who has planted links to ann's mail; cyd, whose
// home nobody may enter; dan, whose home is gone. It returns the daemon's command where they are users, by mounts that nobody
// else sees.
func systemUsers(t *testing.T, as ...string) (d *daemon, homes string, serve *exec.Cmd) {
	t.Helper()
	needPeers(t, "unshare", "setpriv")
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		complain(t)("no mounts of one's own here: %v, %s", err, out)
	}
	d = newDaemon(t)
	homes = filepath.Join(d.dir, "home")
	var passwd, group strings.Builder
	for i, name := range []string{"ann", "ben", "cyd", "dan"} {
		uid, home := annUID+i, filepath.Join(homes, name)
		fmt.Fprintf(&passwd, "%s:x:%d:%d::%s:/bin/sh\n", name, uid, uid, home)
		fmt.Fprintf(&group, "%s:x:%d:\n", name, uid)
		if name != "dan" {
			mkdirOf(t, uid, home)
		}
	}
	mkdirOf(t, annUID, filepath.Join(homes, "ann", "Maildir"), "Maildir/new", "Maildir/cur", "Maildir/tmp")
	mkdirOf(t, benUID, filepath.Join(homes, "ben", "Maildir"), "Maildir/cur", "Maildir/tmp")
	if err := os.Symlink(filepath.Join(homes, "ann", "Maildir", "new"), filepath.Join(homes, "ben", "Maildir", "new")); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(homes, "cyd"), 0); err != nil {
		t.Fatal(err)
	}
	for name, ours := range map[string]string{"passwd": passwd.String(), "group": group.String()} {
		writeFile(t, filepath.Join(d.dir, name), read(t, "/etc/"+name)+ours)
	}
	config := strings.NewReplacer(`"any"`, `"system"`, `"maildir:`+d.root+`/%d/%n"`, `"maildir:%h/Maildir"`).Replace(read(t, d.config))
	writeFile(t, d.config, config)
	serve = d.command("serve", "--config", d.config)
	const mounts = `mount --bind passwd /etc/passwd && mount --bind group /etc/group && exec setpriv "$@"`
	inside := exec.Command("unshare", append([]string{"--mount", "sh", "-c", mounts, "sh"}, append(append(as, serve.Path), serve.Args[1:]...)...)...)
	inside.Dir, inside.Env = serve.Dir, serve.Env
	return d, homes, inside
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// mkdirOf makes directories of a user: the first, and others beside it by their paths.
func mkdirOf(t *testing.T, uid int, dir string, others ...string) {
	t.Helper()
	for i := range others {
		others[i] = filepath.Join(filepath.Dir(dir), others[i])
	}
	for _, name := range append([]string{dir}, others...) {
		if err := os.MkdirAll(name, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(name, uid, uid); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, 0o700); err != nil {
			t.Fatal(err)
		}
	}
}

// As root lmtpd delivers into a home with its owner's rights, so that a link in it leads nowhere.
func TestSystemUsers(t *testing.T) {
	d, homes, cmd := systemUsers(t)
	d.launch(t, cmd)
	body := letter("system", 1000)
	c := dial(t, "unix", d.socket).lhlo()
	expectReplies(t, c.transaction(body, "ann@example.org", "Ann+x@example.org", "ben@example.org"), "250 2.1.5", "250 2.1.5", "451 4.3.0")
	c.refused(451, "cyd@example.org")
	c.refused(451, "dan@example.org")
	c.refused(550, "eve@example.org")
	kept, err := filepath.Glob(filepath.Join(homes, "*", "Maildir", "new", "*"))
	if err != nil || len(kept) != 2 { // ann's, also seen through ben's link
		t.Fatalf("kept: %q, %v", kept, err)
	}
	info, err := os.Stat(kept[0])
	if err != nil {
		t.Fatal(err)
	}
	if st := info.Sys().(*syscall.Stat_t); st.Uid != annUID || st.Gid != annUID || info.Mode().Perm() != 0o600 {
		t.Errorf("ann's mail has owner %d, group %d and mode %v", st.Uid, st.Gid, info.Mode())
	}
	if _, err := os.Lstat(filepath.Join(homes, "dan")); !os.IsNotExist(err) {
		t.Errorf("a home that is gone was made: %v", err)
	}
}

// Without the right to act for others it serves its own user, and says in the log why not the others.
func TestSystemUsersWithoutRights(t *testing.T) {
	d, homes, cmd := systemUsers(t, fmt.Sprint("--reuid=", annUID), fmt.Sprint("--regid=", annUID), "--clear-groups")
	for _, path := range []string{"data", "run", "mail"} {
		if err := os.Chown(filepath.Join(d.dir, path), annUID, annUID); err != nil {
			t.Fatal(err)
		}
	}
	d.launch(t, cmd)
	c := dial(t, "tcp", d.port).lhlo()
	replies := c.transaction(letter("own", 1000), "ann@example.org")
	expectReplies(t, replies, "250 2.1.5")
	c.refused(451, "ben@example.org")
	d.await(t, `to=<ben@example\.org>.*cause=.*cannot act for the owner`)
	if kept, _ := filepath.Glob(filepath.Join(homes, "ann", "Maildir", "new", "*")); len(kept) != 1 {
		t.Errorf("kept: %q", kept)
	}
}
