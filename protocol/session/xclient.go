package session

import (
	"context"
	"net/netip"
	"strings"

	"lmtpd/auth"
	"lmtpd/protocol/smtp"
)

// clientAttributes are those of Postfix's XCLIENT (its XCLIENT_README), in the order they are announced.
var clientAttributes = [...]string{"NAME", "ADDR", "PORT", "PROTO", "HELO", "LOGIN", "DESTADDR", "DESTPORT"}

// xclient takes what a trusted peer says about the client that it stands in front of. The session is then that client's, from
// its greeting on, and so another hello is due. Nobody is logged in unless LOGIN says so, and the client may say XCLIENT itself
// only if it is one of those that are trusted.
func (s *Session) xclient(_ context.Context, arg string) Step {
	client, account, fields := s.peer.Client, "", strings.Fields(arg)
	client.Addr = netip.AddrPort{} // unless it is told
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
	s.peer.Client, s.account = client, s.named(account)
	s.peer.Trusted = s.trusts(client.Addr.Addr())
	s.peer.Channel, s.peer.Secured = auth.Channel{}, s.peer.TLS // names, bindings and a unix socket are the peer's
	return s.Start()
}

// trusts says whether a client that was told of is one of those that may tell of others.
func (s *Session) trusts(addr netip.Addr) bool {
	return addr.IsValid() && s.cfg.Trusted != nil && s.cfg.Trusted(addr)
}

// named is an account by the one name that it has.
func (s *Session) named(account string) string {
	if account == "" || s.cfg.Login == nil {
		return account
	}
	return s.cfg.Login(account)
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
