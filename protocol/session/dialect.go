package session

import "lmtpd/protocol/smtp"

// A Dialect is all that LMTP and ESMTP differ in. Nothing else asks which of them is spoken.
type Dialect struct {
	Name         string       // in the greeting, and in Received as RFC 3848 §2 names it
	Hello        string       // the verb of its hello
	OldHello     string       // a second one, without extensions; "" for none
	Answers      smtp.Answers // after the final dot
	StrictLines  bool         // a CR or LF alone in content is refused, for it may be smuggled mail
	NoRecipients smtp.Reply   // to DATA and BDAT without an accepted recipient

	with, utf8 string // stems of the names for Received: RFC 3848 §2, RFC 6531 §4.3
	old        string // and the name after an OldHello, which stands alone (RFC 5321 §4.4)
}

// LMTP is RFC 2033: a hello of its own, a reply for each recipient, and a trusted MTA at the other end whose
// stray CR or LF is content.
func LMTP() Dialect {
	return Dialect{
		Name:         "LMTP",
		Hello:        "LHLO",
		Answers:      smtp.OneEach,
		NoRecipients: smtp.Reply{Code: 503, Status: smtp.StatusCommand, Text: "No valid recipients"}, // RFC 2033 §4.2
		with:         "LMTP",
		utf8:         "UTF8LMTP",
	}
}

// ESMTP is RFC 5321.
func ESMTP() Dialect {
	return Dialect{
		Name:         "ESMTP",
		Hello:        "EHLO",
		OldHello:     "HELO",
		Answers:      smtp.OneForAll,
		StrictLines:  true,
		NoRecipients: smtp.Reply{Code: 554, Status: smtp.StatusCommand, Text: "No valid recipients"}, // RFC 5321 §3.3
		with:         "ESMTP",
		utf8:         "UTF8SMTP",
		old:          "SMTP",
	}
}

// received returns the word after "with" in Received (RFC 3848 §2, RFC 6531 §4.3).
func (d Dialect) received(enc smtp.Encoding, secured, authenticated bool) string {
	w := d.with
	if enc == smtp.UTF8 {
		w = d.utf8
	}
	if secured {
		w += "S"
	}
	if authenticated {
		w += "A"
	}
	return w
}
