package client

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"lmtpd/protocol/smtp"
)

// recipients makes recipients at example.org.
func recipients(locals ...string) []smtp.Recipient {
	var to []smtp.Recipient
	for _, local := range locals {
		to = append(to, smtp.Recipient{To: smtp.Path{Local: local, Domain: "example.org"}})
	}
	return to
}

// letter is a message of one line from nobody.
func letter(locals ...string) Message {
	return Message{Recipients: recipients(locals...), Content: strings.NewReader("hi\n")}
}

// told makes results comparable: the reply where it is known, else the outcome.
func told(results []Result) []string {
	var lines []string
	for _, r := range results {
		if r.Outcome == Known {
			lines = append(lines, r.Reply.String())
		} else {
			lines = append(lines, r.Outcome.String())
		}
	}
	return lines
}

// both are the commands for ann and bob in one group.
const both = `C: MAIL FROM:<>
C: RCPT TO:<ann@example.org>
C: RCPT TO:<bob@example.org>
C: DATA
`

const bothAccepted = both + `S: 250 2.1.0 ok
S: 250 2.1.5 ok
S: 250 2.1.5 ok
S: 354 go on
C= "hi\r\n.\r\n"
`

var sends = []struct {
	name, script string
	to           string // recipients, "ann bob" if ""
	want         []string
	err          error
}{
	{"RFC 2033 §4.2 a reply for each recipient", hello + bothAccepted +
		"S: 250 2.1.5 kept A\nS: 452 4.2.2 full\nSILENCE", "",
		[]string{"250 2.1.5 kept A", "452 4.2.2 full"}, nil},
	{"one by one without PIPELINING", plainHello + `C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<ann@example.org>
S: 251 ok
C: RCPT TO:<bob@example.org>
S: 550 5.1.1 who?
C: DATA
S: 354
C= "hi\r\n.\r\n"
S: 250 kept
SILENCE`, "", []string{"250 kept", "550 5.1.1 who?"}, nil},
	{"a refused RCPT keeps its number", hello + both + `S: 250 ok
S: 550 5.1.1 who?
S: 250 ok
S: 354 go on
C= "hi\r\n.\r\n"
S: 250 kept
SILENCE`, "", []string{"550 5.1.1 who?", "250 kept"}, nil},
	{"the same recipient twice", hello + `C: MAIL FROM:<>
C: RCPT TO:<ann@example.org>
C: RCPT TO:<ann@example.org>
C: DATA
S: 250 ok
S: 250 ok
S: 250 ok
S: 354 go on
C= "hi\r\n.\r\n"
S: 250 first
S: 451 second
SILENCE`, "ann ann", []string{"250 first", "451 second"}, nil},
	{"all refused", hello + both + "S: 250 ok\nS: 550 5.1.1 no\nS: 450 4.2.1 later\nS: 503 5.5.1 nobody\nSILENCE", "",
		[]string{"550 5.1.1 no", "450 4.2.1 later"}, nil},
	{"all refused, no DATA without PIPELINING", plainHello + `C: MAIL FROM:<>
S: 250 ok
C: RCPT TO:<ann@example.org>
S: 550 no
SILENCE`, "ann", []string{"550 no"}, nil},
	{"MAIL refused", hello + both + "S: 552 5.3.4 too big\nS: 503 a\nS: 503 b\nS: 503 c\nSILENCE", "",
		[]string{"552 5.3.4 too big", "552 5.3.4 too big"}, nil},
	{"MAIL refused without PIPELINING", plainHello + "C: MAIL FROM:<>\nS: 451 4.3.0 later\nSILENCE", "",
		[]string{"451 4.3.0 later", "451 4.3.0 later"}, nil},
	{"DATA refused", hello + both + "S: 250 ok\nS: 550 no\nS: 250 ok\nS: 451 4.3.0 no disk\nSILENCE", "",
		[]string{"550 no", "451 4.3.0 no disk"}, nil},
	{"replies of many lines and without text", hello + both + `S: 250
S: 250-2.1.5 one
S: 250 2.1.5 two
S: 250-
S: 250
S: 354-go
S: 354 on
C= "hi\r\n.\r\n"
S: 250-2.0.0 a
S: 250 2.0.0 b
S: 250
SILENCE`, "", []string{"250-2.0.0 a\n250 2.0.0 b", "250 "}, nil},
	{"replies that end in LF", hello + both +
		`S= "250 ok\n250 ok\n250 ok\n354 ok\n"` + "\n" + `C= "hi\r\n.\r\n"` + "\n" + `S= "250 a\n250 b\n"` + "\nSILENCE", "",
		[]string{"250 a", "250 b"}, nil},

	{"421 to RCPT", hello + both + "S: 250 ok\nS: 250 ok\nS: 421 4.3.2 going down", "",
		[]string{"421 4.3.2 going down", "421 4.3.2 going down"}, nil},
	{"421 after a refusal", hello + both + "S: 250 ok\nS: 550 no\nS: 421 bye", "", []string{"550 no", "421 bye"}, nil},
	{"421 to MAIL", hello + both + "S: 421 bye", "", []string{"421 bye", "421 bye"}, nil},
	{"421 to DATA", hello + both + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 421 bye", "", []string{"421 bye", "421 bye"}, nil},
	{"421 instead of the last reply", hello + bothAccepted + "S: 250 kept\nS: 421 4.3.2 going down", "",
		[]string{"250 kept", "421 4.3.2 going down"}, nil},
	{"421 instead of both replies", hello + bothAccepted + "S: 421 4.3.2 going down", "",
		[]string{"421 4.3.2 going down", "unknown"}, ErrHungUp},

	{"hang-up between two replies", hello + bothAccepted + "S: 250 kept", "", []string{"250 kept", "unknown"}, ErrHungUp},
	{"hang-up inside a reply", hello + bothAccepted + "S: 250 kept\n" + `S= "250 kept"`, "",
		[]string{"250 kept", "unknown"}, ErrHungUp},
	{"hang-up inside a reply of many lines", hello + bothAccepted + "S: 250-kept", "",
		[]string{"unknown", "unknown"}, ErrHungUp},
	{"hang-up before 354", hello + both + "S: 250 ok\nS: 550 no\nS: 250 ok", "", []string{"550 no", "not sent"}, ErrHungUp},
	{"hang-up before MAIL", hello + "S= \"\"", "", []string{"not sent", "not sent"}, io.ErrClosedPipe},

	{"garbage for MAIL", hello + both + "S: ok", "", []string{"not sent", "not sent"}, smtp.ErrBadReply},
	{"garbage after the content", hello + bothAccepted + "S: 250 kept\nS: \x00\xff", "",
		[]string{"250 kept", "unknown"}, smtp.ErrBadReply},
	{"a code of another kind", hello + both + "S: 354 go on", "", []string{"not sent", "not sent"}, ErrOutOfStep},
	{"3yz that is not 354", hello + both + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 334 what", "",
		[]string{"not sent", "not sent"}, ErrOutOfStep},
	{"two codes in one reply", hello + bothAccepted + "S: 250-kept\nS: 550 who?", "",
		[]string{"unknown", "unknown"}, smtp.ErrBadReply},
	{"an endless line", hello + both + "S: 250 " + strings.Repeat("x", maxReplyLine), "",
		[]string{"not sent", "not sent"}, ErrReplyTooLong},
	{"an endless reply", hello + both + strings.Repeat("S: 250-x\n", maxReplyLines+1) + "SILENCE", "",
		[]string{"not sent", "not sent"}, ErrReplyTooLong},

	{"one reply too many before DATA's", hello + both + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on", "",
		[]string{"not sent", "not sent"}, ErrOutOfStep},
	{"one reply too many after 354", hello + both + "S: 250 ok\nS: 250 ok\nS: 250 ok\nS: 354 go on\nS: 250 kept", "",
		[]string{"not sent", "not sent"}, ErrOutOfStep},
	{"a reply nobody asked for, before MAIL", hello + "S: 250 more", "", []string{"not sent", "not sent"}, ErrOutOfStep},
	{"421 before MAIL", hello + "S: 421 4.4.2 idle", "", []string{"not sent", "not sent"}, ErrHungUp},
	{"RFC 2033 §4.2 354 with nobody accepted", hello + both + "S: 250 ok\nS: 550 no\nS: 550 no\nS: 354 go on", "",
		[]string{"550 no", "550 no"}, ErrOutOfStep},
	{"3yz after the content", hello + bothAccepted + "S: 354 more", "", []string{"unknown", "unknown"}, ErrOutOfStep},
}

func TestSend(t *testing.T) {
	for _, tt := range sends {
		t.Run(tt.name, func(t *testing.T) {
			if tt.to == "" {
				tt.to = "ann bob"
			}
			c := begin(t, tt.script, Options{})
			results, err := c.Send(t.Context(), letter(strings.Fields(tt.to)...))
			if !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if got := told(results); !slices.Equal(got, tt.want) {
				t.Errorf("results %q, want %q", got, tt.want)
			}
			if err == nil {
				return
			}
			if again, lost := c.Send(t.Context(), letter("ann")); !errors.Is(lost, err) || again[0].Outcome != NotSent {
				t.Errorf("after the connection was lost: %v, %v", told(again), lost)
			}
		})
	}
}

// One reply for all, and an empty content where 354 came with nobody accepted: what the dialect alone decides.
func TestOneReplyForAll(t *testing.T) {
	ehlo := strings.Replace(hello, "LHLO", "EHLO", 1)
	for _, tt := range []struct {
		name, script string
		want         []string
	}{
		{"accepted", ehlo + bothAccepted + "S: 250 2.0.0 queued\nSILENCE",
			[]string{"250 2.0.0 queued", "250 2.0.0 queued"}},
		{"RFC 2920 §3.1 nobody accepted", ehlo + both + `S: 250 ok
S: 550 no
S: 551 no
S: 354 go on
C= ".\r\n"
S: 554 no recipients
SILENCE`, []string{"550 no", "551 no"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := New(t.Context(), serve(t, tt.script), ESMTP(), Options{})
			if err != nil {
				t.Fatal(err)
			}
			results, err := c.Send(t.Context(), letter("ann", "bob"))
			if got := told(results); err != nil || !slices.Equal(got, tt.want) {
				t.Errorf("%q, %v; want %q", got, err, tt.want)
			}
		})
	}
}

// RFC 5321 §4.1.1.5: a transaction that did not reach its final dot is reset before the next.
func TestReuse(t *testing.T) {
	ann := "C: MAIL FROM:<>\nC: RCPT TO:<ann@example.org>\nC: DATA\n"
	c := begin(t, hello+ann+`S: 250 ok
S: 250 ok
S: 354 go on
C= "hi\r\n.\r\n"
S: 250 kept 1
`+ann+`S: 250 ok
S: 550 no
S: 503 nobody
C: RSET
`+ann+`S: 250 reset
S: 250 ok
S: 250 ok
S: 354 go on
C= "hi\r\n.\r\n"
S: 250 kept 2
C: RSET
S: 250 reset
`+ann+`S: 451 not now
S: 503 no
S: 503 no
C: QUIT
S: 221 bye
SILENCE`, Options{})
	var got []string
	for i := range 4 {
		results, err := c.Send(t.Context(), letter("ann"))
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, told(results)...)
		if i == 2 {
			if err := c.Reset(t.Context()); err != nil {
				t.Error(err)
			}
		}
	}
	if want := []string{"250 kept 1", "550 no", "250 kept 2", "451 not now"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if err := c.Quit(t.Context()); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error("close after quit:", err)
	}
}

