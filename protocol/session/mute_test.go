package session_test

import (
	"context"
	"io"
	"strings"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

// mute is a handler that forgets to answer: MAIL, or RCPT, or after the content.
type mute struct {
	sink
	at string
}

func (m *mute) Sender(context.Context, *smtp.Envelope) smtp.Reply {
	if m.at == "MAIL" {
		return smtp.Reply{}
	}
	return taken
}

func (m *mute) Recipient(context.Context, *smtp.Envelope, smtp.Recipient) smtp.Reply {
	if m.at == "RCPT" {
		return smtp.Reply{}
	}
	return taken
}

func (m *mute) Deliver(_ context.Context, _ *smtp.Envelope, r io.Reader) []smtp.Reply {
	io.Copy(io.Discard, r)
	return []smtp.Reply{taken, {}}
}

// The zero Reply is no reply, and a client is never left without one.
func TestHandlerWithoutReply(t *testing.T) {
	ctx := context.Background()
	for _, d := range []session.Dialect{session.LMTP(), session.ESMTP()} {
		for at, want := range map[string]int{"MAIL": 1, "RCPT": 1, "content": 2} {
			s := session.New(config(d), &mute{at: at}, session.Peer{})
			s.Start()
			s.Line(ctx, []byte(d.Hello+" c"))
			step := s.Line(ctx, []byte("MAIL FROM:<>"))
			if at != "MAIL" {
				step = s.Line(ctx, []byte("RCPT TO:<ann@example.org>"))
			}
			if at == "content" {
				s.Line(ctx, []byte("RCPT TO:<ben@example.org>"))
				s.Line(ctx, []byte("DATA"))
				step = s.Content(ctx, strings.NewReader("\r\n"))
			}
			if at == "content" && d.Answers == smtp.OneForAll {
				want = 1
			}
			if len(step.Replies) != want || step.Replies[0].Code != 451 {
				t.Errorf("%s, %s: %v", d.Name, at, step.Replies)
			}
			s.Close()
		}
	}
}
