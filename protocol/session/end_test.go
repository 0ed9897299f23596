package session_test

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

// TestAbandon proves that a transaction that gets no content is given back once, whatever ends it.
func TestAbandon(t *testing.T) {
	const begin = "LHLO c\r\nMAIL FROM:<s@example.com>\r\nRCPT TO:<ann@example.org>\r\n"
	for name, end := range map[string]string{
		"RSET":         "RSET\r\nRSET\r\n",
		"hello":        "LHLO c\r\nLHLO c\r\n",
		"QUIT":         "QUIT\r\n",
		"hang up":      "",
		"half a line":  "DAT",
		"errors":       strings.Repeat("FOO\r\n", 1000),
		"bad chunk":    "BDAT x\r\n",
		"VRFY between": "VRFY crash@example.org\r\nRSET\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWitness(t)
			speak(t, session.New(config(session.LMTP()), w, session.Peer{}), w, begin+end)
			if w.abandoned != 1 || len(w.kept)+len(w.broken) > 0 {
				t.Errorf("abandoned %d times, kept %q, broken %v", w.abandoned, w.kept, w.broken)
			}
		})
	}
}

// TestVerifyPanic proves that what VRFY asked about is given back even if the handler panics over it.
func TestVerifyPanic(t *testing.T) {
	w := newWitness(t)
	talk(t, session.LMTP(), w, "VRFY crash@example.org", "VRFY ann@example.org")
	if w.abandoned != 2 {
		t.Errorf("abandoned %d times", w.abandoned)
	}
}

// TestContentEnds proves that content that has begun is the handler's: it hears what ended it and returns, and
// there is no Abandon.
func TestContentEnds(t *testing.T) {
	const begin = "LHLO c\r\nMAIL FROM:<s@example.com>\r\nRCPT TO:<ann@example.org>\r\n"
	for name, end := range map[string]string{
		"in content":             "DATA\r\nhello\r\n",
		"in the final dot":       "DATA\r\nhello\r\n.\r",
		"in the only chunk":      "BDAT 9 LAST\r\nhello",
		"in a chunk":             "BDAT 9\r\nhello",
		"between chunks":         "BDAT 5\r\nhello",
		"in the last chunk":      "BDAT 5\r\nhelloBDAT 5 LAST\r\nhell",
		"RSET between chunks":    "BDAT 5\r\nhelloRSET\r\n",
		"hello between chunks":   "BDAT 5\r\nhelloLHLO c\r\n",
		"QUIT between chunks":    "BDAT 5\r\nhelloQUIT\r\n",
		"bad chunk after one":    "BDAT 5\r\nhelloBDAT x\r\n",
		"chunk too big":          "BDAT 5\r\nhelloBDAT 996\r\n" + strings.Repeat("x", 996),
		"in a chunk too big":     "BDAT 5\r\nhelloBDAT 996\r\nx",
		"content too big":        "DATA\r\n" + strings.Repeat("x", 999) + "\r\n.\r\n",
		"in content too big":     "DATA\r\n" + strings.Repeat("x", 2000),
		"last chunk too big":     "BDAT 1001 LAST\r\n" + strings.Repeat("x", 1001),
		"in last chunk too big":  "BDAT 2000 LAST\r\n" + strings.Repeat("x", 1999),
		"errors between chunks":  "BDAT 5\r\nhello" + strings.Repeat("FOO\r\n", 1000),
		"an empty chunk, no end": "BDAT 0\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			w := newWitness(t)
			speak(t, session.New(config(session.LMTP()), w, session.Peer{}), w, begin+end)
			if w.abandoned > 0 || len(w.kept) > 0 || len(w.broken) != 1 || w.broken[0] == io.EOF {
				t.Errorf("abandoned %d times, kept %q, broken %v", w.abandoned, w.kept, w.broken)
			}
		})
	}
}

// TestTooBigFirstChunk proves that of a first chunk that is too big the handler has the refusal and no octet.
func TestTooBigFirstChunk(t *testing.T) {
	w := newWitness(t)
	talk(t, session.LMTP(), w, "LHLO c", "MAIL FROM:<s@example.com>", "RCPT TO:<ann@example.org>",
		"BDAT 1001", strings.Repeat("x", 999))
	refusal, is := errors.AsType[smtp.Reply](errors.Join(w.broken...))
	if w.abandoned > 0 || len(w.broken) != 1 || !is || refusal.Code != 552 {
		t.Errorf("abandoned %d times, broken %v", w.abandoned, w.broken)
	}
}

