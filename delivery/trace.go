package delivery

import (
	"net/netip"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

// trace returns the trace fields of one recipient's copy, CRLF line ends (RFC 5321 §4.4): Return-Path as final
// delivery puts it, X-Original-To where aliases have changed the address on the way, there or here, Delivered-To as a
// mark against loops, and Received, if the message has not got that on its way into the queue.
func (a *Agent) trace(d *delivery, w want) []byte {
	env, to, t := d.env, d.env.Recipients[w.recipient], w.in(d)
	rcpt := to.To.String()
	b := make([]byte, 0, 512)
	b = append(b, "Return-Path: <"...)
	b = append(b, env.From.String()...)
	b = append(b, ">\r\n"...)
	original := rcpt // the address that the sender wrote, as far as it is known
	if !to.Original.IsZero() {
		original = to.Original.Address
	}
	if original != t.address {
		b = append(b, "X-Original-To: "...)
		b = append(b, original...)
		b = append(b, "\r\n"...)
	}
	b = append(b, "Delivered-To: "...)
	b = append(b, t.address...)
	return append(append(b, "\r\n"...), d.received...)
}

// received returns the Received field.
func (a *Agent) received(env *smtp.Envelope, at time.Time) []byte {
	b := append(make([]byte, 0, 512), "Received: from "...)
	b = a.appendFrom(b, env)
	b = append(b, "\r\n\tby "...)
	b = append(b, a.cfg.Hostname...)
	b = append(b, " with "...)
	b = append(b, env.With...)
	b = append(b, " id "...)
	b = append(b, env.ID...)
	if len(env.Recipients) == 1 { // else it would tell the others (RFC 5321 §7.2)
		b = append(b, "\r\n\tfor <"...)
		b = append(b, env.Recipients[0].To.String()...)
		b = append(b, '>')
	}
	b = append(b, ";\r\n\t"...)
	b = at.AppendFormat(b, time.RFC1123Z)
	return append(b, "\r\n"...)
}

// appendFrom appends who the client is.
//
// QUIRK: RFC 5321 §4.4 wants its hello and its address. Of one that has authenticated both tell where somebody writes mail
// from, and the log has them; so there is none of them, but a word that is a domain by its syntax alone.
func (a *Agent) appendFrom(b []byte, env *smtp.Envelope) []byte {
	if env.Account != "" && a.cfg.Authenticated == HideClient {
		return append(b, "unknown (authenticated)"...)
	}
	b = append(b, word(env.Peer.Hello)...)
	b = appendTCPInfo(b, env.Peer)
	return appendOrigin(b, env.Origin)
}

// appendTCPInfo appends who the peer really is (RFC 5321 §4.4 TCP-info).
func appendTCPInfo(b []byte, c smtp.Client) []byte {
	if !c.Addr.IsValid() {
		return append(b, " (unix socket)"...)
	}
	b = append(b, " ("...)
	if c.Name != "" {
		b = append(b, word(c.Name)...)
		b = append(b, ' ')
	}
	b = appendLiteral(b, c.Addr.Addr())
	return append(b, ')')
}

// appendOrigin appends, as a comment, whom the peer had the message from, as it says itself (XFORWARD).
func appendOrigin(b []byte, c smtp.Client) []byte {
	if c.IsZero() {
		return b
	}
	n := len(b)
	b = append(b, "\r\n\t(for client"...)
	start := len(b)
	for _, v := range [...]string{c.Hello, c.Name} {
		if v != "" {
			b = append(b, ' ')
			b = append(b, word(v)...)
		}
	}
	if a := c.Addr.Addr(); a.IsValid() {
		b = append(b, ' ')
		b = appendLiteral(b, a)
	}
	if c.Proto != "" {
		b = append(b, " with "...)
		b = append(b, word(c.Proto)...)
	}
	if c.ID != "" {
		b = append(b, " id "...)
		b = append(b, word(c.ID)...)
	}
	if len(b) == start {
		return b[:n]
	}
	return append(b, ')')
}

// appendLiteral appends an address literal (RFC 5321 §4.1.3).
func appendLiteral(b []byte, a netip.Addr) []byte {
	b = append(b, '[')
	if a.Is6() {
		b = append(b, "IPv6:"...)
	}
	b = a.AppendTo(b)
	return append(b, ']')
}

// word returns s as it may stand in Received: what could end a comment or begin another field is replaced.
func word(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9', strings.ContainsRune("-._:[]+@/", r):
			return r
		}
		return '?'
	}, s)
}
