package smtp

import (
	"strings"
	"testing"
)

func TestParseCommand(t *testing.T) {
	for _, tt := range []struct {
		line string
		want Command
		ok   bool
	}{
		{"MAIL FROM:<>", Command{"MAIL", "FROM:<>"}, true},
		{"mail from:<A@b>", Command{"MAIL", "from:<A@b>"}, true},
		{"rCpT TO:<a@b>", Command{"RCPT", "TO:<a@b>"}, true},
		{"data", Command{"DATA", ""}, true},
		{"bdat 9 last", Command{"BDAT", "9 last"}, true},
		{"Rset", Command{"RSET", ""}, true},
		{"quit", Command{"QUIT", ""}, true},
		{"STARTTLS", Command{"STARTTLS", ""}, true},
		{"starttlsfoo", Command{"STARTTLSFOO", ""}, true},
		{"QUIT  \t ", Command{"QUIT", ""}, true}, // RFC 5321 §4.1.1
		{"MAIL  FROM:<>", Command{"MAIL", " FROM:<>"}, true},
		{"VRFY ü", Command{"VRFY", "ü"}, true},
		{"", Command{}, false},
		{" ", Command{}, false},
		{" MAIL FROM:<>", Command{}, false},
		{"MAIL:FROM", Command{}, false},
		{"MAIL\tFROM:<>", Command{}, false},
		{"M4IL", Command{}, false},
		{"<>", Command{}, false},
		{"NOOP a\rb", Command{}, false},
		{"NOOP a\nb", Command{}, false},
		{"NOOP \x00", Command{}, false},
		{"NOOP \x7f", Command{}, false},
		{"NOOP \xff", Command{}, false},
		{"ſTARTTLS", Command{}, false},
	} {
		if c, ok := ParseCommand([]byte(tt.line)); c != tt.want || ok != tt.ok {
			t.Errorf("%q: %+v, %v; want %+v, %v", tt.line, c, ok, tt.want, tt.ok)
		}
	}
}

func TestUsualVerbsAllocateNothing(t *testing.T) {
	for _, verb := range []string{"mail", "RCPT", "Data", "bdat", "rset"} {
		line := []byte(verb)
		if n := testing.AllocsPerRun(100, func() { ParseCommand(line) }); n != 0 {
			t.Errorf("%s: %v allocations", verb, n)
		}
	}
}

func TestCutPath(t *testing.T) {
	for _, tt := range []struct {
		arg, word, rest string
		ok              bool
	}{
		{"FROM:<>", "FROM", "<>", true},
		{"from:<a@b> SIZE=1", "FROM", "<a@b> SIZE=1", true},
		{" From : <a@b>", "FROM", "<a@b>", true},
		{"TO:<a@b>", "TO", "<a@b>", true},
		{"TO:", "TO", "", true},
		{"TO<a@b>", "TO", "", false},
		{"TOO:<a@b>", "TO", "", false},
		{"FROM:<a@b>", "TO", "", false},
		{"T", "TO", "", false},
		{"", "TO", "", false},
	} {
		rest, ok := CutPath(tt.arg, tt.word)
		if ok != tt.ok || ok && rest != tt.rest {
			t.Errorf("%q, %s: %q, %v; want %q, %v", tt.arg, tt.word, rest, ok, tt.rest, tt.ok)
		}
	}
}

// What is a command is made of letters and printable octets, and is the same command when written again.
func FuzzCommand(f *testing.F) {
	f.Add([]byte("mail from:<a@b> size=1 "))
	f.Add([]byte("X"))
	f.Fuzz(func(t *testing.T, line []byte) {
		before := string(line)
		c, ok := ParseCommand(line)
		if string(line) != before {
			t.Fatalf("%q became %q", before, line)
		}
		if !ok {
			return
		}
		if c.Verb == "" || strings.Trim(c.Verb, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "" || strings.ContainsAny(c.Arg, "\r\n\x00") {
			t.Fatalf("%q: %+v", line, c)
		}
		if again, ok := ParseCommand([]byte(c.Verb + " " + c.Arg)); !ok || again != c {
			t.Errorf("%q: %+v, again %+v", line, c, again)
		}
	})
}
