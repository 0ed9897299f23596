package maildir

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

// mounted gives a directory with a tmpfs of its own.
func mounted(t *testing.T, options string) string {
	t.Helper()
	needRoot(t)
	dir := homes(t, nil)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, options); err != nil {
		t.Skipf("tmpfs with %s cannot be mounted here: %v", options, err)
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
	return dir
}

func makeHome(t *testing.T, m store.Mailbox) {
	t.Helper()
	must(t, os.Mkdir(m.Home, 0o700), os.Chown(m.Home, m.Owner.UID, m.Owner.GID))
}

// expectFull delivers to a mailbox that has no room for it, and sees that nothing stays of it.
func expectFull(t *testing.T, s *Store, to store.Mailbox, cause error) {
	t.Helper()
	err := deliverSize(t, s, to, 1<<20)
	if !errors.Is(err, store.ErrFull) || !errors.Is(err, cause) {
		t.Errorf("Deliver: %v, want ErrFull for %v", err, cause)
	}
	list, err := s.Messages(t.Context(), to, "")
	must(t, err)
	if len(list) != 1 {
		t.Errorf("%d messages, want the one before", len(list))
	}
	must(t, deliverSize(t, s, to, 100))
}

func deliverSize(t *testing.T, s *Store, to store.Mailbox, size int) error {
	t.Helper()
	return s.Deliver(t.Context(), message(size), []store.Placement{{Mailbox: to}})[0]
}

// A user's quota on the disk counts for what is delivered to them, and for nobody else.
func TestFullDiskQuota(t *testing.T) {
	dir := mounted(t, "mode=0755,size=16m,usrquota,usrquota_block_hardlimit=512k")
	s := openHomes(t)
	for _, to := range []store.Mailbox{ann(dir), bob(dir)} {
		makeHome(t, to)
		must(t, deliverSize(t, s, to, 100))
		expectFull(t, s, to, unix.EDQUOT)
	}
}

func TestFullDisk(t *testing.T) {
	dir := mounted(t, "mode=0755,size=512k")
	s, to := openHomes(t), ann(dir)
	makeHome(t, to)
	must(t, deliverSize(t, s, to, 100))
	if err := s.Check(t.Context(), to, store.Usage{Messages: 1, Octets: 1 << 20}); !errors.Is(err, store.ErrFull) {
		t.Errorf("Check of what is larger than the home's disk: %v, want ErrFull", err)
	}
	expectFull(t, s, to, unix.ENOSPC)
}

// What a file system keeps for root is not used up by mail for users, even if root delivers it.
func TestFullDiskReserve(t *testing.T) {
	dir := homes(t, nil)
	image := filepath.Join(t.TempDir(), "image")
	must(t, os.WriteFile(image, nil, 0o600), os.Truncate(image, 8<<20))
	for _, args := range [][]string{{"mkfs.ext4", "-q", "-F", "-m", "50", image}, {"mount", "-o", "loop", image, dir}} {
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			complain := t.Skipf
			if os.Getenv("LMTPD_PEERS") == "required" {
				complain = t.Fatalf
			}
			complain("no ext4 can be mounted here: %s: %v: %s", args[0], err, out)
		}
	}
	t.Cleanup(func() { must(t, unix.Unmount(dir, 0)) })
	s, to := openHomes(t), ann(dir)
	makeHome(t, to)
	var err error
	for n := 0; err == nil && n < 16; n++ {
		err = deliverSize(t, s, to, 1<<20)
	}
	if !errors.Is(err, store.ErrFull) {
		t.Fatalf("Deliver: %v, want ErrFull", err)
	}
	reserve := filepath.Join(dir, "reserve")
	if err := os.WriteFile(reserve, make([]byte, 1<<20), 0o600); err != nil {
		t.Errorf("root's part was used up: %v", err)
	}
}
