package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
)

// A terminal sees a bar, which is gone at the end; what is no terminal sees nothing.
func TestProgressOnTerminal(t *testing.T) {
	data := t.TempDir()
	oldMail(t, data)
	term := newTerminal(t)
	var out bytes.Buffer
	a := &app{stdin: strings.NewReader(""), stdout: &out, stderr: term.program}
	args := []string{"lmtpd", "mailbox", "export", "--data", data, "ann", "mbox:" + filepath.Join(t.TempDir(), "x")}
	if code := a.run(t.Context(), args); code != exOK || !strings.Contains(out.String(), "7 put") {
		t.Errorf("exit %d, %q", code, out.String())
	}
	term.program.Close()
	if shown := <-term.shown; !strings.Contains(shown, "export ann@localhost") || !strings.Contains(shown, "%") || !strings.HasSuffix(strings.TrimRight(shown, " "), "\r") {
		t.Errorf("the terminal has shown %q", shown)
	}
}
