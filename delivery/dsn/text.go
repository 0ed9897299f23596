package dsn

import (
	"io"
	"mime"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"lmtpd/protocol/smtp"
)

// A tale is how a notification begins, by the gravest of what it tells.
type tale struct {
	subject  string
	returned string // Content-Description of the message
	opening  string
}

func (a Action) tale() tale {
	switch a {
	case Failed:
		return tale{"Undelivered mail", "Undelivered Message",
			"The message below could not be delivered to all it was for. What follows tells to whom, why, and what the servers said."}
	case Delayed:
		return tale{"Delayed mail", "Delayed Message",
			"The message below has not been delivered yet. You need not send it again: it is kept here, and tried again."}
	case Relayed:
		return tale{"Relayed mail", "Message",
			"The message below has been passed on to a mail system that does not confirm delivery."}
	case Expanded:
		return tale{"Expanded mail", "Message",
			"The message below was for an address that stands for others, and has been passed on to them."}
	}
	return tale{"Delivered mail", "Message", "The message below has been delivered."}
}

// gravest is the action that a notification is named after.
func (r *Report) gravest() Action {
	for _, a := range [...]Action{Failed, Delayed, Relayed, Expanded} {
		if slices.ContainsFunc(r.Recipients, func(to Recipient) bool { return to.Action == a }) {
			return a
		}
	}
	return Delivered
}

// subject is the message's with a word in front of it, in encoded words where it must be (RFC 2047).
func (n *notification) subject() string {
	s := n.gravest().tale().subject
	if n.original.subject != "" {
		s += ": " + n.original.subject
	}
	return mime.QEncoding.Encode("utf-8", s)
}

// text is the part for people.
func (n *notification) text() part {
	var s survey
	n.writeText(&s)
	p := part{mediaType: "text/plain; charset=us-ascii", description: "Notification", encoding: "7bit", write: n.writeText}
	if s.wide {
		p.mediaType = "text/plain; charset=utf-8"
	}
	if s.wide || !s.sendable() {
		p.encoding = "quoted-printable"
	}
	return p
}

func (n *notification) writeText(w io.Writer) {
	b := appendLines(nil, "", "This is the mail system at "+n.host()+".")
	b = append(b, "\r\n"...)
	b = appendLines(b, "", n.gravest().tale().opening)
	b = append(b, "\r\n"...)
	if s := n.original.subject; s != "" {
		b = appendLines(b, "    ", "Subject: "+s)
	}
	if !n.Arrived.IsZero() {
		b = appendLines(b, "    ", "Sent: "+n.Arrived.Format(time.RFC1123Z))
	}
	b = appendLines(b, "    ", "ID: "+clean(n.ID, smtp.UTF8))
	w.Write(b)
	for i := range n.Recipients {
		b = append(b[:0], "\r\n"...)
		w.Write(n.Recipients[i].appendText(b))
	}
	w.Write(appendLines(append(b[:0], "\r\n"...), "", n.closing()))
}

// appendText appends what became of a recipient, and the words of who said so.
func (r *Recipient) appendText(b []byte) []byte {
	b = appendLines(b, "", r.address()+": "+r.told())
	if r.Reply.IsZero() {
		return b
	}
	for _, line := range replyLines(r.Reply, smtp.UTF8) {
		b = appendLines(b, "    ", line)
	}
	return b
}

// address is the recipient's, and the one that the sender wrote if that is another.
func (r *Recipient) address() string {
	address := "<" + clean(r.To.String(), smtp.UTF8) + ">"
	if o := r.Original; !o.IsZero() && o.Address != r.To.String() {
		return address + " (sent to <" + clean(o.Address, smtp.UTF8) + ">)"
	}
	return address
}

