package session

import (
	"context"
	"net/netip"
	"strings"
	"unicode"
	"unicode/utf8"

	"lmtpd/protocol/smtp"
)

// forwardAttributes are those of Postfix's XFORWARD (its XFORWARD_README), in the order they are announced.
var forwardAttributes = [...]string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "IDENT", "SOURCE"}

// xforward takes what a trusted MTA says about the client that it had the message from. It holds for the next
// transaction; several of them add up.
func (s *Session) xforward(_ context.Context, arg string) Step {
	origin, fields := s.origin, strings.Fields(arg)
	if len(fields) == 0 {
		return s.complain(badArguments)
	}
	for _, f := range fields {
		name, value, found := strings.Cut(f, "=")
		value, err := smtp.ParseXtext(value)
		if !found || err != nil || !forward(&origin, smtp.Upper(name), value) {
			return s.complain(badArguments)
		}
	}
	s.origin = origin
	return s.step(Command, ok)
}

// forward fills one field of c. Its value ends up in Received, so it may not be of several lines.
func forward(c *smtp.Client, name, value string) bool {
	if !isWord(value) {
		return false
	}
	if unavailable(value) {
		value = ""
	}
	switch name {
	case "NAME":
		c.Name = value
	case "ADDR":
		return forwardAddr(c, value)
	case "PORT":
		return forwardPort(c, value)
	case "PROTO":
		c.Proto = value
	case "HELO":
		c.Hello = value
	case "IDENT":
		c.ID = value
	case "SOURCE": // LOCAL or REMOTE: ADDR says as much
	default:
		return false
	}
	return true
}

// isWord says whether a value is fit for a log and for Received.
func isWord(value string) bool {
	return len(value) <= 255 && utf8.ValidString(value) && !strings.ContainsFunc(value, unicode.IsControl)
}

// unavailable says whether a value is there only to say that it is not known.
func unavailable(value string) bool {
	return smtp.EqualFold(value, "[UNAVAILABLE]") || smtp.EqualFold(value, "[TEMPUNAVAIL]")
}

// withoutIPv6 is an address as netip reads it.
func withoutIPv6(value string) string {
	if len(value) > 5 && smtp.EqualFold(value[:5], "IPv6:") {
		return value[5:]
	}
	return value
}

func forwardAddr(c *smtp.Client, value string) bool {
	if value == "" {
		c.Addr = netip.AddrPort{}
		return true
	}
	a, err := netip.ParseAddr(withoutIPv6(value))
	c.Addr = netip.AddrPortFrom(a.WithZone(""), c.Addr.Port()) // a zone means nothing here, and can be any text
	return err == nil
}

func forwardPort(c *smtp.Client, value string) bool {
	n := 0
	for _, d := range value {
		if d < '0' || d > '9' || n > 6553 {
			return false
		}
		n = n*10 + int(d-'0')
	}
	c.Addr = netip.AddrPortFrom(c.Addr.Addr(), uint16(n))
	return n <= 65535
}
