package session_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	"lmtpd/protocol/session"
	"lmtpd/protocol/smtp"
)

// A checker drives a session as smtptest.Drive does and looks at every step.
type checker struct {
	t       testing.TB
	session *session.Session
	dialect session.Dialect
	witness *witness
	reader  *smtp.Reader
}

// check lets a session hear octets and checks what holds for every session, whatever it hears: each command has
// one reply, each content one for each accepted recipient, nothing is kept that did not end as it should, and
// what is content is read as content, to its end.
func check(t testing.TB, d session.Dialect, octets []byte) {
	t.Helper()
	w := newWitness(t)
	cfg := config(d)
	cfg.MaxSize, cfg.MaxRecipients, cfg.MaxErrors = 200, 5, 100
	c := checker{
		t: t, dialect: d, witness: w,
		session: session.New(cfg, w, session.Peer{Trusted: true}),
		reader:  smtp.NewReader(bytes.NewReader(octets)),
	}
	step := c.session.Start()
	for step.Next.Kind != session.Close {
		c.wire(step.Replies)
		step = c.turn(step.Next)
	}
	c.wire(step.Replies)
	c.guard(func() session.Step { c.session.Close(); return session.Step{} })
	w.done()
}

// wire checks that a reply is lines of RFC 5321 §4.2 and no more than it has.
func (c *checker) wire(replies []smtp.Reply) {
	for _, r := range replies {
		if _, err := groups(string(r.Append(nil))); err != nil {
			c.t.Error(err)
		}
	}
}

func (c *checker) guard(f func() session.Step) (step session.Step) {
	defer func() {
		switch v := recover(); v {
		case nil:
		case "crash", "panic", "sore":
			step = c.session.Panicked()
		default:
			panic(v)
		}
	}()
	return f()
}

func (c *checker) turn(next session.Next) session.Step {
	ctx := context.Background()
	switch next.Kind {
	case session.Content:
		r := c.reader.Content()
		return c.content(r, func() session.Step { return c.session.Content(ctx, r) })
	case session.Chunk:
		r := c.reader.Chunk(next.Octets)
		return c.content(r, func() session.Step { return c.session.Chunk(ctx, r) })
	case session.Command, session.Response:
		return c.line(ctx)
	}
	c.t.Fatalf("unexpected step %v", next)
	return session.Step{}
}

func (c *checker) line(ctx context.Context) session.Step {
	line, err := c.reader.ReadLine(smtp.MaxCommand)
	var step session.Step
	switch {
	case err == nil:
		step = c.guard(func() session.Step { return c.session.Line(ctx, line) })
	case errors.Is(err, smtp.ErrLineTooLong), errors.Is(err, smtp.ErrBareLineEnd):
		step = c.session.Malformed(err)
	default:
		return session.Step{Next: session.Next{Kind: session.Close}}
	}
	n, kind := len(step.Replies), step.Next.Kind
	if !(n == 1 || n == 0 && kind == session.Chunk || n == 2 && kind == session.Close) {
		c.t.Errorf("%q has %d replies", line, n)
	}
	return step
}

// content checks a step that reads content: to its end, answered for each recipient, and only then kept.
func (c *checker) content(r io.Reader, f func() session.Step) session.Step {
	env, kept := c.session.Envelope(), len(c.witness.kept)
	recipients := 1
	if env != nil && c.dialect.Answers == smtp.OneEach {
		recipients = len(env.Recipients)
	}
	step := c.guard(f)
	n, err := r.Read(make([]byte, 10))
	if n > 0 || err == nil {
		c.t.Errorf("the session left %d octets or more of content unread", n)
	}
	if got := len(step.Replies); err == io.EOF && got != 1 && got != recipients {
		c.t.Errorf("%d replies for %d recipients", got, recipients)
	}
	if err == io.EOF && c.session.Envelope() == nil && env != nil && len(c.witness.kept) > kept &&
		len(step.Replies) != recipients {
		c.t.Errorf("%d replies for %d recipients of a message that was kept", len(step.Replies), recipients)
	}
	if err != io.EOF && (len(step.Replies) > 0 || step.Next.Kind != session.Close || len(c.witness.kept) > kept) {
		c.t.Errorf("content that ended in %v: %d replies, %d kept", err, len(step.Replies), len(c.witness.kept)-kept)
	}
	return step
}
