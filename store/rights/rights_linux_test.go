package rights

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"lmtpd/store"
)

func own(t testing.TB) *Rights {
	t.Helper()
	r, err := Own(slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can act for other users")
	}
}

// thread tells the rights of the calling thread as the kernel sees them: the fourth number is the one for files.
func thread() (string, error) {
	text, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for line := range strings.Lines(string(text)) {
		switch f := strings.Fields(line); f[0] {
		case "Uid:", "Gid:":
			fmt.Fprintf(&b, "%s %s;", f[0], f[4])
		case "Groups:", "CapEff:":
			fmt.Fprintf(&b, "%s;", strings.Join(f, " "))
		}
	}
	return b.String(), nil
}

func TestAs(t *testing.T) {
	needRoot(t)
	r := own(t)
	before, err := thread()
	if err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		owner *store.Owner
		want  string
	}{
		{nil, before},
		{&store.Owner{}, before},
		{&store.Owner{Groups: []int{7}}, before},
		{&store.Owner{UID: 54321, GID: 54322}, "Uid: 54321;Gid: 54322;Groups:;CapEff: 0000000000000000;"},
		{&store.Owner{UID: 54321, GID: 0, Groups: []int{9, 7, 8}}, "Uid: 54321;Gid: 0;Groups: 7 8 9;CapEff: 0000000000000000;"},
		{&store.Owner{GID: 8}, "Uid: 0;Gid: 8;Groups:;CapEff: 0000000000000000;"},
		{&store.Owner{UID: math.MaxUint32 - 1, GID: math.MaxUint32 - 1}, "Uid: 4294967294;Gid: 4294967294;Groups:;CapEff: 0000000000000000;"},
	} {
		got := ""
		err := r.As(test.owner, func() (err error) {
			got, err = thread()
			return err
		})
		if err != nil || got != test.want {
			t.Errorf("%+v: %q, %v, want %q", test.owner, got, err, test.want)
		}
	}
	if after, err := thread(); err != nil || after != before {
		t.Errorf("afterwards %q, %v, want %q", after, err, before)
	}
	cause := errors.New("cause")
	if err := r.As(&store.Owner{UID: 54321, GID: 54321}, func() error { return cause }); err != cause {
		t.Errorf("%v, want the function's error", err)
	}
}

func TestImpossibleOwner(t *testing.T) {
	r := own(t)
	for _, o := range []store.Owner{
		{UID: -1, GID: 5}, {UID: 5, GID: -1}, {UID: math.MaxUint32, GID: 5}, {UID: 5, GID: math.MaxUint32}, {UID: math.MaxUint32 + 1, GID: 5},
		{UID: 5, GID: 5, Groups: []int{5, -1}}, {UID: 5, GID: 5, Groups: []int{math.MaxUint32}},
		{UID: 5, GID: 5, Groups: make([]int, 1<<17)}, // more than the kernel takes
	} {
		ran := false
		err := r.As(&o, func() error { ran = true; return nil })
		if !errors.Is(err, errRefused) || ran {
			t.Errorf("uid %d, gid %d: %v, ran: %v", o.UID, o.GID, err, ran)
		}
	}
}

// A panic reaches who asked, with the place it came from.
func TestPanic(t *testing.T) {
	needRoot(t)
	defer func() {
		if v := fmt.Sprint(recover()); !strings.Contains(v, "oops") || !strings.Contains(v, "TestPanic") {
			t.Errorf("panic with %q", v)
		}
	}()
	_ = own(t).As(&store.Owner{UID: 54321, GID: 54321}, func() error { panic("oops") })
}

