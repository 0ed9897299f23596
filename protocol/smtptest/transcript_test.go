package smtptest_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/protocol/smtptest"
)

var update = flag.Bool("update", false, "rewrite what the server says in the transcripts")

// dirs are the directories of transcripts.
func dirs() []string {
	return []string{"../../testdata/lmtp", "../../testdata/esmtp", "../../testdata/hostile"}
}

// each runs f for every transcript.
func each(t *testing.T, f func(*testing.T, *smtptest.Transcript)) {
	for _, dir := range dirs() {
		all, err := smtptest.Load(dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, tr := range all {
			t.Run(filepath.Base(dir)+"/"+filepath.Base(tr.Path), func(t *testing.T) { f(t, tr) })
		}
	}
}

// play plays tr in memory and compares.
func play(t *testing.T, tr *smtptest.Transcript, segment int) *smtptest.Transcript {
	t.Helper()
	wire, kept := smtptest.InMemory(t, tr.Settings, segment)
	played, err := tr.Play(wire, kept)
	if err != nil {
		t.Errorf("%v", err)
	}
	return played
}

// TestTranscripts plays each as it is written.
func TestTranscripts(t *testing.T) {
	each(t, func(t *testing.T, tr *smtptest.Transcript) {
		played := play(t, tr, 0)
		if *update && !t.Failed() {
			if err := os.WriteFile(tr.Path, []byte(played.String()), 0o644); err != nil {
				t.Fatal(err)
			}
			return
		}
		compare(t, played, tr)
	})
}

// TestSegments plays each with one octet a segment: where the network divides what is sent proves nothing.
func TestSegments(t *testing.T) {
	if *update {
		t.Skip("-update writes what TestTranscripts hears")
	}
	each(t, func(t *testing.T, tr *smtptest.Transcript) { compare(t, play(t, tr, 1), tr) })
}

// TestPipelined plays each in as few writes as can be: whether the client waits for replies changes none of
// them (RFC 2920 §3.2).
func TestPipelined(t *testing.T) {
	if *update {
		t.Skip("-update writes what TestTranscripts hears")
	}
	each(t, func(t *testing.T, tr *smtptest.Transcript) {
		all := tr.Pipelined()
		compare(t, play(t, all, 0), all)
	})
}

func compare(t *testing.T, got, want *smtptest.Transcript) {
	t.Helper()
	if diff := smtptest.Diff(got.String(), want.String()); diff != "" {
		t.Errorf("%s (- as written, + as played):\n%s", want.Path, diff)
	}
}

// TestClauses sees to it that every transcript proves something of its own.
func TestClauses(t *testing.T) {
	seen := make(map[string]string)
	each(t, func(t *testing.T, tr *smtptest.Transcript) {
		first, _, _ := strings.Cut(tr.String(), "\n")
		if other := seen[first]; other != "" {
			t.Errorf("%s and %s prove the same: %s", other, tr.Path, first)
		}
		seen[first] = tr.Path
	})
}
