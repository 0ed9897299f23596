package session

import (
	"context"
	"encoding/base64"
	"errors"
	"slices"
	"strings"

	"lmtpd/auth"
	"lmtpd/protocol/smtp"
)

// auth begins an exchange (RFC 4954 §4). There is one in a session, and none inside a transaction.
func (s *Session) auth(ctx context.Context, arg string) Step {
	if s.account != "" {
		return s.complain(outOfOrder)
	}
	name, initial, given := strings.Cut(arg, " ")
	if name = smtp.Upper(name); name == "" {
		return s.complain(badArguments)
	}
	if !slices.Contains(s.mechanisms(), name) {
		return s.complain(s.whyNot(name))
	}
	s.exchange = s.cfg.Auth.Begin(name, s.channel())
	if !given {
		return s.exchangeStep(ctx, nil)
	}
	if initial == "=" { // an empty initial response
		return s.exchangeStep(ctx, []byte{})
	}
	return s.response(ctx, []byte(initial))
}

// whyNot tells a mechanism that waits for TLS from one that there is not.
func (s *Session) whyNot(name string) smtp.Reply {
	secured := s.channel()
	secured.Secured = true
	if !s.peer.Secured && slices.Contains(s.cfg.Auth.Mechanisms(secured), name) {
		return authNeedsTLS
	}
	return authMechanism
}

// response takes one line of an exchange: base64, or "*" to cancel it.
func (s *Session) response(ctx context.Context, line []byte) Step {
	if string(line) == "*" {
		s.exchange = nil
		return s.complain(authCancelled)
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(line)))
	n, err := base64.StdEncoding.Strict().Decode(b, line)
	if err != nil {
		s.exchange = nil
		return s.complain(authBase64)
	}
	return s.exchangeStep(ctx, b[:n])
}

func (s *Session) exchangeStep(ctx context.Context, response []byte) Step {
	challenge, account, err := s.exchange.Next(ctx, response)
	banned, isBanned := errors.AsType[auth.Banned](err)
	switch {
	case isBanned:
		s.exchange = nil
		return s.step(Close, authBanned(banned.For))
	case errors.Is(err, auth.ErrCredentials):
		s.exchange = nil
		return s.complain(authWrong)
	case err != nil:
		s.exchange = nil
		return s.step(Command, authUnknown)
	case account != "":
		s.exchange, s.account = nil, s.named(account)
		return s.step(Command, authDone)
	}
	return s.step(Response, smtp.Reply{Code: 334, Text: base64.StdEncoding.EncodeToString(challenge)})
}

// Mask returns a line of the client's as a log may hold it, before Line is given it. What follows AUTH and its
// mechanism is a secret, every response is, and so is what is no command: a client that was refused its mechanism
// may send its password all the same.
func (s *Session) Mask(line string) string {
	words := strings.SplitN(line, " ", 3)
	_, known := s.verb(smtp.Upper(words[0]))
	switch {
	case s.exchange != nil, !known && !smtp.EqualFold(words[0], "AUTH"):
		return "***"
	case len(words) == 3 && smtp.EqualFold(words[0], "AUTH"):
		return words[0] + " " + words[1] + " ***"
	}
	return line
}

// channel is what an exchange may know of the connection.
func (s *Session) channel() auth.Channel {
	ch := s.peer.Channel
	ch.Session, ch.Peer, ch.Secured = s.peer.Session, s.peer.Client.Addr.Addr(), s.peer.Secured
	return ch
}
