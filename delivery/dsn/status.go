package dsn

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"lmtpd/protocol/smtp"
)

// What is told of one reply, in octets and in lines: a server may talk without end.
const (
	maxReply = 4000
	maxLines = 50
)

// status is the part for programs.
func (n *notification) status() part {
	p := part{mediaType: "message/delivery-status", description: "Delivery report", encoding: "7bit", write: n.writeStatus}
	var s survey
	n.writeStatus(&s)
	if s.wide {
		p.mediaType, p.encoding = "message/global-delivery-status", n.wideEncoding() // RFC 6533 §4.1
	}
	return p
}

// wideEncoding is how a part of UTF-8 is encoded. Where the sender's address is ASCII, nobody knows whether the way back takes
// SMTPUTF8, so it has to do without (RFC 6533 §4.5).
func (n *notification) wideEncoding() string {
	if n.From.ASCII() {
		return "quoted-printable"
	}
	return "8bit"
}

// writeStatus writes the fields of RFC 3464 §2.2 and, for each recipient, §2.3, in their order there.
func (n *notification) writeStatus(w io.Writer) {
	var b []byte
	if n.EnvID != "" {
		b = field{"Original-Envelope-Id", clean(n.EnvID, n.UTF8)}.append(b)
	}
	b = field{"Reporting-MTA", mta(n.host(), n.UTF8)}.append(b)
	b = appendDate(b, "Arrival-Date", n.Arrived)
	b = field{"X-Lmtpd-ID", clean(n.ID, n.UTF8)}.append(b)
	w.Write(b)
	for i := range n.Recipients {
		b = append(b[:0], "\r\n"...)
		w.Write(n.Recipients[i].appendStatus(b, n.UTF8))
	}
}

func (r *Recipient) appendStatus(b []byte, enc smtp.Encoding) []byte {
	if o := r.Original; !o.IsZero() {
		b = field{"Original-Recipient", originalAddress(o, enc)}.append(b)
	}
	b = field{"Final-Recipient", finalAddress(r.To, enc)}.append(b)
	b = field{"Action", clean(string(r.Action), smtp.ASCII)}.append(b)
	b = field{"Status", r.enhanced()}.append(b)
	if r.Server != "" {
		b = field{"Remote-MTA", mta(r.Server, enc)}.append(b)
	}
	if !r.Reply.IsZero() {
		b = field{"Diagnostic-Code", "smtp; " + strings.Join(replyLines(r.Reply, enc), "\n")}.append(b)
	}
	b = appendDate(b, "Last-Attempt-Date", r.Last)
	if r.Action == Delayed { // RFC 3464 §2.3.9
		b = appendDate(b, "Will-Retry-Until", r.Until)
	}
	return b
}

func appendDate(b []byte, name string, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return field{name, t.Format(time.RFC1123Z)}.append(b)
}

// enhanced is the status code of a recipient: the reply's, where it has one that fits what was done, else the class alone, if no
// other is known to be true (RFC 3461 §6.3). A message that was given up after transient replies has failed with one of theirs.
func (r *Recipient) enhanced() string {
	class := r.class()
	switch code := r.Reply.Enhanced(); {
	case code != "" && r.Reply.Code/100 == class:
		return clean(code, smtp.ASCII)
	case r.Reply.IsZero() && r.Action == Failed:
		return "4.4.7" // delivery time expired (RFC 3463 §3.5)
	case r.Reply.IsZero() && r.Action == Delayed:
		return "4.4.1" // no answer from host
	}
	return strconv.Itoa(class) + ".0.0"
}

// class is that of the status code (RFC 3463 §2).
func (r *Recipient) class() int {
	switch r.Action {
	case Failed:
		if r.Reply.Transient() || r.Reply.IsZero() {
			return 4
		}
		return 5
	case Delayed:
		return 4
	}
	return 2
}

// finalAddress is a recipient of the envelope with its type (RFC 6533 §3).
func finalAddress(p smtp.Path, enc smtp.Encoding) string {
	if p.ASCII() {
		return "rfc822; " + clean(p.String(), enc)
	}
	return utf8Address(p.String(), enc)
}

// originalAddress is what ORCPT= said, decoded (RFC 3461 §6.3).
func originalAddress(o smtp.OriginalRecipient, enc smtp.Encoding) string {
	if smtp.EqualFold(o.Type, "utf-8") {
		return utf8Address(o.Address, enc)
	}
	return clean(o.Type, smtp.ASCII) + "; " + clean(o.Address, enc)
}

// utf8Address is an address of type utf-8: as it is where SMTPUTF8 is in force, else as utf-8-addr-xtext (RFC 6533 §3).
func utf8Address(address string, enc smtp.Encoding) string {
	address = clean(address, smtp.UTF8)
	if enc == smtp.UTF8 {
		return "utf-8; " + address
	}
	var b strings.Builder
	for _, r := range address {
		if r <= ' ' || r == '\\' || r == '+' || r == '=' || r >= utf8.RuneSelf {
			fmt.Fprintf(&b, `\x{%02X}`, r)
		} else {
			b.WriteRune(r)
		}
	}
	return "utf-8; " + b.String()
}

// mta is the name of a mail host with its type. What a server calls itself may be no domain (RFC 3461 §9.3).
func mta(name string, enc smtp.Encoding) string {
	if smtp.IsDomain(name, enc) || smtp.IsAddressLiteral(name) {
		return "dns; " + name
	}
	return "x-unknown; " + shorten(clean(name, enc), smtp.MaxPath)
}

// replyLines are the lines of a reply as they came, each with its code (RFC 3461 §9.2).
func replyLines(r smtp.Reply, enc smtp.Encoding) []string {
	text := strings.SplitN(shorten(r.Text, maxReply), "\n", maxLines+1)
	if len(text) > maxLines {
		text[maxLines] = "..."
	}
	r.Text = strings.Join(text, "\n")
	lines := strings.Split(r.String(), "\n")
	for i := range lines {
		lines[i] = clean(lines[i], enc)
	}
	return lines
}