// TestSoreHandler proves that a handler that panics when its content breaks off does not bring the session out of
// step.
func TestSoreHandler(t *testing.T) {
	for name, c := range map[string]struct{ say, want []string }{
		"chunk too big": {[]string{"BDAT 996", strings.Repeat("QUIT\r\n", 165) + "QUIT", "NOOP"}, []string{"451", "250"}},
		"RSET":          {[]string{"RSET", "NOOP"}, []string{"451", "250"}},
		"hello":         {[]string{"LHLO c", "LHLO c"}, []string{"451", "250"}},
		"QUIT":          {[]string{"QUIT"}, []string{"221"}},
		"hang up":       {nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWitness(t)
			replies := talk(t, session.LMTP(), w, append([]string{"LHLO c", "MAIL FROM:<s@example.com>",
				"RCPT TO:<sore@example.org>", "BDAT 7", "hello"}, c.say...)...)
			if got := codes(replies[4:]); !slices.Equal(got, c.want) {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func codes(replies []string) []string {
	var all []string
	for _, r := range replies {
		all = append(all, r[:3])
	}
	return all
}

// TestDrained proves that what a handler does not read is read for it.
func TestDrained(t *testing.T) {
	for _, local := range []string{"lazy", "early"} {
		for name, content := range map[string][]string{
			"DATA":      {"DATA", strings.Repeat("QUIT\r\n", 100) + "."},
			"chunk":     {"BDAT 602 LAST", strings.Repeat("QUIT\r\n", 100)},
			"chunks":    {"BDAT 602", strings.Repeat("QUIT\r\n", 100), "BDAT 8", "RSET\r\n", "BDAT 0 LAST"},
			"RSET":      {"BDAT 602", strings.Repeat("QUIT\r\n", 100), "RSET"},
			"too big":   {"DATA", strings.Repeat("QUIT\r\n", 1000) + "."},
			"big chunk": {"BDAT 6002 LAST", strings.Repeat("QUIT\r\n", 1000)},
		} {
			t.Run(local+" "+name, func(t *testing.T) {
				w := newWitness(t)
				say := append([]string{"LHLO c", "MAIL FROM:<s@example.com>", "RCPT TO:<" + local + "@example.org>"}, content...)
				replies := talk(t, session.LMTP(), w, append(say, "NOOP")...)
				want := "250"
				if strings.Contains(name, "big") {
					want = "552"
				}
				if got := codes(replies); got[len(got)-2] != want || got[len(got)-1] != "250" {
					t.Errorf("%q", replies)
				}
			})
		}
	}
}

// TestMiscount proves that a handler that does not answer for each recipient has failed for all.
func TestMiscount(t *testing.T) {
	for _, local := range []string{"silent", "twice"} {
		w := newWitness(t)
		say := []string{"MAIL FROM:<s@example.com>", "RCPT TO:<ann@example.org>",
			"RCPT TO:<" + local + "@example.org>", "DATA", "hello", "."}
		replies := talk(t, session.LMTP(), w, append([]string{"LHLO c"}, say...)...)
		if got := codes(replies); !slices.Equal(got[5:], []string{"451", "451"}) {
			t.Errorf("LMTP: %q", replies)
		}
		replies = talk(t, session.ESMTP(), newWitness(t), append([]string{"EHLO c"}, say...)...)
		if got := codes(replies); !slices.Equal(got[5:], []string{"451"}) {
			t.Errorf("ESMTP: %q", replies)
		}
	}
}

// TestClosing proves that a handler's 421 closes the session in both dialects, after all replies are given.
func TestClosing(t *testing.T) {
	say := []string{"MAIL FROM:<s@example.com>", "RCPT TO:<leave@example.org>", "RCPT TO:<ann@example.org>", "DATA",
		"hello", ".", "NOOP"}
	replies := talk(t, session.LMTP(), newWitness(t), append([]string{"LHLO c"}, say...)...)
	if got := codes(replies); !slices.Equal(got[5:], []string{"421", "250"}) {
		t.Errorf("LMTP: %q", replies)
	}
	replies = talk(t, session.ESMTP(), newWitness(t), append([]string{"EHLO c"}, say...)...)
	if got := codes(replies); !slices.Equal(got[5:], []string{"421"}) {
		t.Errorf("ESMTP: %q", replies)
	}
}

// TestDriverEnds covers the ends that only a driver brings about.
func TestDriverEnds(t *testing.T) {
	ctx := context.Background()
	for name, end := range map[string]func(*session.Session) session.Step{
		"421 4.3.2 Shutting down":   (*session.Session).Shutdown,
		"421 4.4.2 Waited too long": (*session.Session).TimedOut,
	} {
		w := newWitness(t)
		s := session.New(config(session.LMTP()), w, session.Peer{})
		s.Start()
		for _, l := range []string{"LHLO c", "MAIL FROM:<s@example.com>", "RCPT TO:<ann@example.org>", "BDAT 5"} {
			s.Line(ctx, []byte(l))
		}
		if !s.Inside() || s.Envelope() == nil {
			t.Error("not inside a transaction's content")
		}
		if step := s.Chunk(ctx, strings.NewReader("hello")); step.Replies[0].Code != 250 {
			t.Errorf("%v", step.Replies)
		}
		step := end(s)
		if step.Next.Kind != session.Close || step.Replies[0].String() != name {
			t.Errorf("%v, want %s", step, name)
		}
		s.Close()
		w.done()
		if len(w.broken) != 1 || errors.Is(w.broken[0], io.EOF) {
			t.Errorf("the handler heard %v", w.broken)
		}
		if s.Inside() || s.Envelope() != nil {
			t.Error("still inside a transaction")
		}
	}
}

// TestRefusalIsTheError proves that a handler can tell a refusal from a hang-up.
func TestRefusalIsTheError(t *testing.T) {
	w := newWitness(t)
	talk(t, session.ESMTP(), w, "EHLO c", "MAIL FROM:<s@example.com>", "RCPT TO:<ann@example.org>", "DATA", "a\nb", ".")
	if len(w.broken) != 1 {
		t.Fatalf("broken: %v", w.broken)
	}
	if r, is := errors.AsType[smtp.Reply](w.broken[0]); !is || r.Code != 550 {
		t.Errorf("the handler heard %v", w.broken[0])
	}
}
