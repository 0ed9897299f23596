//go:build cgo

package host

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// module is a service of the Name Service Switch that knows nobody, and has the status and the errno that it is told.
const module = `
#include <errno.h>
#include <grp.h>
#include <nss.h>
#include <pwd.h>
#include <stdlib.h>

static enum nss_status answer(int *error) {
	*error = atoi(getenv("MODULE_ERRNO"));
	return atoi(getenv("MODULE_STATUS"));
}

enum nss_status _nss_lmtpdtest_getpwnam_r(const char *name, struct passwd *user, char *buffer, size_t size, int *error) {
	return answer(error);
}

enum nss_status _nss_lmtpdtest_getgrnam_r(const char *name, struct group *group, char *buffer, size_t size, int *error) {
	return answer(error);
}
`

// What modules return, of <nss.h>.
const (
	tryAgain    = -2
	unavailable = -1
	notFound    = 0
)

// What services say, and libc makes of it, is told as it is: only a service that has looked says that there is nobody.
func TestSwitch(t *testing.T) {
	dir := buildModule(t)
	for _, tt := range []struct {
		services string
		status   int
		errno    unix.Errno
		ann, eve string // ann is in the files
	}{
		{"files", 0, 0, "found", "unknown"},
		{"files lmtpdtest", notFound, unix.ENOENT, "found", "unknown"},
		{"files lmtpdtest", notFound, 0, "found", "unknown"},
		{"files lmtpdtest", unavailable, unix.ENOENT, "found", "doubt"},
		{"files lmtpdtest", unavailable, unix.ESRCH, "found", "doubt"},
		{"files lmtpdtest", unavailable, unix.EBADF, "found", "doubt"},
		{"files lmtpdtest", unavailable, unix.EPERM, "found", "doubt"},
		{"files lmtpdtest", unavailable, unix.ECONNREFUSED, "found", "doubt"},
		{"files lmtpdtest", unavailable, unix.ERANGE, "found", "doubt"},
		{"files lmtpdtest", tryAgain, unix.EAGAIN, "found", "doubt"},
		{"files lmtpdtest", tryAgain, unix.ERANGE, "found", "doubt"},
		{"files not-installed", 0, 0, "found", "unknown"},
		{"lmtpdtest files", unavailable, unix.ECONNREFUSED, "found", "unknown"}, // the QUIRK
		{"files lmtpdtest [UNAVAIL=return TRYAGAIN=return] files", unavailable, unix.ENOENT, "found", "doubt"},
		{"files lmtpdtest [UNAVAIL=return TRYAGAIN=return] files", tryAgain, unix.EAGAIN, "found", "doubt"},
		{"files lmtpdtest [UNAVAIL=return TRYAGAIN=return] files", notFound, unix.ENOENT, "found", "unknown"},
		{"missing-files", 0, 0, "doubt", "doubt"},
	} {
		etc := t.TempDir()
		services := strings.TrimPrefix(tt.services, "missing-")
		files := map[string]string{"nsswitch.conf": "passwd: " + services + "\ngroup: " + services + "\n"}
		if services == tt.services {
			files["passwd"], files["group"] = "ann:x:1000:100::/home/ann:/bin/sh\n", "ann:x:100:\n"
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(etc, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		cmd := exec.Command(os.Args[0], "-test.run", "^TestChild$", "-test.v")
		cmd.Env = append(os.Environ(), "CHILD_ETC="+etc, "LD_LIBRARY_PATH="+dir, "GORACE=atexit_sleep_ms=0",
			fmt.Sprint("MODULE_STATUS=", tt.status), fmt.Sprint("MODULE_ERRNO=", int(tt.errno)))
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWNS}
		out, err := cmd.CombinedOutput()
		want := fmt.Sprintf("ann: %s %[1]s\neve: %s %[2]s\n", tt.ann, tt.eve)
		if err != nil || !strings.Contains(string(out), want) {
			t.Errorf("%s, status %d, errno %d: %v, %s; want\n%s", tt.services, tt.status, int(tt.errno), err, out, want)
		}
	}
}

// buildModule makes the module and says where it is.
func buildModule(t *testing.T) (dir string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can give a process an /etc of its own")
	}
	cc, err := exec.LookPath("cc")
	if err != nil && os.Getenv("LMTPD_PEERS") == "required" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	dir = t.TempDir()
	source := filepath.Join(dir, "module.c")
	if err := os.WriteFile(source, []byte(module), 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(cc, "-shared", "-fPIC", "-o", filepath.Join(dir, "libnss_lmtpdtest.so.2"), source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return dir
}

// TestChild looks ann and eve up, user and group, in a process whose /etc is another directory.
func TestChild(t *testing.T) {
	etc := os.Getenv("CHILD_ETC")
	if etc == "" {
		t.Skip("this is for TestSwitch")
	}
	err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, "") // the parent's /etc stays
	if err = errors.Join(err, unix.Mount(etc, "/etc", "", unix.MS_BIND, "")); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"ann", "eve"} {
		_, errUser := LookupUser(name)
		_, errGroup := LookupGroup(name)
		fmt.Printf("%s: %s %s\n", name, told(errUser), told(errGroup))
	}
}

func told(err error) string {
	switch {
	case err == nil:
		return "found"
	case errors.Is(err, ErrUnknown):
		return "unknown"
	}
	return "doubt"
}
