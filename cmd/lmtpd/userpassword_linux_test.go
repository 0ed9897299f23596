package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"lmtpd/auth/account"
	"lmtpd/auth/password"
)

// A terminal is both ends of a pseudo-terminal: the one that somebody types at, and the one that the program has.
type terminal struct {
	typed, program *os.File
	shown          chan string // all that the one who types has seen, in the end
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	typed, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("there is no pseudo-terminal: %v", err)
	}
	fd := int(typed.Fd())
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0)
	}
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("the pseudo-terminal has no other end: %v", err)
	}
	term := &terminal{typed, program, make(chan string, 1)}
	go func() {
		var all bytes.Buffer
		io.Copy(&all, typed) // an error is how the end of a terminal looks
		term.shown <- all.String()
	}()
	t.Cleanup(func() { typed.Close() })
	return term
}

// echoes says whether what is typed is shown.
func (term *terminal) echoes(t *testing.T) bool {
	t.Helper()
	state, err := unix.IoctlGetTermios(int(term.program.Fd()), unix.TCGETS)
	if err != nil {
		t.Fatal(err)
	}
	return state.Lflag&unix.ECHO != 0
}

// awaitSilence waits until the program has switched the echo off.
func (term *terminal) awaitSilence(t *testing.T) {
	t.Helper()
	for end := time.Now().Add(time.Minute); term.echoes(t); {
		if time.Now().After(end) {
			t.Fatal("the terminal goes on showing what is typed")
		}
	}
}

// prompts is standard error, on which each answer follows a prompt.
type prompts struct {
	mu   sync.Mutex
	said bytes.Buffer
	seen chan string
}

func (p *prompts) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if text := string(b); strings.HasSuffix(text, ": ") {
		p.seen <- text
	}
	return p.said.Write(b)
}

// typeAnswers runs "lmtpd user" at a terminal with an answer to each of its prompts.
func typeAnswers(t *testing.T, args []string, answers ...string) (code int, said, shown string) {
	t.Helper()
	term, asked := newTerminal(t), &prompts{seen: make(chan string)}
	ended := make(chan int)
	go func() {
		a := &app{stdin: term.program, stdout: io.Discard, stderr: asked}
		ended <- a.run(t.Context(), append([]string{"lmtpd", "user"}, args...))
	}()
	for _, answer := range answers {
		<-asked.seen
		term.awaitSilence(t)
		fmt.Fprint(term.typed, answer)
	}
	code = <-ended
	if !term.echoes(t) {
		t.Error("the terminal stays silent")
	}
	term.program.Close()
	return code, asked.said.String(), <-term.shown
}

// At a terminal a new password is asked for twice, and not shown.
func TestUserPrompt(t *testing.T) {
	path := usersFile(t, "# c\n")
	code, said, shown := typeAnswers(t, []string{"add", "--accounts", "file:" + path, "ann"}, "sécret one\n", "sécret one\n")
	if want := "New password for ann: \nOnce more: \n"; code != exOK || said != want || shown != "" {
		t.Errorf("exit %d, %q, shown %q; want %q", code, said, shown, want)
	}
	all, err := account.List(path)
	if err != nil || len(all) != 1 || password.Verify(all[0].Password, "sécret one") != nil {
		t.Errorf("got %+v, %v", all, err)
	}
	code, said, _ = typeAnswers(t, []string{"verify", "--accounts", "file:" + path, "ann"}, "sécret one\n")
	if want := "Password for ann: \n"; code != exOK || said != want {
		t.Errorf("verify: exit %d, %q, want %q", code, said, want)
	}
}

func TestUserPromptRefuses(t *testing.T) {
	path := usersFile(t, "ann:x\n")
	for _, tt := range []struct {
		answers []string
		says    string
	}{
		{[]string{"one\n", "two\n"}, "the two passwords differ"},
		{[]string{"\n"}, "the password is empty"},
	} {
		code, said, _ := typeAnswers(t, []string{"passwd", "--accounts", "file:" + path, "ann"}, tt.answers...)
		if code != exDataErr || !strings.HasSuffix(said, "lmtpd: "+tt.says+"\n") {
			t.Errorf("%q: exit %d, %q", tt.answers, code, said)
		}
	}
	fileHolds(t, path, "ann:x\n")
	if code, said, _ := typeAnswers(t, []string{"passwd", "--accounts", "file:" + path, "eve"}); code != exNoUser || strings.Contains(said, "assword for") {
		t.Errorf("somebody who is not there: exit %d, %q", code, said)
	}
}

// Who interrupts a prompt has the terminal as it was, and the accounts too.
func TestUserPromptInterrupted(t *testing.T) {
	path := usersFile(t, "ann:x\n")
	term, asked := newTerminal(t), &prompts{seen: make(chan string)}
	ended := make(chan int)
	go func() {
		a := &app{stdin: term.program, stdout: io.Discard, stderr: asked}
		ended <- a.run(t.Context(), []string{"lmtpd", "user", "passwd", "--accounts", "file:" + path, "ann"})
	}()
	<-asked.seen
	term.awaitSilence(t)
	if err := unix.Kill(os.Getpid(), unix.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := <-ended; code != exTempFail || !term.echoes(t) {
		t.Errorf("exit %d, %q, echo %v", code, asked.said.String(), term.echoes(t))
	}
	fileHolds(t, path, "ann:x\n")
	fmt.Fprintln(term.typed) // in a process the reading would end with it
	term.program.Close()
	<-term.shown
}
