package spool

import (
	"context"
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A Message is one in the spool, as an attempt sees it.
type Message struct {
	ID      string    // of the transaction that brought it, as in Received, in its 250 and in every log line
	Arrived time.Time // when it was put into the spool
	Account string    // who submitted it; "": nobody who had logged in, or the spool itself
	Doubt   bool      // nobody knows how an earlier attempt has ended, so it may be there already

	From  smtp.Path
	Body  smtp.Body
	UTF8  smtp.Encoding
	Ret   smtp.Ret
	EnvID string

	// Recipients are those of the attempt. outcomes[i] is what became of Recipients[i].
	Recipients []smtp.Recipient

	// Content is valid until the attempt returns: trace fields that were put before it included.
	Content store.Content
}

// A Transport takes messages from the spool to where their recipients are. Its methods may be called from many goroutines.
type Transport interface {
	// Destination names where mail for a recipient goes, the same name for all that shall share limits and back-off:
	// one mailbox host, one smarthost. It is cheap, and may be asked again after a start with another configuration.
	Destination(from, to smtp.Path) string

	// Attempt tries to get a message to some of its recipients, all of one destination, and returns one outcome for each, in
	// that order. An error says that the destination as a whole cannot be used now, whatever the message; no outcome counts
	// then. It obeys ctx.
	Attempt(ctx context.Context, destination string, m *Message) ([]Outcome, error)
}

// A Fate says what an attempt has come to for one recipient.
type Fate int

const (
	Deferred  Fate = iota // try again later: a 4yz, a store that could not tell, a doubt of any kind
	Unknown               // the same, but it may be there all the same: a connection lost between the final dot and the reply
	Delivered             // it is in the recipient's mailbox
	Relayed               // another server has it, and has not taken over what is to be notified (RFC 3461 §5.2.2)
	PassedOn              // another server has it, and with it the duty to notify (RFC 3461 §5.2.1)
	Expanded              // it has become other messages (RFC 3461 §5.2.7)
	Bounced               // never: a 5yz
)

// An Outcome is what an attempt has come to for one recipient.
type Outcome struct {
	Fate  Fate
	Reply smtp.Reply // word for word; zero where nobody replied
	// Server is who replied, as it calls itself; "" is this host.
	Server string
	Cause  error // for the log, where Reply does not tell all; may be nil
}
