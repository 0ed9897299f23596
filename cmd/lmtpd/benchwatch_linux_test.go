package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// A process is followed with its children, and the time of children that have ended stays.
func TestBenchWatch(t *testing.T) {
	drop := startTaker(t, "tcp", "127.0.0.1:0")
	code, r := benchJSON(t, drop.url, "-n", "50", "--to", "ann@x", "--watch", fmt.Sprint(os.Getpid()))
	if u := r.Watched; code != exOK || u == nil || u.PID != os.Getpid() || u.Processes < 1 || u.Memory < 1<<20 || u.Problem != "" {
		t.Errorf("exit %d, %+v", code, u)
	}
	_, out, _ := runBench(t, drop.url, "-n", "1", "-c", "1", "--to", "ann@x", "--watch", fmt.Sprint(os.Getpid()))
	if !strings.Contains(out, "\nwatched     ") || !strings.Contains(out, " MB in ") {
		t.Errorf("printed\n%s", out)
	}
}

func TestBenchWatchNobody(t *testing.T) {
	code, out, diag := runBench(t, "lmtp://127.0.0.1:1", "--to", "ann@x", "--watch", "999999999")
	if code != exUsage || out != "" || !strings.Contains(diag, "--watch 999999999: there is no such process") {
		t.Errorf("exit %d, %q, %q", code, out, diag)
	}
}

func TestParseStat(t *testing.T) {
	text := "41 (a) b (c) S 7 41 41 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 500 1000 77 18446744073709551615\n"
	got, ok := parseStat([]byte(text))
	if want := (processStat{7, 1100 * time.Millisecond, 77}); !ok || got != want {
		t.Errorf("%+v, %v; want %+v", got, ok, want)
	}
	for _, short := range []string{"", "41", "41 (x)", text[:60]} {
		if got, ok := parseStat([]byte(short)); ok {
			t.Errorf("%q is %+v", short, got)
		}
	}
}

// Mothers are told with their children, whatever is between.
func TestProcessTree(t *testing.T) {
	own, err := processTree(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	all, err := processTree(os.Getppid())
	if err != nil || all.processes <= own.processes || all.memory < own.memory {
		t.Errorf("%v: the parent has %+v, this process %+v", err, all, own)
	}
}

// A terminal sees how it goes, and nothing of that at the end.
func TestBenchOnTerminal(t *testing.T) {
	drop := startTaker(t, "tcp", "127.0.0.1:0")
	term := newTerminal(t)
	var out strings.Builder
	a := &app{stdout: &out, stderr: term.program}
	args := []string{"lmtpd", "bench", "--duration", "1200ms", "--to", "ann@x", drop.url}
	if code := a.run(t.Context(), args); code != exOK || !strings.HasPrefix(out.String(), "time ") {
		t.Errorf("exit %d, %q", code, out.String())
	}
	term.program.Close()
	if shown := <-term.shown; !strings.Contains(shown, " messages, ") || !strings.HasSuffix(shown, "\r\x1b[K") {
		t.Errorf("the terminal has shown %q", shown)
	}
}

// A program may have any name.
func FuzzParseStat(f *testing.F) {
	f.Add([]byte("sh"))
	f.Add([]byte(") S 1 1 (\n"))
	f.Fuzz(func(t *testing.T, name []byte) {
		text := append(append([]byte("41 ("), name...), ") S 7 0 0 0 -1 0 0 0 0 0 1 2 3 4 20 0 1 0 500 1000 77 0\n"...)
		if got, ok := parseStat(text); !ok || got != (processStat{7, 100 * time.Millisecond, 77}) {
			t.Errorf("%q: %+v, %v", name, got, ok)
		}
		parseStat(name)
	})
}