// A thread that cannot get its rights back ends with its goroutine, and nobody else runs on it.
func TestThreadEnds(t *testing.T) {
	needRoot(t)
	var log bytes.Buffer
	r, err := Own(slog.New(slog.NewTextHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	r.giveBack = func(process) error { return unix.EPERM }
	for range 20 {
		tid := 0
		if err := r.As(&store.Owner{UID: 54321, GID: 54321}, func() error { tid = unix.Gettid(); return nil }); err != nil {
			t.Fatal(err)
		}
		for there := true; there && tid != os.Getpid(); { // the first thread is only put aside
			_, err := os.Stat(fmt.Sprintf("/proc/self/task/%d", tid))
			there = err == nil
		}
	}
	if !strings.Contains(log.String(), "did not get its rights back") {
		t.Errorf("the log says %q", log.String())
	}
}

// childDirectory has the child of TestOtherProcesses write there.
const childDirectory = "LMTPD_RIGHTS_CHILD"

// Who is not root serves others with CAP_SETUID and CAP_SETGID alone, and further capabilities open the users nothing.
// Without them it serves itself.
func TestOtherProcesses(t *testing.T) {
	if dir := os.Getenv(childDirectory); dir != "" {
		child(t, dir)
		return
	}
	needRoot(t)
	for _, test := range []struct {
		name string
		caps []uintptr
		want string
	}{
		{"none", nil, "own nil, other refused, root refused"},
		{"one", []uintptr{unix.CAP_SETUID}, "own nil, other refused, root refused"},
		{"both", []uintptr{unix.CAP_SETUID, unix.CAP_SETGID}, "own nil, other nil, root refused"},
		{"more", []uintptr{unix.CAP_SETUID, unix.CAP_SETGID, unix.CAP_DAC_OVERRIDE, unix.CAP_DAC_READ_SEARCH}, "own nil, other nil, root refused"},
	} {
		dir := t.TempDir()
		for d := dir; strings.HasPrefix(d, os.TempDir()+"/"); d = filepath.Dir(d) {
			chmod(t, d, 0o711)
		}
		chmod(t, dir, 0o777)
		cmd := exec.Command("/proc/self/exe", "-test.run=^TestOtherProcesses$", "-test.v")
		cmd.Env = append(os.Environ(), childDirectory+"="+dir)
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 54320, Gid: 54320}, AmbientCaps: test.caps}
		out, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(out), test.want) {
			t.Errorf("%s: %v, want %q:\n%s", test.name, err, test.want, out)
		}
		for name, id := range map[string]uint32{"own": 54320, "other": 54321} {
			var st unix.Stat_t
			err := unix.Stat(filepath.Join(dir, name), &st)
			if made := strings.Contains(test.want, name+" nil"); made != (err == nil) || made && (st.Uid != id || st.Gid != id) {
				t.Errorf("%s: the file of %s: %v, uid %d, gid %d", test.name, name, err, st.Uid, st.Gid)
			}
		}
	}
}

// child writes a file for each of three users, and looks whether the second could read what is not its own.
func child(t *testing.T, dir string) {
	r, secret := own(t), filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, u := range []struct {
		name string
		id   int
	}{{"own", 54320}, {"other", 54321}, {"root", 0}} {
		err := r.As(&store.Owner{UID: u.id, GID: u.id}, func() error {
			if _, err := os.ReadFile(secret); u.name == "other" && err == nil {
				t.Error("a capability opened a file of somebody else")
			}
			return os.WriteFile(filepath.Join(dir, u.name), nil, 0o600)
		})
		word := fmt.Sprint(err)
		switch {
		case err == nil:
			word = "nil"
		case errors.Is(err, errRefused):
			word = "refused"
		}
		all = append(all, u.name+" "+word)
	}
	fmt.Println(strings.Join(all, ", "))
}

func chmod(t *testing.T, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(name, mode); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkAs tells what it costs to take and give back the rights of a user.
func BenchmarkAs(b *testing.B) {
	needRoot(b)
	r := own(b)
	for _, o := range []*store.Owner{nil, {UID: 54321, GID: 54321, Groups: slices.Repeat([]int{7}, 8)}} {
		b.Run(fmt.Sprintf("other=%v", o != nil), func(b *testing.B) {
			for b.Loop() {
				if err := r.As(o, func() error { return nil }); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
