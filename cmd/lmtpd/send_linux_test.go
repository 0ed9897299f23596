package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Who sits at a terminal and names no file gets a message that is made up, and does not have to type one.
func TestSendAtTerminal(t *testing.T) {
	drop, term := startMailDrop(t, "tcp", "127.0.0.1:0"), newTerminal(t)
	var out, diag bytes.Buffer
	a := &app{stdin: term.program, stdout: &out, stderr: &diag}
	code := a.run(t.Context(), []string{"lmtpd", "send", "--server", drop.url, "--to", "ann@example.org"})
	if code != exOK || !strings.Contains(drop.lines(), "\nSubject: Test message of ") {
		t.Errorf("exit %d, %s: %s", code, diag.String(), drop.lines())
	}
}

// A large message has a bar on a terminal, a small one has none.
func TestSendProgressOnTerminal(t *testing.T) {
	file := filepath.Join(t.TempDir(), "large.eml")
	for size, bar := range map[int]bool{2 << 20: true, 100: false} {
		drop, term := startMailDrop(t, "tcp", "127.0.0.1:0"), newTerminal(t)
		if err := os.WriteFile(file, bytes.Repeat([]byte("0123456789abcde\n"), size/16), 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: term.program}
		if code := a.run(t.Context(), []string{"lmtpd", "send", "--server", drop.url, "--to", "ann@example.org", file}); code != exOK {
			t.Errorf("exit %d, %q", code, out.String())
		}
		term.program.Close()
		if shown := <-term.shown; strings.Contains(shown, "large.eml") != bar || bar && !strings.Contains(shown, "B/s)") {
			t.Errorf("of %d octets the terminal has shown %q", size, shown)
		}
	}
}
