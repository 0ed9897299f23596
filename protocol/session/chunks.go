package session

import (
	"context"
	"errors"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"

	"lmtpd/protocol/smtp"
)

// errAbandoned ends the content of a transaction that was left between two chunks.
var errAbandoned = errors.New("transaction abandoned")

// chunks is the content of a transaction that comes in chunks, with commands between them (RFC 3030 §2).
//
// Handler.Deliver reads content as one stream, so it is suspended where a chunk ends and resumed with the next
// one: a coroutine (iter.Pull), which runs only while the session is inside Chunk. A message in one chunk, as
// most are, needs none.
type chunks struct {
	chunk   io.Reader
	last    bool
	yield   func(struct{}) bool
	resume  func() (struct{}, bool)
	cancel  func()
	replies []smtp.Reply
	cause   error // why there is no next chunk
}

// bdat asks for a chunk. One whose length cannot be told leaves nothing to go on with, for its octets would be
// taken as commands.
func (s *Session) bdat(_ context.Context, arg string) Step {
	n, last, valid := parseChunk(arg)
	switch {
	case !valid:
		return s.step(Close, badArguments)
	case len(s.env.Recipients) == 0:
		return s.skip(n, s.cfg.Dialect.NoRecipients)
	}
	if s.content == nil {
		s.receive()
		s.chunks = &chunks{}
		s.content.src = s.chunks
	}
	if !last && s.cfg.MaxSize > 0 && n > s.cfg.MaxSize-s.content.n {
		s.trailing = true
		return s.skip(n, tooBig) // and then the transaction is over
	}
	s.state, s.chunks.last = chunked, last
	return Step{Next: Next{Kind: Chunk, Octets: n}}
}

// refuseChunk refuses a BDAT that is out of order. Its octets come all the same. Those of a message that a chunk
// was refused of are no bad commands: they were sent before the client could know (RFC 3030 §4.2).
func (s *Session) refuseChunk(arg string, r smtp.Reply) Step {
	n, last, valid := parseChunk(arg)
	if !valid {
		return s.step(Close, badArguments)
	}
	if !s.trailing {
		s.bad++
	}
	s.trailing = s.trailing && !last
	return s.skip(n, r)
}

func (s *Session) skip(n int64, r smtp.Reply) Step {
	s.refusal = r
	return Step{Next: Next{Kind: Chunk, Octets: n}}
}

func parseChunk(arg string) (n int64, last, valid bool) {
	size, word, more := strings.Cut(strings.TrimLeft(arg, " "), " ")
	n, err := strconv.ParseInt(size, 10, 64)
	if err != nil || n < 0 || n == math.MaxInt64 || size[0] == '+' {
		return 0, false, false
	}
	return n, more, !more || smtp.EqualFold(strings.TrimLeft(word, " "), "LAST")
}

// Chunk takes the octets of a chunk from r, which ends in io.EOF after them.
func (s *Session) Chunk(ctx context.Context, r io.Reader) Step {
	if !s.refusal.IsZero() {
		return s.skipped(ctx, r)
	}
	s.chunks.chunk = r
	if s.chunks.last && s.chunks.resume == nil {
		return s.finish(s.deliver(ctx))
	}
	before := s.content.n
	if suspended := s.chunks.run(ctx, s); suspended {
		text := strconv.FormatInt(s.content.n-before, 10) + " octets received"
		return s.step(Command, smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: text})
	}
	return s.finish(s.chunks.replies)
}

// skipped reads a chunk that is refused, and then refuses it. Content that it was to continue comes to nothing:
// only now, for whatever its handler makes of that, the session must be in step.
func (s *Session) skipped(ctx context.Context, r io.Reader) Step {
	refusal := s.refusal
	s.refusal = smtp.Reply{}
	if _, err := io.Copy(io.Discard, r); err != nil {
		return s.step(Close)
	}
	switch {
	case s.chunks != nil && s.chunks.cancel != nil:
		s.abandon(refusal)
	case s.chunks != nil: // its first chunk: the handler hears of the message only now
		s.content.err = refusal
		env, c := s.env, s.content
		s.forget()
		s.handler.Deliver(ctx, env, c)
	}
	if s.bad >= s.cfg.MaxErrors {
		return s.step(Close, refusal, tooManyErrors)
	}
	return s.step(Command, refusal)
}

// run lets the handler go on until it wants the next chunk or has its replies.
func (c *chunks) run(ctx context.Context, s *Session) (suspended bool) {
	if c.resume == nil {
		c.resume, c.cancel = iter.Pull(func(yield func(struct{}) bool) {
			c.yield = yield
			c.replies = s.deliver(ctx)
		})
	}
	_, suspended = c.resume()
	return suspended
}

// stop lets the handler see cause in place of the next chunk. It says whether there was one reading.
func (c *chunks) stop(cause error) bool {
	if c.cancel == nil {
		return false
	}
	c.cause = cause
	c.cancel()
	return true
}

// Read reads the chunk at hand and suspends the handler at its end.
func (c *chunks) Read(p []byte) (int, error) {
	for {
		if c.chunk != nil {
			n, err := c.chunk.Read(p)
			if err != io.EOF {
				return n, err
			}
			c.chunk = nil
			if n > 0 {
				return n, nil
			}
		}
		if c.last {
			return 0, io.EOF
		}
		if c.yield == nil || !c.yield(struct{}{}) {
			return 0, c.cause
		}
	}
}

// chunkPanicked reads the chunk at hand to its end and ends the transaction.
func (s *Session) chunkPanicked() Step {
	c := s.chunks
	last := c.last
	if c.chunk != nil {
		if _, err := io.Copy(io.Discard, c.chunk); err != nil {
			s.forget()
			return s.step(Close)
		}
	}
	if last {
		s.content.err = io.EOF
		return s.finish(nil)
	}
	s.forget()
	s.trailing = true
	return s.step(Command, failed)
}
