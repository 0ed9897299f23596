package main_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// The comparison of README.md can be made: every server of it takes mail, has what it answered for, and has its numbers in
// the table.
func TestBenchPeers(t *testing.T) {
	needPeers(t, "bash", "setpriv", "dovecot", "postfix")
	dir := openDir(t)
	installProgram(t, dir)
	cmd := exec.CommandContext(t.Context(), "bash", "../../testdata/bench/peers.sh")
	cmd.Env = append(os.Environ(), "BASE="+dir, "LMTPD="+filepath.Join(dir, "lmtpd"), "CASES=2:1:2048 3:2:600", "RUNS=1", "DURATION=1",
		"GORACE=atexit_sleep_ms=0")
	table := strings.Split(strings.TrimSpace(output(t, cmd)), "\n")
	want := []string{
		`\| sessions × recipients × octets \| \| Dovecot LMTP, maildir \| Postfix virtual, maildir \| lmtpd, maildir \| lmtpd, SQLite \|`,
		`\|---\|---\|---\|---\|---\|---\|`,
	}
	for _, of := range []string{"2 × 1 × 2048", "3 × 2 × 600"} {
		want = append(want,
			`\| `+of+` \| messages/s \| \d+ \| \d+ \| \d+ \| \d+ \|`,
			`\| `+of+` \| p99, ms \| [\d.]+ \| [\d.]+ \| [\d.]+ \| [\d.]+ \|`,
			`\| `+of+` \| CPU for a message, ms \| [\d.]+ \| – \| [\d.]+ \| [\d.]+ \|`,
			`\| `+of+` \| memory, MB \| \d+ \| – \| \d+ \| \d+ \|`)
	}
	if len(table) != len(want) {
		t.Fatalf("the table has %d lines, want %d:\n%s", len(table), len(want), strings.Join(table, "\n"))
	}
	for i, line := range table {
		if !regexp.MustCompile("^" + want[i] + "$").MatchString(line) {
			t.Errorf("line %d is\n%s\nwant\n%s", i+1, line, want[i])
		}
	}
}
