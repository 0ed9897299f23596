package dsn

import (
	"time"

	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// A Report is what a delivery status notification tells: what became of one message for some of its recipients.
type Report struct {
	Hostname string    // Reporting-MTA
	ID       string    // of the message the report is about, in the log and its 250
	Arrived  time.Time // Arrival-Date
	From     smtp.Path // who is told: the reverse-path of the message; never null
	EnvID    string    // Original-Envelope-Id; "": none
	Ret      smtp.Ret  // how much of the message is returned; "": headers
	UTF8     smtp.Encoding
	Content  store.Content // of the message; it is read while the report is written

	Recipients []Recipient // one at least
}

// A Recipient is one part of a report.
type Recipient struct {
	smtp.Recipient
	Action Action
	Reply  smtp.Reply // the last one heard about it, word for word; zero: nobody replied
	Server string     // who said so, as it calls itself (Remote-MTA); "" is this host
	Last   time.Time  // Last-Attempt-Date; zero: none
	Until  time.Time  // Will-Retry-Until, when it is delayed
}

// An Action is the value of the Action field (RFC 3464 §2.3.3).
type Action string

const (
	Failed    Action = "failed"
	Delayed   Action = "delayed"
	Delivered Action = "delivered"
	Relayed   Action = "relayed"
	Expanded  Action = "expanded"
)
