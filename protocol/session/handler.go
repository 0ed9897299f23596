package session

import (
	"context"
	"io"

	"lmtpd/protocol/smtp"
)

// A Handler is what the engine asks: whom mail may come from, whom it may go to, and to keep it. One Handler
// serves all sessions, so its methods are called from many goroutines, but one transaction's come in order.
//
// A reply with code 421 closes the session.
type Handler interface {
	// Sender answers MAIL: env is new, with From and the parameters.
	Sender(ctx context.Context, env *smtp.Envelope) smtp.Reply

	// Recipient answers RCPT, truthfully and cheaply. A positive reply makes to the next of env.Recipients,
	// which holds those accepted before.
	Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply

	// Deliver takes the content and returns one reply for each of env.Recipients, in their order. Only when
	// content has ended in io.EOF may anything be kept. Any other error means that there will be nothing: if
	// it is an smtp.Reply (too big, bad line ends) it is also the reply for every recipient, else nobody is
	// left to hear one. Deliver need not read to the end. It owns the transaction: Abandon does not follow.
	Deliver(ctx context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply

	// Abandon says that the transaction will not reach Deliver (RSET, a new hello, a hang-up), so that what
	// MAIL and RCPT reserved can be given back.
	Abandon(env *smtp.Envelope)
}
