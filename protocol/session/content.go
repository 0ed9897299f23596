package session

import (
	"context"
	"errors"
	"io"
	"slices"

	"lmtpd/protocol/smtp"
)

// data asks for the content (RFC 5321 §4.1.1.4).
func (s *Session) data(_ context.Context, arg string) Step {
	switch {
	case arg != "":
		return s.complain(badArguments)
	case len(s.env.Recipients) == 0:
		return s.step(Command, s.cfg.Dialect.NoRecipients)
	}
	s.receive()
	return s.step(Content, goAhead)
}

// receive begins the transaction's content, however it comes.
func (s *Session) receive() {
	s.content = &content{max: s.cfg.MaxSize, strict: s.cfg.Dialect.StrictLines}
}

// Content takes the content after DATA; r ends in io.EOF at the final dot.
func (s *Session) Content(ctx context.Context, r io.Reader) Step {
	s.content.src = r
	return s.finish(s.deliver(ctx))
}

// deliver hands the content to the handler and then reads what it left, so that the session is in step.
func (s *Session) deliver(ctx context.Context) []smtp.Reply {
	replies := s.handler.Deliver(ctx, s.env, s.content)
	s.content.drain()
	return replies
}

// Panicked takes the place of a step that a panic broke off. What the client waits for is answered with a
// transient reply, what it is still sending is read, and the session goes on.
func (s *Session) Panicked() Step {
	s.exchange = nil
	switch {
	case s.chunks != nil:
		return s.chunkPanicked()
	case s.content != nil && s.content.src != nil:
		s.content.drain()
		return s.finish(nil)
	}
	return s.step(Command, failed)
}

// finish is the one way from the final dot to the replies: for both dialects, DATA and BDAT, and for success,
// refusal, too big, bad line ends and panic alike.
func (s *Session) finish(replies []smtp.Reply) Step {
	env, c := s.env, s.content
	s.forget()
	s.bad = 0
	if c.err != io.EOF && !isReply(c.err) {
		return s.step(Close) // the client is gone; nobody hears
	}
	complete := len(replies) == len(env.Recipients) && !slices.ContainsFunc(replies, smtp.Reply.IsZero)
	refusal := verdict(c, complete)
	if s.cfg.Dialect.Answers == smtp.OneEach {
		if !refusal.IsZero() {
			replies = each(env, refusal)
		}
		return s.conclude(replies)
	}
	switch {
	case !refusal.IsZero():
		return s.answer(refusal)
	case env.Answers == smtp.OneEach:
		return s.conclude(prdr(replies))
	}
	return s.answer(summary(replies))
}

// prdr puts the replies for each recipient between the one that announces them and the one that ends them, which is
// positive if any of them is (draft-hall-prdr). A refusal of the message as a whole stands alone.
func prdr(replies []smtp.Reply) []smtp.Reply {
	last := summary(replies)
	for _, r := range replies {
		if r.Positive() {
			last = smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: "Taken for those who were answered so"}
		}
	}
	return append(append([]smtp.Reply{analysing}, replies...), last)
}

// conclude answers for each recipient, unless one of the replies says that it is over (RFC 5321 §3.8).
func (s *Session) conclude(replies []smtp.Reply) Step {
	kind := Command
	for _, r := range replies {
		if r.Code == 421 {
			kind = Close
		}
	}
	return s.step(kind, replies...)
}

// verdict returns what the engine knows of the content, which goes before what the handler says; a handler that
// has not answered for each recipient has failed. The zero Reply means that the handler's replies stand.
func verdict(c *content, complete bool) smtp.Reply {
	refusal, refused := errors.AsType[smtp.Reply](c.err)
	if !refused && !complete {
		return failed
	}
	return refusal
}

// each makes of one reply one for each accepted recipient.
func each(env *smtp.Envelope, refusal smtp.Reply) []smtp.Reply {
	replies := make([]smtp.Reply, len(env.Recipients))
	for i, to := range env.Recipients {
		replies[i] = refusal.For(to.To)
	}
	return replies
}

// summary makes one reply of all: a doubt about one recipient is a doubt about the message, and only if all are
// served is it taken.
func summary(replies []smtp.Reply) smtp.Reply {
	worst := replies[0]
	for _, r := range replies[1:] {
		if r.Transient() && !worst.Transient() || r.Permanent() && worst.Positive() {
			worst = r
		}
	}
	return worst
}

func isReply(err error) bool {
	_, is := errors.AsType[smtp.Reply](err)
	return is
}

// content is the content as Handler.Deliver reads it: counted, its line ends looked at, and only io.EOF if it
// ended as it should.
type content struct {
	src    io.Reader
	max    int64 // 0: no limit
	n      int64
	strict bool
	ends   smtp.LineEnds
	err    error // what ended it
}

func (c *content) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	n, err := c.src.Read(p)
	c.n += int64(n)
	if c.strict {
		c.ends.Look(p[:n])
	}
	if c.max > 0 && c.n > c.max {
		n, err = 0, c.spoil(tooBig)
	}
	if err == io.EOF && c.strict {
		if c.ends.End(); c.ends.Bare() {
			err = strayLineEnd
		}
	}
	c.err = err
	return n, err
}

// spoil reads on to the end of what is refused. The refusal stands only if the client was there to the end.
func (c *content) spoil(refusal smtp.Reply) error {
	if _, err := io.Copy(io.Discard, c.src); err != nil {
		return err
	}
	return refusal
}

// drain reads what the handler has left.
func (c *content) drain() {
	if c.err == nil {
		_, _ = io.Copy(io.Discard, c) // what ended it is in c.err
	}
}