// told is what happened and what happens next, up to the reply.
func (r *Recipient) told() string {
	switch r.Action {
	case Failed:
		return "Not delivered. " + r.why() + r.says()
	case Delayed:
		return "Not delivered yet. " + r.why() + r.next() + r.says()
	case Relayed:
		return "Passed on to " + r.server() + ", which does not confirm delivery. You may hear of it again only if it fails there. " + r.says()
	case Expanded:
		return "Passed on to those that the address stands for. You will not be told when each of them has it. " + r.says()
	}
	return "Delivered. " + r.says()
}

// why gives the cause in plain words, in sentences with a blank behind each, as those below. Where no code tells the cause there is
// nothing but the reply itself.
func (r *Recipient) why() string {
	switch {
	case r.Reply.IsZero() && r.Action == Failed:
		return "No mail system has answered" + r.untilLast() + ", and no more attempts are made. "
	case r.Reply.IsZero():
		return "No mail system has answered so far. "
	case r.Action == Failed && r.Reply.Transient():
		return cause(r.Reply) + "It was tried again and again" + r.untilLast() + ", and is given up now. "
	}
	return cause(r.Reply)
}

func (r *Recipient) untilLast() string {
	if r.Last.IsZero() {
		return ""
	}
	return " until " + r.Last.Format(time.RFC1123Z)
}

func (r *Recipient) next() (s string) {
	if !r.Until.IsZero() {
		s = "It will be tried again until " + r.Until.Format(time.RFC1123Z) + ". "
	}
	if r.Notify == 0 || r.Notify&smtp.NotifyFailure != 0 { // RFC 3461 §5.2.6
		s += "You will be told if it cannot be delivered. "
	}
	return s
}

// cause says what the status of a reply means to who sent the message (RFC 3463 §3). Much of it is certain only when it is final.
func cause(r smtp.Reply) string {
	if r.Permanent() {
		switch r.Status {
		case smtp.StatusNoMailbox, "1.6":
			return "There is no such address. Please check how it is written. "
		case "1.2", "1.10", "4.4":
			return "There is no such domain, or it takes no mail. Please check how the address is written. "
		case smtp.StatusBadRecipient:
			return "The address is not written as an address must be. "
		case smtp.StatusDisabled:
			return "The recipient's mailbox does not take mail. "
		case smtp.StatusLoop:
			return "The message went round in circles between mail systems. "
		case smtp.StatusNonASCII:
			return "The recipient's mail system does not take addresses with letters beyond ASCII. "
		case smtp.StatusSecurity, smtp.StatusNotAuthorized:
			return "The recipient's mail system does not want this message. "
		}
	}
	switch r.Status {
	case smtp.StatusMailboxFull:
		return "The recipient's mailbox is full. "
	case "2.3", smtp.StatusTooBig:
		return "The message is too big. "
	case smtp.StatusSystemFull:
		return "The recipient's mail system has no room. "
	}
	return ""
}

// says leads to the reply, if there is one.
func (r *Recipient) says() string {
	if r.Reply.IsZero() {
		return ""
	}
	return "The answer of " + r.server() + " was:"
}

// server is who replied.
func (r *Recipient) server() string {
	if r.Server == "" {
		return "this mail system"
	}
	return shorten(clean(r.Server, smtp.UTF8), smtp.MaxPath)
}

// closing tells what is attached, and whom to ask.
func (n *notification) closing() string {
	s := "The header of the message is attached, and a report for programs."
	if n.original.whole {
		s = "The message is attached, and a report for programs."
	}
	if a := n.gravest(); a == Failed || a == Delayed {
		s += " If you need help, please write to <postmaster@" + n.host() + "> and send all of this along."
	}
	return s
}

// appendLines appends a paragraph, each of its lines indented.
func appendLines(b []byte, indent, s string) []byte {
	b = append(b, indent...)
	line := len(indent)
	for i, word := range strings.Fields(s) {
		width := utf8.RuneCountInString(word)
		if line+1+width > textWidth && i > 0 {
			b = append(b, "\r\n"...)
			b = append(b, indent...)
			line = len(indent)
		} else if i > 0 {
			b, line = append(b, ' '), line+1
		}
		b, line = append(b, word...), line+width
	}
	return append(b, "\r\n"...)
}
