package main_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what must come. It is generous, because it is only used up on failure.
const patience = time.Minute

// A child is a program that a test started, whose output is read line by line, so that a line can be waited for.
type child struct {
	cmd     *exec.Cmd
	mu      sync.Mutex
	lines   []string
	grown   chan struct{} // closed and made anew with every line
	ended   chan struct{} // closed when the process has ended
	drained chan struct{} // closed when its output has been read to the end
	err     error         // how it ended, once ended is closed
}

// startChild starts cmd and stops it, by its process ID, when the test is over.
func startChild(t testing.TB, cmd *exec.Cmd) *child {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = w, w
	c := &child{cmd: cmd, grown: make(chan struct{}), ended: make(chan struct{}), drained: make(chan struct{})}
	err = cmd.Start()
	w.Close()
	if err != nil {
		r.Close()
		t.Fatal(err)
	}
	go c.read(r)
	go func() {
		c.err = cmd.Wait()
		close(c.ended)
	}()
	t.Cleanup(func() {
		c.stop(t)
		r.Close()
		if t.Failed() {
			t.Logf("what %s said:\n%s", cmd.Args[0], strings.Join(last(c.output(), 40), "\n"))
		}
	})
	return c
}

func (c *child) read(r io.Reader) {
	defer close(c.drained)
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadString('\n')
		if line != "" {
			c.mu.Lock()
			c.lines = append(c.lines, strings.TrimRight(line, "\n"))
			close(c.grown)
			c.grown = make(chan struct{})
			c.mu.Unlock()
		}
		if err != nil {
			return
		}
	}
}

// await returns the groups of the first line, from the beginning, that pattern matches, and waits for it if need be.
func (c *child) await(t testing.TB, pattern string) []string {
	t.Helper()
	return c.awaitN(t, 1, pattern)[0]
}

// awaitN waits until n lines match pattern, and returns their groups.
func (c *child) awaitN(t testing.TB, n int, pattern string) (matches [][]string) {
	t.Helper()
	re, deadline := regexp.MustCompile(pattern), time.After(patience)
	for seen := 0; ; {
		c.mu.Lock()
		lines, grown := c.lines[seen:], c.grown
		c.mu.Unlock()
		for _, line := range lines {
			if groups := re.FindStringSubmatch(line); groups != nil {
				matches = append(matches, groups)
			}
		}
		if len(matches) >= n {
			return matches
		}
		seen += len(lines)
		select {
		case <-grown:
		case <-c.drained:
			t.Fatalf("%s ended and has said %q %d times, not %d", c.cmd.Args[0], pattern, len(matches), n)
		case <-deadline:
			t.Fatalf("%s has said %q %d times, not %d", c.cmd.Args[0], pattern, len(matches), n)
		}
	}
}

// matching returns the lines said so far that pattern matches.
func (c *child) matching(pattern string) (found []string) {
	re := regexp.MustCompile(pattern)
	for _, line := range c.output() {
		if re.MatchString(line) {
			found = append(found, line)
		}
	}
	return found
}

// output returns what was said so far.
func (c *child) output() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lines[:len(c.lines):len(c.lines)]
}

// signal sends a signal; a process that has ended already is no mistake.
func (c *child) signal(t testing.TB, s os.Signal) {
	t.Helper()
	if err := c.cmd.Process.Signal(s); err != nil && !errors.Is(err, os.ErrProcessDone) {
		t.Errorf("signal %s: %v", c.cmd.Args[0], err)
	}
}

// wait waits for the end and returns the exit code, -1 after a signal.
func (c *child) wait(t testing.TB) int {
	t.Helper()
	deadline := time.After(patience)
	for _, end := range []chan struct{}{c.ended, c.drained} {
		select {
		case <-end:
		case <-deadline:
			t.Fatalf("%s does not end", c.cmd.Args[0])
		}
	}
	return c.cmd.ProcessState.ExitCode()
}

// stop asks the child to end, and makes it end when it does not.
func (c *child) stop(t testing.TB) {
	t.Helper()
	c.signal(t, syscall.SIGTERM)
	select {
	case <-c.ended:
	case <-time.After(patience):
		t.Errorf("%s does not stop", c.cmd.Args[0])
		c.signal(t, os.Kill)
		<-c.ended
	}
}

// kill ends the child as a crash would.
func (c *child) kill(t testing.TB) {
	t.Helper()
	c.signal(t, os.Kill)
	<-c.ended
}

// run runs a program to its end and returns what it printed on standard output; it must succeed.
func run(t testing.TB, program string, args ...string) string {
	t.Helper()
	return output(t, exec.CommandContext(t.Context(), program, args...))
}

// output is run for a program that takes more to prepare.
func output(t testing.TB, cmd *exec.Cmd) string {
	t.Helper()
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s%s", strings.Join(cmd.Args, " "), err, out, complaint.String())
	}
	return string(out)
}

func last(lines []string, n int) []string { return lines[max(0, len(lines)-n):] }
