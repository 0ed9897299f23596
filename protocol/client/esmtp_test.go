package client

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
)

// esmtpHello is how scripts of ESMTP begin; what is offered follows.
const esmtpHello = `S: 220 mx.example.org ready
C: EHLO localhost
S: 250-mx.example.org greets you
`

const esmtpCommands = `C: RCPT TO:<ann@example.org>
C: RCPT TO:<bob@example.org>
`

// submitTo opens a session in ESMTP with a server that plays script.
func submitTo(t *testing.T, script string, o Options) (*Conn, error) {
	t.Helper()
	return New(t.Context(), serve(t, script), ESMTP(), o)
}

func TestESMTP(t *testing.T) {
	prdr, chunking := letter("ann", "bob"), letter("ann", "bob")
	prdr.PRDR, chunking.Chunking = true, true
	for _, tt := range []struct {
		name, script string
		m            Message
		want         []string
		err          error
	}{
		{"RFC 5321 §4.2.5 one reply for all", esmtpHello + "S: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 2.0.0 queued", letter("ann", "bob"),
			[]string{"250 2.0.0 queued", "250 2.0.0 queued"}, nil},
		{"one recipient is refused", esmtpHello + "S: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 550 5.1.1 no\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 2.0.0 queued", letter("ann", "bob"),
			[]string{"550 5.1.1 no", "250 2.0.0 queued"}, nil},
		{"RFC 5321 §3.2 HELO", "S: 220 mx\nC: EHLO localhost\nS: 500 what\nC: HELO localhost\nS: 250-mx\nS: 250 PIPELINING\nC: MAIL FROM:<>\nS: 250 ok\n" +
			"C: RCPT TO:<ann@example.org>\nS: 250 ok\nC: DATA\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 ok", letter("ann"),
			[]string{"250 ok"}, nil},
		{"PRDR", esmtpHello + "S: 250-PRDR\nS: 250 PIPELINING\nC: MAIL FROM:<> PRDR\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 353 each\nS: 250 2.1.5 ann\nS: 452 4.2.2 bob\nS: 250 done", prdr,
			[]string{"250 2.1.5 ann", "452 4.2.2 bob"}, nil},
		{"PRDR, and then refused after all", esmtpHello + "S: 250-PRDR\nS: 250 PIPELINING\nC: MAIL FROM:<> PRDR\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 353 each\nS: 250 2.1.5 ann\nS: 452 4.2.2 bob\nS: 550 5.7.1 spam", prdr,
			[]string{"550 5.7.1 spam", "452 4.2.2 bob"}, nil},
		{"PRDR, cut off before the last reply", esmtpHello + "S: 250-PRDR\nS: 250 PIPELINING\nC: MAIL FROM:<> PRDR\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 353 each\nS: 250 2.1.5 ann\nS: 452 4.2.2 bob", prdr,
			[]string{"unknown", "452 4.2.2 bob"}, ErrHungUp},
		{"PRDR is not needed", esmtpHello + "S: 250-PRDR\nS: 250 PIPELINING\nC: MAIL FROM:<> PRDR\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 2.0.0 all", prdr,
			[]string{"250 2.0.0 all", "250 2.0.0 all"}, nil},
		{"353 that nobody asked for", esmtpHello + "S: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 353 each", letter("ann", "bob"),
			[]string{"unknown", "unknown"}, ErrOutOfStep},
		{"BDAT, cut off before the reply", esmtpHello + "S: 250-CHUNKING\nS: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nC= \"BDAT 4 LAST\\r\\nhi\\r\\n\"\n", chunking, []string{"unknown", "unknown"}, ErrHungUp},
		{"RFC 3030 §2 BDAT", esmtpHello + "S: 250-CHUNKING\nS: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nC= \"BDAT 4 LAST\\r\\nhi\\r\\n\"\nS: 250 2.0.0 queued", chunking,
			[]string{"250 2.0.0 queued", "250 2.0.0 queued"}, nil},
		{"nobody is left for BDAT", esmtpHello + "S: 250-CHUNKING\nS: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands +
			"S: 250 ok\nS: 550 no\nS: 551 no", chunking, []string{"550 no", "551 no"}, nil},
		{"BDAT is not offered", esmtpHello + "S: 250 PIPELINING\nC: MAIL FROM:<>\n" + esmtpCommands + "C: DATA\n" +
			"S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 ok", chunking, []string{"250 ok", "250 ok"}, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := submitTo(t, tt.script, Options{})
			if err != nil {
				t.Fatal(err)
			}
			tt.m.Content = strings.NewReader("hi\n")
			results, err := c.Send(t.Context(), tt.m)
			if got := told(results); !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
				t.Errorf("%q, %v; want %q, %v", got, err, tt.want, tt.err)
			}
			if c.Server() == "" {
				t.Error("the server has no name")
			}
		})
	}
}

