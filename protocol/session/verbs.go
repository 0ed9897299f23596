package session

import (
	"context"
	"strings"

	"lmtpd/protocol/smtp"
)

// A verb is a row of the table of what may follow what.
type verb struct {
	run    func(s *Session, ctx context.Context, arg string) Step
	in     state // the states it is allowed in
	refuse func(s *Session, arg string, r smtp.Reply) Step
}

// verb returns the row of a verb; known is false for those that are not offered.
func (s *Session) verb(name string) (v verb, known bool) {
	v.refuse = (*Session).refuse
	switch name {
	case s.cfg.Dialect.Hello:
		v.run, v.in = (*Session).hello, anywhere
	case "MAIL":
		v.run, v.in = (*Session).mail, ready
	case "RCPT":
		v.run, v.in = (*Session).rcpt, mailing
	case "DATA":
		v.run, v.in = (*Session).data, mailing
	case "BDAT":
		v.run, v.in, v.refuse = (*Session).bdat, mailing|chunked, (*Session).refuseChunk
	case "RSET":
		v.run, v.in = (*Session).rset, anywhere
	case "NOOP":
		v.run, v.in = (*Session).noop, anywhere
	case "VRFY":
		v.run, v.in = (*Session).vrfy, anywhere&^chunked
	case "HELP":
		v.run, v.in = (*Session).help, anywhere&^chunked
	case "QUIT":
		v.run, v.in = (*Session).quit, anywhere
	case "STARTTLS":
		v.run, v.in = (*Session).startTLS, ready
		return v, s.cfg.StartTLS
	case "AUTH":
		v.run, v.in = (*Session).auth, ready
		return v, s.cfg.Auth != nil
	case "XFORWARD":
		v.run, v.in = (*Session).xforward, ready
		return v, s.peer.Trusted
	case "XCLIENT":
		v.run, v.in = (*Session).xclient, greeted|ready
		return v, s.peer.Trusted
	case s.cfg.Dialect.OldHello:
		v.run, v.in = (*Session).oldHello, anywhere
	default:
		return verb{}, false
	}
	return v, true
}

func (s *Session) refuse(_ string, r smtp.Reply) Step { return s.complain(r) }

func (s *Session) rset(_ context.Context, arg string) Step {
	if arg != "" {
		return s.complain(badArguments)
	}
	s.reset()
	return s.step(Command, ok)
}

// noop takes any argument and ignores it (RFC 5321 §4.1.1.9).
func (s *Session) noop(context.Context, string) Step { return s.step(Command, ok) }

// vrfy promises nothing (RFC 5321 §7.3). Only a trusted peer hears that an address is nobody's.
func (s *Session) vrfy(ctx context.Context, arg string) Step {
	if arg == "" {
		return s.complain(badArguments)
	}
	if !s.peer.Trusted {
		return s.step(Command, cannotVerify)
	}
	enc := smtp.ASCII
	if addr, word, _ := strings.Cut(arg, " "); smtp.EqualFold(word, "SMTPUTF8") {
		arg, enc = addr, smtp.UTF8 // else the reply may not hold such an address (RFC 6531 §3.7.4.2)
	}
	to, err := smtp.ParseMailbox(strings.TrimSuffix(strings.TrimPrefix(arg, "<"), ">"), enc)
	if err != nil {
		return s.step(Command, cannotVerify)
	}
	env := &smtp.Envelope{Session: s.peer.Session, Peer: s.peer.Client, Account: s.account, Submitter: s.submitter()}
	defer s.handler.Abandon(env)
	if r := s.handler.Recipient(ctx, env, smtp.Recipient{To: to}); r.Permanent() {
		return s.answer(r)
	}
	return s.step(Command, cannotVerify)
}

func (s *Session) help(context.Context, string) Step { return s.step(Command, help) }

func (s *Session) quit(_ context.Context, arg string) Step {
	if arg != "" {
		return s.complain(badArguments)
	}
	return s.step(Close, bye)
}

// startTLS is offered until it has happened, and then out of order (RFC 3207 §4.2).
func (s *Session) startTLS(_ context.Context, arg string) Step {
	switch {
	case s.peer.TLS:
		return s.complain(outOfOrder)
	case arg != "":
		return s.complain(badArguments)
	}
	return s.step(Handshake, readyForTLS)
}
