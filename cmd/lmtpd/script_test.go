package main_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// The commands as people and programs call them, one script a file. Beside what testscript knows they have
//
//	serve CONFIG    start a daemon, and wait until it takes connections; $SUBMISSION and $SUBMISSIONS are where it listens on TCP,
//	                $FINGERPRINT is that of its certificate
//	await PATTERN   wait until a line of its log matches
//	halt            stop it
//	exits N PROGRAM [ARGUMENT…]
//	                run a program, which ends with the exit code N
//	queueid         set $ID to that of the first message in the queue of lmtpd.toml
//	crlf FILE       give the lines of a file CRLF ends
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			bin := filepath.Join(env.WorkDir, "bin")
			if err := os.Mkdir(bin, 0o755); err != nil {
				return err
			}
			self, err := os.Executable()
			if err != nil {
				return err
			}
			for _, name := range []string{"lmtpd", "sendmail", "mailq", "newaliases"} {
				if err := os.Symlink(self, filepath.Join(bin, name)); err != nil {
					return err
				}
			}
			env.Setenv("PATH", bin+string(filepath.ListSeparator)+os.Getenv("PATH"))
			env.Setenv("GORACE", "atexit_sleep_ms=0") // under -race each of them would linger a second
			env.Values["daemon"] = new(scriptDaemon)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": scriptServe,
			"await": func(ts *testscript.TestScript, _ bool, args []string) {
				daemonOf(ts).await(scriptTB{ts: ts}, strings.Join(args, " "))
			},
			"halt":  func(ts *testscript.TestScript, _ bool, _ []string) { daemonOf(ts).stop(scriptTB{ts: ts}) },
			"exits": scriptExits,
			"queueid": func(ts *testscript.TestScript, _ bool, _ []string) {
				ts.Check(ts.Exec("lmtpd", "queue", "list", "--config", "lmtpd.toml"))
				id, _, _ := strings.Cut(ts.ReadFile("stdout"), " ")
				ts.Setenv("ID", id)
			},
			"crlf": func(ts *testscript.TestScript, _ bool, args []string) {
				text := strings.ReplaceAll(ts.ReadFile(args[0]), "\n", "\r\n")
				ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(text), 0o600))
			},
		},
	})
}

// A scriptDaemon is the daemon of a script.
type scriptDaemon struct{ *child }

func daemonOf(ts *testscript.TestScript) *child { return ts.Value("daemon").(*scriptDaemon).child }

func scriptServe(ts *testscript.TestScript, _ bool, args []string) {
	cmd := exec.Command(filepath.Join(ts.Getenv("WORK"), "bin", "lmtpd"), "serve", "--config", args[0])
	cmd.Args[0], cmd.Dir = "lmtpd", ts.Getenv("WORK")
	cmd.Env = append(os.Environ(), "GORACE=atexit_sleep_ms=0")
	d := startChild(scriptTB{ts: ts}, cmd)
	ts.Value("daemon").(*scriptDaemon).child = d
	ready := d.await(scriptTB{ts: ts}, "msg=\"ready: (.*)")[1]
	for _, found := range regexp.MustCompile(`(submissions?) (127\.0\.0\.1:\d+)`).FindAllStringSubmatch(ready, -1) {
		ts.Setenv(strings.ToUpper(found[1]), found[2])
	}
	for _, line := range d.matching("sha256=") {
		ts.Setenv("FINGERPRINT", regexp.MustCompile("sha256=([0-9A-F:]+)").FindStringSubmatch(line)[1])
	}
}

func scriptExits(ts *testscript.TestScript, _ bool, args []string) {
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		code = exit.ExitCode()
	}
	if fmt.Sprint(code) != args[0] {
		ts.Fatalf("%s: exit code %d, not %s", args[1], code, args[0])
	}
}

// A scriptTB lets a script use what is made for tests.
type scriptTB struct {
	testing.TB
	ts *testscript.TestScript
}

func (scriptTB) Helper()             {}
func (scriptTB) Failed() bool        { return false } // the log is shown by Fatalf
func (s scriptTB) Cleanup(f func())  { s.ts.Defer(f) }
func (s scriptTB) Fatal(args ...any) { s.ts.Fatalf("%s", fmt.Sprint(args...)) }
func (s scriptTB) Fatalf(format string, args ...any) {
	if d := daemonOf(s.ts); d != nil {
		s.ts.Logf("the daemon:\n%s", strings.Join(last(d.output(), 40), "\n"))
	}
	s.ts.Fatalf(format, args...)
}
func (s scriptTB) Errorf(format string, args ...any) { s.ts.Fatalf(format, args...) }