// A large content goes in several chunks, and a chunk that is refused is the last, after which the session goes on.
func TestChunks(t *testing.T) {
	text := strings.Repeat(".dots are no dots\r\n", 3*chunkSize/2/19)
	commands := esmtpHello + "S: 250-CHUNKING\nS: 250-BINARYMIME\nS: 250 PIPELINING\nC: MAIL FROM:<> BODY=BINARYMIME\nC: RCPT TO:<ann@example.org>\nS: 250 ok\nS: 250 ok\n"
	first := chunkSize - chunkHead
	first = (first + blockSize - 1) / blockSize * blockSize // whole blocks are read
	chunk := func(from, to int, last string) string {
		return "C= " + quote("BDAT "+itoa(to-from)+last+"\r\n"+text[from:to]) + "\n"
	}
	m := letter("ann")
	m.Body, m.LineEnds = smtp.BodyBinary, AsIs
	next := "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\nS: 250 ok\nS: 250 ok\nS: 354 go\nC= \"hi\\r\\n.\\r\\n\"\nS: 250 ok\n"
	for name, tt := range map[string]struct{ script, want string }{
		"all":          {chunk(0, first, "") + "S: 250 ok\n" + chunk(first, len(text), " LAST") + "S: 250 2.0.0 queued\n", "250 2.0.0 queued"},
		"refused":      {chunk(0, first, "") + "S: 552 5.3.4 too big\nC: RSET\n", "552 5.3.4 too big"},
		"refused last": {chunk(0, first, "") + "S: 250 ok\n" + chunk(first, len(text), " LAST") + "S: 552 5.3.4 too big\nC: RSET\n", "552 5.3.4 too big"},
	} {
		t.Run(name, func(t *testing.T) {
			script := tt.script + next
			if strings.HasSuffix(tt.script, "C: RSET\n") {
				script = tt.script + strings.Replace(next, "S: ", "S: 250 reset\nS: ", 1)
			}
			c, err := submitTo(t, commands+script, Options{})
			if err != nil {
				t.Fatal(err)
			}
			m.Content = strings.NewReader(text)
			results, err := c.Send(t.Context(), m)
			if got := told(results); err != nil || got[0] != tt.want {
				t.Errorf("%q, %v", got, err)
			}
			if results, err := c.Send(t.Context(), letter("ann")); err != nil || !results[0].Delivered() {
				t.Errorf("the next message: %q, %v", told(results), err)
			}
		})
	}
}

// LMTP has a reply for each recipient anyway, and nothing says what PRDR would mean there.
func TestNoPRDRInLMTP(t *testing.T) {
	c := begin(t, strings.Replace(hello, "S: 250 ", "S: 250-PRDR\nS: 250 ", 1)+bothAccepted+"S: 250 a\nS: 250 b", Options{})
	m := letter("ann", "bob")
	m.PRDR = true
	if results, err := c.Send(t.Context(), m); err != nil || !results[1].Delivered() {
		t.Errorf("%q, %v", told(results), err)
	}
}

// What a server cannot take is not tried.
func TestNotOffered(t *testing.T) {
	for name, change := range map[string]func(*Message){
		"BINARYMIME": func(m *Message) { m.Body, m.LineEnds = smtp.BodyBinary, AsIs },
		"SMTPUTF8":   func(m *Message) { m.UTF8 = smtp.UTF8 },
	} {
		c, err := submitTo(t, esmtpHello+"S: 250 PIPELINING", Options{})
		if err != nil {
			t.Fatal(err)
		}
		m := letter("ann")
		change(&m)
		if results, err := c.Send(t.Context(), m); !errors.Is(err, ErrNotOffered) || !strings.HasSuffix(err.Error(), name) || results[0].Outcome != NotSent {
			t.Errorf("%s: %v, %v", name, results, err)
		}
	}
}
