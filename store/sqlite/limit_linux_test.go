package sqlite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/store"
	"lmtpd/store/sqldb"
)

// limitFiles keeps files from growing beyond so many octets while do runs, so that writing what lies beyond fails with EFBIG, as
// it fails with EIO on a disk that is broken.
func limitFiles(t *testing.T, octets int64, do func()) {
	t.Helper()
	var was unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(octets), Max: was.Max}); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &was); err != nil {
			t.Fatal(err)
		}
	}()
	do()
}

// Writing fails at any octet of the log, in mid-page and in mid-frame: who hears of it has nothing there, who does not has all, and
// as the file lies there another program finds the same. The limit is the whole process's, and the one that was started by go test
// has a file of its own to write; so another does it.
func TestWriteFails(t *testing.T) {
	const child = "LMTPD_TEST_WRITE_FAILS"
	if os.Getenv(child) == "" {
		cmd := exec.Command(os.Args[0], "-test.run", "^TestWriteFails$", "-test.v")
		cmd.Env = append(os.Environ(), child+"=1")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		return
	}
	signal.Ignore(unix.SIGXFSZ)
	defer signal.Reset(unix.SIGXFSZ)
	s := openTemp(t)
	writerOf(t, s).Stop() // the log is to lie where it was
	deliver(t, s, "first", ann)
	want := 1
	log := s.template.Root() + "-wal"
	for _, size := range []int{10, 30_000, maxWhole + 100_000} {
		failed := 0
		for step := range 40 {
			info, err := os.Stat(log)
			if err != nil {
				t.Fatal(err)
			}
			text := fmt.Sprintf("Subject: %d-%d\r\n\r\n%s", size, step, strings.Repeat("x", size))
			limitFiles(t, info.Size()+int64(step*(size+60_000)/30), func() {
				err = s.Deliver(t.Context(), strings.NewReader(text), []store.Placement{{Mailbox: ann}})[0]
			})
			switch {
			case err == nil:
				want++
			case errors.Is(err, store.ErrNoMailbox), errors.Is(err, store.ErrFull), errors.Is(err, sqldb.ErrMoved), sqldb.IsCorrupt(err):
				t.Errorf("%d octets, step %d: %v", size, step, err)
			default:
				failed++
			}
			if n := len(texts(t, s, ann, "")); n != want {
				t.Fatalf("%d octets, step %d: %v, and there are %d messages, want %d", size, step, err, n, want)
			}
		}
		if t.Logf("%d octets: %d of 40 failed", size, failed); failed == 0 || failed == 40 {
			t.Errorf("%d octets: %d failed", size, failed)
		}
		sound(t, s)
		if n := len(reopened(t, copyDatabase(t, s))); n != want {
			t.Errorf("%d octets: another finds %d messages, want %d", size, n, want)
		}
		deliver(t, s, fmt.Sprint("after ", size), ann)
		want++
	}
}

// copyDatabase copies the file and its log as they lie there, as after a crash.
func copyDatabase(t *testing.T, s *Store) string {
	t.Helper()
	to := t.TempDir() + "/mail.db"
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(s.template.Root() + suffix)
		if err == nil {
			err = os.WriteFile(to+suffix, b, 0o600)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return to
}
