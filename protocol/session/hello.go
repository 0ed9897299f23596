package session

import (
	"context"
	"strconv"
	"strings"

	"lmtpd/protocol/smtp"
)

// hello resets and lists the extensions (RFC 5321 §4.1.1.1, RFC 2033 §4.1).
func (s *Session) hello(_ context.Context, arg string) Step {
	if !s.introduce(arg) {
		return s.complain(badArguments)
	}
	return s.step(Command, smtp.Reply{Code: 250, Text: s.cfg.Hostname + "\n" + strings.Join(s.extensions(), "\n")})
}

// oldHello is the hello of RFC 821, without extensions. They are understood all the same, as everybody does.
func (s *Session) oldHello(_ context.Context, arg string) Step {
	if !s.introduce(arg) {
		return s.complain(badArguments)
	}
	s.old = true
	return s.step(Command, smtp.Reply{Code: 250, Text: s.cfg.Hostname})
}

// introduce takes the name in a hello. Anything that is one word will do: what follows it is ignored by some
// and sent by some, so it is an error nowhere; that the name is true is not checked (RFC 5321 §4.1.4).
func (s *Session) introduce(arg string) bool {
	name, _, _ := strings.Cut(strings.TrimLeft(arg, " "), " ")
	if name == "" || len(name) > 255 {
		return false
	}
	s.reset()
	s.state, s.old = ready, false
	s.peer.Client.Hello = name
	return true
}

// extensions lists the keywords, each with its parameters.
func (s *Session) extensions() []string {
	list := []string{
		"PIPELINING",          // RFC 2920
		"ENHANCEDSTATUSCODES", // RFC 2034
		"8BITMIME",            // RFC 6152
		"SIZE " + strconv.FormatInt(s.cfg.MaxSize, 10), // RFC 1870: 0 is no limit
		"CHUNKING", // RFC 3030
		"SMTPUTF8", // RFC 6531
	}
	if s.cfg.DSN {
		list = append(list, "DSN") // RFC 3461
	}
	if s.cfg.PRDR {
		list = append(list, "PRDR") // draft-hall-prdr
	}
	list = append(list, "LIMITS RCPTMAX="+strconv.Itoa(s.cfg.MaxRecipients)) // RFC 9422
	if s.cfg.StartTLS && !s.peer.TLS {
		list = append(list, "STARTTLS") // RFC 3207
	}
	if m := s.mechanisms(); len(m) > 0 {
		list = append(list, "AUTH "+strings.Join(m, " ")) // RFC 4954
	}
	if s.peer.Trusted {
		list = append(list, "XFORWARD "+strings.Join(forwardAttributes[:], " "), "XCLIENT "+strings.Join(clientAttributes[:], " "))
	}
	return list
}

// mechanisms lists what can still be offered: nothing once somebody is authenticated.
func (s *Session) mechanisms() []string {
	if s.cfg.Auth == nil || s.account != "" {
		return nil
	}
	return s.cfg.Auth.Mechanisms(s.channel())
}
