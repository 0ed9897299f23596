package relay

import (
	"errors"

	"lmtpd/protocol/client"
	"lmtpd/protocol/smtp"
)

// An unusable server is one that no session can be begun with, or that takes nothing from this host. That says nothing about any
// message.
type unusable struct{ cause error }

func (u *unusable) Error() string { return u.cause.Error() }
func (u *unusable) Unwrap() error { return u.cause }

// busy says whether a server has refused a session because it has too many of them (RFC 5321 §3.8).
func busy(err error) bool {
	var r smtp.Reply
	return errors.As(err, &r) && r.Code == 421
}

// refusedLogin returns the refusal of a transaction that is about how this host came in, if nobody was taken in it.
func refusedLogin(results []client.Result) (first smtp.Reply) {
	for _, r := range results {
		switch {
		case r.Outcome != client.Known || !aboutLogin(r.Reply):
			return smtp.Reply{}
		case first.IsZero():
			first = r.Reply
		}
	}
	return first
}
