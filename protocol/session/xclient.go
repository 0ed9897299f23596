package session

import (
	"context"
	"net/netip"
	"strings"

	"lmtpd/protocol/smtp"
)

// clientAttributes are those of Postfix's XCLIENT (its XCLIENT_README), in the order they are announced.
var clientAttributes = [...]string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"}

// xclient takes what a trusted peer says about the client that it stands in front of. The session is then that client's, from
// its greeting on, and so another hello is due; what the peer itself may do, it may do again.
func (s *Session) xclient(_ context.Context, arg string) Step {
	client, account, fields := s.peer.Client, s.account, strings.Fields(arg)
	if len(fields) == 0 {
		return s.complain(badArguments)
	}
	for _, f := range fields {
		name, value, found := strings.Cut(f, "=")
		value, err := smtp.ParseXtext(value)
		if !found || err != nil || !present(&client, &account, smtp.Upper(name), value) {
			return s.complain(badArguments)
		}
	}
	s.reset()
	s.state, s.origin, s.proxied = greeted, smtp.Client{}, true
	s.peer.Client, s.account = client, account
	s.peer.Channel.Names, s.peer.Secured = nil, s.peer.TLS // a unix socket is the peer's, and says nothing of the client's way to it
	return s.Start()
}

// present fills one field of what is known of a client. Where a value is not to be had, nothing is.
func present(c *smtp.Client, account *string, name, value string) bool {
	switch name {
	case "LOGIN":
		if unavailable(value) {
			value = ""
		}
		*account = value
		return isWord(value)
	case "DESTADDR":
		_, err := netip.ParseAddr(withoutIPv6(value))
		return unavailable(value) || err == nil
	case "DESTPORT":
		var other smtp.Client
		return unavailable(value) || forwardPort(&other, value)
	case "PROTO": // SMTP or ESMTP: the client's next hello says it
		return isWord(value)
	case "NAME", "ADDR", "PORT", "HELO":
		return forward(c, name, value)
	}
	return false
}
