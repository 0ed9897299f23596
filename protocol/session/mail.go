package session

import (
	"context"
	"errors"

	"lmtpd/protocol/smtp"
)

// mail begins a transaction (RFC 5321 §4.1.1.2).
func (s *Session) mail(ctx context.Context, arg string) Step {
	arg, found := smtp.CutPath(arg, "FROM")
	if !found {
		return s.complain(badArguments)
	}
	from, rest, err := smtp.ParsePath(arg, smtp.UTF8)
	if err != nil {
		return s.complain(badSender)
	}
	env := &smtp.Envelope{From: from, Session: s.peer.Session, Peer: s.peer.Client, Origin: s.origin}
	env.Account, env.Submitter, env.Answers = s.account, s.submitter(), s.cfg.Dialect.Answers
	if r := s.mailParameters(env, rest); !r.IsZero() {
		return s.complain(r)
	}
	if env.UTF8 == smtp.ASCII && !from.ASCII() {
		return s.complain(nonASCIISender)
	}
	if s.cfg.MaxSize > 0 && env.Size > s.cfg.MaxSize {
		return s.step(Command, tooBig)
	}
	env.ID = s.cfg.NewID()
	env.With = s.cfg.Dialect.received(env.UTF8, s.peer.TLS, s.account != "")
	if s.old {
		env.With = s.cfg.Dialect.old
	}
	r := s.handler.Sender(ctx, env)
	if r.Positive() {
		s.env, s.state = env, mailing
	}
	return s.answer(r)
}

// mailParameters fills env. The zero Reply means that all is well.
func (s *Session) mailParameters(env *smtp.Envelope, rest string) smtp.Reply {
	ps, err := smtp.ParseParameters(rest)
	for _, p := range ps {
		if err != nil {
			break
		}
		if !s.offers(p) {
			return unknownParameter
		}
		switch p.Keyword {
		case "SIZE":
			env.Size, err = smtp.ParseSize(p.Value)
		case "BODY":
			env.Body, err = smtp.ParseBody(p.Value)
			if env.Body == smtp.BodyBinary { // not offered: no store keeps it exactly
				return badParameter
			}
		case "PRDR":
			env.Answers, err = smtp.OneEach, noValue(p)
		case "SMTPUTF8":
			env.UTF8, err = smtp.UTF8, noValue(p)
		case "RET":
			env.Ret, err = smtp.ParseRet(p.Value)
		case "ENVID":
			env.EnvID, err = smtp.ParseEnvID(p.Value)
		case "AUTH": // RFC 4954 §5: taken from everybody and believed from nobody
			_, err = smtp.ParseXtext(p.Value)
		default:
			return unknownParameter
		}
	}
	if err != nil {
		return badParameter
	}
	return smtp.Reply{}
}

// offers says whether a parameter belongs to an extension that this listener offers, or to none.
func (s *Session) offers(p smtp.Parameter) bool {
	switch p.Keyword {
	case "RET", "ENVID", "NOTIFY", "ORCPT":
		return s.cfg.DSN
	case "AUTH":
		return s.cfg.Auth != nil
	case "PRDR":
		return s.cfg.PRDR
	}
	return true
}

func noValue(p smtp.Parameter) error {
	if p.Value != "" {
		return smtp.ErrBadParameter
	}
	return nil
}

// submitter says whether the client may submit without AUTH. One of which XCLIENT does not tell the address is nobody's.
func (s *Session) submitter() bool {
	addr := s.peer.Client.Addr.Addr()
	return s.cfg.Submitter != nil && (addr.IsValid() || !s.proxied) && s.cfg.Submitter(addr)
}

// rcpt names one recipient (RFC 5321 §4.1.1.3).
func (s *Session) rcpt(ctx context.Context, arg string) Step {
	arg, found := smtp.CutPath(arg, "TO")
	if !found {
		return s.complain(badArguments)
	}
	to, rest, err := smtp.ParsePath(arg, s.env.UTF8)
	switch {
	case errors.Is(err, smtp.ErrNonASCII):
		return s.complain(nonASCIIRcpt)
	case err != nil || to.IsNull():
		return s.complain(badRecipient)
	}
	rcpt := smtp.Recipient{To: to}
	if r := s.rcptParameters(&rcpt, rest); !r.IsZero() {
		return s.complain(r)
	}
	if len(s.env.Recipients) >= s.cfg.MaxRecipients || s.octets >= maxEnvelope { // RFC 5321 §4.5.3.1.10
		return s.step(Command, tooManyRcpts)
	}
	r := s.handler.Recipient(ctx, s.env, rcpt)
	if r.Positive() {
		s.env.Recipients = append(s.env.Recipients, rcpt.Clone())
		s.octets += len(to.Local) + len(to.Domain) + len(rcpt.Original.Address)
	}
	return s.answer(r)
}

// maxEnvelope is how many octets of recipients a transaction may name. A thousand addresses of usual length are a
// fifth of it; a thousand of the longest, with ORCPT, would be 1.5 MB for each connection.
const maxEnvelope = 256 << 10

func (s *Session) rcptParameters(to *smtp.Recipient, rest string) smtp.Reply {
	ps, err := smtp.ParseParameters(rest)
	for _, p := range ps {
		if err != nil {
			break
		}
		if !s.offers(p) {
			return unknownParameter
		}
		switch p.Keyword {
		case "NOTIFY":
			to.Notify, err = smtp.ParseNotify(p.Value)
		case "ORCPT":
			to.Original, err = smtp.ParseOriginalRecipient(p.Value)
		default:
			return unknownParameter
		}
	}
	if err != nil {
		return badParameter
	}
	return smtp.Reply{}
}
