package smtptest

import (
	"context"
	"errors"
	"io"

	"lmtpd/auth"
	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

// Drive drives s on rw until the session is over, as protocol/server does on connections: replies are written
// when nothing is left to read, and a panic is the session's to answer. handshake stands for the TLS handshake.
func Drive(ctx context.Context, s *session.Session, rw io.ReadWriter, handshake func() error) {
	drive(ctx, s, rw, func() (auth.Channel, error) { return auth.Channel{}, handshake() })
}

// drive is Drive with a handshake that tells what SASL may know of the channel.
func drive(ctx context.Context, s *session.Session, rw io.ReadWriter, handshake func() (auth.Channel, error)) {
	d := driver{session: s, rw: rw, handshake: handshake}
	d.reader = smtp.NewReader(&d)
	step := s.Start()
	for step.Next.Kind != session.Close {
		d.reply(step.Replies)
		step = d.guard(func() session.Step { return d.turn(ctx, step.Next) })
	}
	d.reply(step.Replies)
	_ = d.flush() // the session is over, heard or not
	d.guard(func() session.Step { s.Close(); return session.Step{} })
}

type driver struct {
	session   *session.Session
	rw        io.ReadWriter
	handshake func() (auth.Channel, error)
	reader    *smtp.Reader
	out       []byte
}

func (d *driver) guard(f func() session.Step) (step session.Step) {
	defer func() {
		if recover() != nil {
			step = d.session.Panicked()
		}
	}()
	return f()
}

func (d *driver) turn(ctx context.Context, next session.Next) session.Step {
	hangUp := session.Step{Next: session.Next{Kind: session.Close}}
	switch next.Kind {
	case session.Command:
		return d.line(ctx, smtp.MaxCommand)
	case session.Response:
		return d.line(ctx, session.MaxResponse)
	case session.Content:
		return d.session.Content(ctx, d.reader.Content())
	case session.Chunk:
		return d.session.Chunk(ctx, d.reader.Chunk(next.Octets))
	case session.Handshake:
		// RFC 3207 §6: what stands behind STARTTLS in plain text was put there by somebody else.
		if d.reader.Buffered() > 0 || d.flush() != nil {
			return hangUp
		}
		if ch, err := d.handshake(); err == nil {
			return d.session.Secured(ch)
		}
	}
	return hangUp
}

func (d *driver) line(ctx context.Context, limit int) session.Step {
	line, err := d.reader.ReadLine(limit)
	switch {
	case err == nil:
		return d.session.Line(ctx, line)
	case errors.Is(err, smtp.ErrLineTooLong), errors.Is(err, smtp.ErrBareLineEnd):
		return d.session.Malformed(err)
	}
	return session.Step{Next: session.Next{Kind: session.Close}}
}

func (d *driver) reply(replies []smtp.Reply) {
	for _, r := range replies {
		d.out = r.Append(d.out)
	}
}

func (d *driver) flush() error {
	if len(d.out) == 0 {
		return nil
	}
	_, err := d.rw.Write(d.out)
	d.out = d.out[:0]
	return err
}

// Read is the reader's source.
func (d *driver) Read(p []byte) (int, error) {
	if err := d.flush(); err != nil {
		return 0, err
	}
	return d.rw.Read(p)
}
