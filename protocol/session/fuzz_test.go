package session_test

import (
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtptest"
)

// FuzzSession lets both dialects hear the same octets. Its seeds are what the clients of all transcripts say.
func FuzzSession(f *testing.F) {
	for _, dir := range []string{"lmtp", "esmtp", "hostile"} {
		all, err := smtptest.Load(filepath.Join("../../testdata", dir))
		if err != nil {
			f.Fatal(err)
		}
		for _, t := range all {
			if octets := client(t); len(octets) < 10_000 {
				f.Add(octets)
			}
		}
	}
	f.Fuzz(func(t *testing.T, octets []byte) {
		check(t, session.LMTP(), octets)
		check(t, session.ESMTP(), octets)
	})
}

// client returns all that the client of a transcript sends.
func client(t *smtptest.Transcript) []byte {
	var octets []byte
	for _, l := range t.Lines {
		if l.Kind == smtptest.Client {
			octets = append(octets, l.Octets...)
		}
	}
	return octets
}

// phrases are what a random client says. Most of it makes sense, so that transactions come about.
var phrases = strings.Split(`LHLO c|EHLO c|HELO c|LHLO c|EHLO c|MAIL FROM:<s@example.com>|MAIL FROM:<s@example.com>|MAIL FROM:<>
MAIL FROM:<refused@example.com>|MAIL FROM:<s@example.com> SIZE=201|RCPT TO:<ann@example.org>|RCPT TO:<ann@example.org>
RCPT TO:<bob@example.org>|RCPT TO:<nobody@example.org>|RCPT TO:<crash@example.org>|RCPT TO:<panic@example.org>
RCPT TO:<lazy@example.org>|RCPT TO:<early@example.org>|RCPT TO:<silent@example.org>|RCPT TO:<twice@example.org>
RCPT TO:<later@example.org>|RCPT TO:<sore@example.org>|RCPT TO:<leave@example.org>|DATA|DATA|DATA|.|.|.|..|.x|QUIT|RSET
NOOP|VRFY nobody@example.org|VRFY crash@example.org|FOO|BDAT 0|BDAT 0 LAST|BDAT 6|BDAT 8 LAST|BDAT 70|BDAT 300 LAST
BDAT 250|BDAT x|Subject: hello||stray \r here|stray \n here|XFORWARD NAME=x|`+strings.Repeat("x", 99), "\n")

// TestRandomSessions checks what FuzzSession does on sessions that get further than chance takes that.
func TestRandomSessions(t *testing.T) {
	var all []string
	for _, line := range phrases {
		all = append(all, strings.Split(line, "|")...)
	}
	for seed := range uint64(3000) {
		r := rand.New(rand.NewPCG(seed, 2033))
		var b strings.Builder
		b.WriteString("LHLO c\r\nEHLO c\r\n")
		for range 5 + r.IntN(60) {
			b.WriteString(strings.NewReplacer(`\r`, "\r", `\n`, "\n").Replace(all[r.IntN(len(all))]))
			b.WriteString("\r\n")
		}
		octets := []byte(b.String())
		octets = octets[:len(octets)-r.IntN(3)]
		check(t, session.LMTP(), octets)
		check(t, session.ESMTP(), octets)
		if t.Failed() {
			t.Fatalf("seed %d: %q", seed, octets)
		}
	}
}
