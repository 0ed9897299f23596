package smtptest

import (
	"context"
	"io"
	"slices"
	"sync"

	"lmtpd/protocol/smtp"
)

// Queue is the session.Handler of the ESMTP stage: it queues what it is given in memory. Recipients behave by
// their local-part, wherever they are: nobody is refused, and the message is refused, deferred or panicked over
// if one of them is rejected, later or panic; with PRDR only for that one.
type Queue struct {
	mu       sync.Mutex
	messages []Message
}

var (
	senderOK    = smtp.Reply{Code: 250, Status: smtp.StatusAddress, Text: "Sender OK"}
	recipientOK = smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient OK"}
	noMailbox   = smtp.Reply{Code: 550, Status: smtp.StatusNoMailbox, Text: "No such mailbox"}
	rejected    = smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "Message refused"}
	later       = smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Temporary failure, try again later"}
	closing     = smtp.Reply{Code: 421, Status: smtp.StatusGoingDown, Text: "Shutting down"}
)

// Sender takes mail from everybody but leave@, whose session it ends.
func (q *Queue) Sender(_ context.Context, env *smtp.Envelope) smtp.Reply {
	if env.From.Local == "leave" {
		return closing
	}
	return senderOK
}

// Recipient takes mail for everybody but nobody@.
func (q *Queue) Recipient(_ context.Context, _ *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	if to.To.Local == "nobody" {
		return noMailbox.For(to.To)
	}
	return recipientOK.For(to.To)
}

// Deliver queues a copy for each recipient.
func (q *Queue) Deliver(_ context.Context, env *smtp.Envelope, r io.Reader) []smtp.Reply {
	content, err := io.ReadAll(r)
	if err != nil {
		return nil
	}
	var replies []smtp.Reply
	var copies []Message
	for _, to := range env.Recipients {
		r := smtp.Reply{Code: 250, Status: smtp.StatusNone, Text: "Queued " + env.ID}
		switch to.To.Local {
		case "rejected":
			r = rejected
		case "later":
			r = later
		case "leave":
			r = closing
		case "panic":
			panic("panic")
		}
		if env.Answers == smtp.OneEach {
			r = r.For(to.To)
		}
		replies = append(replies, r)
		if env.Answers == smtp.OneEach && !r.Positive() {
			continue
		}
		copies = append(copies, Message{Mailbox: to.To.String(), Content: content})
	}
	refused := slices.ContainsFunc(replies, func(r smtp.Reply) bool { return !r.Positive() })
	if refused && env.Answers == smtp.OneForAll {
		return replies
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.messages = append(q.messages, copies...)
	return replies
}

// Abandon has nothing to give back.
func (q *Queue) Abandon(*smtp.Envelope) {}

// Kept returns what is queued.
func (q *Queue) Kept() ([]Message, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.messages, nil
}
