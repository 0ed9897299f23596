package delivery

import (
	"errors"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// replyFor is where errors become replies. What is not known to be a fact is a doubt, and a doubt is temporary.
func replyFor(err error) smtp.Reply {
	if r, is := errors.AsType[smtp.Reply](err); is {
		return r
	}
	switch {
	case errors.Is(err, store.ErrNoMailbox):
		return smtp.Reply{Code: 550, Status: smtp.StatusNoMailbox, Text: "No such mailbox"}
	case errors.Is(err, errDisabled):
		return smtp.Reply{Code: 550, Status: smtp.StatusDisabled, Text: "Mailbox is disabled"}
	case errors.Is(err, errNotLocal):
		return smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "Relaying is not permitted"}
	case errors.Is(err, errTooManyTargets):
		return smtp.Reply{Code: 452, Status: smtp.StatusTooManyRecipients, Text: "Too many recipients"}
	case errors.Is(err, errLoop):
		return smtp.Reply{Code: 554, Status: smtp.StatusLoop, Text: "Too many hops"}
	case errors.Is(err, errComesBack):
		return smtp.Reply{Code: 554, Status: smtp.StatusLoop, Text: "Mail loop"}
	case errors.Is(err, errRefuse):
		return smtp.Reply{Code: 552, Status: smtp.StatusMailboxFull, Text: "Mailbox is over quota"}
	case errors.Is(err, store.ErrOverQuota):
		return smtp.Reply{Code: 452, Status: smtp.StatusMailboxFull, Text: "Mailbox is over quota"}
	case errors.Is(err, store.ErrFull):
		return smtp.Reply{Code: 452, Status: smtp.StatusSystemFull, Text: "Insufficient system storage"}
	case errors.Is(err, store.ErrBusy):
		return smtp.Reply{Code: 451, Status: smtp.StatusMailbox, Text: "Mailbox is busy"}
	}
	return smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Temporary failure, try again later"}
}

// delivered is the reply for a recipient that has the message.
func delivered(env *smtp.Envelope, to smtp.Path) smtp.Reply {
	return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Delivered " + env.ID}.For(to)
}

// queued is the reply for a recipient whose message is in the queue, or for all of them.
func queued(env *smtp.Envelope, to smtp.Path) smtp.Reply {
	if env.Answers == smtp.OneForAll {
		return smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: "Queued " + env.ID}
	}
	return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Queued " + env.ID}.For(to)
}

// worse says which of two errors a recipient hears of that has both, each of another mailbox: the doubt, for it is worth
// another try.
func worse(a, b error) error {
	switch {
	case a == nil:
		return b
	case b == nil || replyFor(a).Transient() || replyFor(b).Permanent():
		return a
	}
	return b
}
