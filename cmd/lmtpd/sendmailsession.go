package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

// converse speaks ESMTP with a program that has started us. Each of its messages is handed over by itself.
func (m *mailer) converse(ctx context.Context, r io.Reader, w io.Writer) error {
	s := session.New(session.Config{
		Dialect:       session.ESMTP(),
		Hostname:      m.host,
		MaxSize:       m.limits.MessageSize,
		MaxRecipients: m.limits.Recipients,
		Submitter:     func(netip.Addr) bool { return true },
		DSN:           true,
		PRDR:          true,
		NewID:         newID,
	}, desk{m}, session.Peer{Secured: true})
	defer s.Close()
	in := smtp.NewReader(&dialogueInput{src: bufio.NewReader(r)})
	for step := s.Start(); ; {
		var out []byte
		for _, reply := range step.Replies {
			out = reply.Append(out)
		}
		if _, err := w.Write(out); err != nil {
			return err
		}
		switch next := step.Next; next.Kind {
		case session.Command, session.Response:
			line, err := in.ReadLine(smtp.MaxCommand)
			switch {
			case err == nil:
				step = s.Line(ctx, line)
			case errors.Is(err, smtp.ErrBareLineEnd), errors.Is(err, smtp.ErrLineTooLong):
				step = s.Malformed(err)
			case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
				return nil
			default:
				return err
			}
		case session.Content:
			step = s.Content(ctx, in.Content())
		case session.Chunk:
			step = s.Chunk(ctx, in.Chunk(next.Octets))
		default:
			return nil
		}
	}
}

// A dialogueInput is what the program says. One whose first line ends in LF writes all of them so, as people do in scripts, and
// is understood.
type dialogueInput struct {
	src    *bufio.Reader
	chosen io.Reader
}

// Read implements io.Reader. It reads no further ahead than there is.
func (d *dialogueInput) Read(p []byte) (int, error) {
	if d.chosen == nil {
		d.chosen = d.choose()
	}
	return d.chosen.Read(p)
}

func (d *dialogueInput) choose() io.Reader {
	for n := 1; n <= d.src.Size(); n = d.src.Buffered() + 1 {
		if _, err := d.src.Peek(n); err != nil {
			break
		}
		line, _ := d.src.Peek(d.src.Buffered())
		if end := bytes.IndexByte(line, '\n'); end == 0 || end > 0 && line[end-1] != '\r' {
			return newTextInput(d.src, false)
		} else if end > 0 {
			break
		}
	}
	return d.src
}

// A desk takes the messages of a session: a session.Handler.
type desk struct{ m *mailer }

// The replies of a desk, which knows no more than that.
var (
	senderOK    = smtp.Reply{Code: 250, Status: "1.0", Text: "Sender accepted"}
	recipientOK = smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient accepted"}
	cannotKeep  = smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Temporary failure, try again later"}
)

// Sender implements session.Handler.
func (desk) Sender(context.Context, *smtp.Envelope) smtp.Reply { return senderOK }

// Recipient implements session.Handler.
func (desk) Recipient(_ context.Context, _ *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	return recipientOK.For(to.To)
}

// Deliver implements session.Handler. A client that hears one reply for all would take the refusal of one recipient for that of
// all of them: those are left for the daemon, which refuses them once more and tells the sender.
func (d desk) Deliver(ctx context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply {
	for i := range env.Recipients {
		if to := &env.Recipients[i].To; to.Domain == "" { // postmaster (RFC 5321 §4.5.1)
			to.Domain = d.m.host
		}
	}
	replies := make([]smtp.Reply, len(env.Recipients))
	s, err := putAside(content)
	if err == nil {
		defer s.Close()
		replies, err = d.m.handOver(ctx, env, s)
		if err == nil && env.Answers == smtp.OneForAll && slices.ContainsFunc(replies, smtp.Reply.Positive) {
			err = d.m.leave(env, replies, s, smtp.Reply.Permanent)
		}
	}
	if err != nil {
		fmt.Fprintf(d.m.stderr, "lmtpd: %s\n", printable(err.Error()))
	}
	for i, r := range replies {
		if r.IsZero() || err != nil && !r.Positive() && env.Answers == smtp.OneForAll {
			replies[i] = cannotKeep.For(env.Recipients[i].To)
		}
	}
	return replies
}

// Abandon implements session.Handler.
func (desk) Abandon(*smtp.Envelope) {}
