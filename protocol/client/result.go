package client

import "lmtpd/protocol/smtp"

// An Outcome says how much is known about one recipient.
type Outcome int

// The outcomes.
const (
	// NotSent: the transaction ended before the final dot. The message is not there and may be sent again.
	NotSent Outcome = iota
	// Unknown: the final dot may have arrived, but no reply came. The message may be there or not.
	Unknown
	// Known: the server has answered for this recipient.
	Known
)

// String returns a word for logs.
func (o Outcome) String() string {
	switch o {
	case NotSent:
		return "not sent"
	case Unknown:
		return "unknown"
	case Known:
		return "known"
	}
	return "?"
}

// A Result is what is known about one recipient when a transaction is over.
type Result struct {
	Outcome Outcome
	// Reply is the server's last word on the recipient if the outcome is Known: a refusal of MAIL, of this RCPT
	// or of DATA, or the reply after the final dot. Otherwise it is zero.
	Reply smtp.Reply
}

// Delivered says whether the server has taken responsibility for the message (RFC 5321 §4.2.5).
func (r Result) Delivered() bool { return r.Outcome == Known && r.Reply.Positive() }