// A reply more than there are recipients must not become the reply to the next MAIL.
func TestOneReplyTooMany(t *testing.T) {
	c := begin(t, hello+bothAccepted+"S: 250 a\nS: 250 b\nS: 250 c\nSILENCE", Options{})
	results, err := c.Send(t.Context(), letter("ann", "bob"))
	if got := told(results); err != nil || !slices.Equal(got, []string{"250 a", "250 b"}) {
		t.Errorf("%q, %v", got, err)
	}
	if _, err = c.Send(t.Context(), letter("ann")); !errors.Is(err, ErrOutOfStep) {
		t.Errorf("next message: %v", err)
	}
}

var errDisk = errors.New("disk on fire")

// Content that cannot be read must not be delivered by half: the client hangs up without the final dot.
func TestContentFails(t *testing.T) {
	c := begin(t, hello+strings.TrimSuffix(bothAccepted, `C= "hi\r\n.\r\n"`+"\n")+"SILENCE", Options{})
	m := letter("ann", "bob")
	m.Content = io.MultiReader(strings.NewReader("half"), readerFunc(func([]byte) (int, error) { return 0, errDisk }))
	results, err := c.Send(t.Context(), m)
	if got := told(results); !errors.Is(err, errDisk) || !slices.Equal(got, []string{"not sent", "not sent"}) {
		t.Errorf("%q, %v", got, err)
	}
}

// No content at all is an empty one: the line that holds DATA has ended, so the final dot needs no CRLF before it.
func TestEmptyContent(t *testing.T) {
	for _, content := range []io.Reader{nil, strings.NewReader("")} {
		c := begin(t, hello+strings.Replace(bothAccepted, `hi\r\n`, "", 1)+"S: 250 a\nS: 250 b\nSILENCE", Options{})
		m := letter("ann", "bob")
		m.Content = content
		if results, err := c.Send(t.Context(), m); err != nil || !results[1].Delivered() {
			t.Errorf("%q, %v", told(results), err)
		}
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }
