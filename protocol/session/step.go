package session

import "lmtpd/protocol/smtp"

// A Step is what a session wants done: write the replies, then read what is next.
type Step struct {
	Replies []smtp.Reply // valid until the session is called again
	Next    Next
}

// Next says what to read.
type Next struct {
	Kind   Kind
	Octets int64 // of a chunk
}

// Kind is a kind of thing to read.
type Kind int

// The kinds.
const (
	Command   Kind = iota // a line of at most smtp.MaxCommand octets, for Line
	Response              // a line of at most MaxResponse octets, for Line (RFC 4954 §4)
	Content               // content up to the final dot, for Content
	Chunk                 // Octets octets, for Chunk
	Handshake             // a TLS handshake, and then Secured
	Close                 // nothing: write the replies and hang up
)

// MaxResponse is the longest line of a SASL response, its CRLF included (RFC 4954 §4).
const MaxResponse = 12288

func (s *Session) step(k Kind, replies ...smtp.Reply) Step {
	s.replies = append(s.replies[:0], replies...)
	return Step{Replies: s.replies, Next: Next{Kind: k}}
}

// answer replies to a command and goes on, unless the reply itself says that it is over (RFC 5321 §3.8).
// A handler that answers nothing has failed.
func (s *Session) answer(r smtp.Reply) Step {
	if r.IsZero() {
		r = failed
	}
	if r.Code == 421 {
		return s.step(Close, r)
	}
	return s.step(Command, r)
}

// complain answers a bad command. Those who send nothing else are hung up on.
func (s *Session) complain(r smtp.Reply) Step {
	s.bad++
	if s.bad >= s.cfg.MaxErrors {
		return s.step(Close, r, tooManyErrors)
	}
	return s.step(Command, r)
}
