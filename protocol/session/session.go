package session

import (
	"context"
	"errors"
	"net/netip"

	"lmtpd/auth"
	"lmtpd/protocol/smtp"
)

// Config is what all sessions of a listener share.
type Config struct {
	Dialect       Dialect
	Hostname      string // in the greeting and the reply to a hello
	MaxSize       int64  // octets of content; a message of exactly this size is taken. 0: no limit
	MaxRecipients int    // in one transaction; 0: 1000
	MaxErrors     int    // bad commands until the session is closed; 0: 10
	StartTLS      bool   // the driver can do a TLS handshake
	DSN           bool   // delivery status notifications are offered, and owed to those who ask (RFC 3461)
	PRDR          bool   // the client may ask for a reply for each recipient, where there is otherwise one for all
	Auth          auth.Authenticator

	// Login makes of the name of an account the one that all know it by; nil: it is that already.
	Login func(name string) string

	// Trusted says which clients that XCLIENT tells of are trusted in turn; nil: none.
	Trusted func(client netip.Addr) bool

	// Submitter says who may submit without AUTH; the zero Addr is a unix socket. nil: nobody.
	Submitter func(peer netip.Addr) bool
	NewID     func() string // a new ID for each transaction
}

// Peer is the other end of the connection, as the driver sees it.
type Peer struct {
	Client  smtp.Client  // Addr and Name; the hello fills in the rest
	Session string       // the session's ID
	Trusted bool         // its XFORWARD and XCLIENT are believed, and VRFY answered
	Proxied bool         // it is another one than who has connected, and not known where it has no address
	Secured bool         // nobody can listen: TLS, or a unix socket
	TLS     bool         // it is TLS: the S of ESMTPS (RFC 3848 §2)
	Channel auth.Channel // its Names and Binding; the session fills in the rest
}

// state says which verbs may follow.
type state int

const (
	greeted state = 1 << iota // no hello yet
	ready                     // hello said
	mailing                   // inside a transaction: MAIL accepted
	chunked                   // inside a transaction's content: a BDAT that was not the last accepted

	anywhere = greeted | ready | mailing | chunked
)

// A Session is one session of one dialect. It is used by one goroutine at a time.
type Session struct {
	cfg     Config
	handler Handler
	peer    Peer

	state    state
	old      bool   // the hello was the Dialect's OldHello
	account  string // authenticated as; "" is nobody
	exchange auth.Exchange
	bad      int
	replies  []smtp.Reply

	proxied  bool           // the client is another one than the peer, as XCLIENT told
	origin   smtp.Client    // what XFORWARD said for the next transaction
	env      *smtp.Envelope // the transaction's; nil outside of one
	octets   int            // of its recipients, as they were named
	content  *content       // being received
	chunks   *chunks        // receiving it in chunks
	refusal  smtp.Reply     // to the chunk that is being skipped
	trailing bool           // a chunk was refused, and those that were sent behind it may still come
}

// New returns a session with peer. Its first call is Start.
func New(cfg Config, h Handler, peer Peer) *Session {
	if cfg.MaxRecipients == 0 {
		cfg.MaxRecipients = 1000
	}
	if cfg.MaxErrors == 0 {
		cfg.MaxErrors = 10
	}
	return &Session{cfg: cfg, handler: h, peer: peer, state: greeted, proxied: peer.Proxied}
}

// Start greets (RFC 5321 §3.1).
func (s *Session) Start() Step {
	return s.step(Command, smtp.Reply{Code: 220, Text: s.cfg.Hostname + " " + s.cfg.Dialect.Name + " ready"})
}

// Line takes a command, or a response when the last step asked for one, without its CRLF.
func (s *Session) Line(ctx context.Context, line []byte) Step {
	if s.exchange != nil {
		return s.response(ctx, line)
	}
	c, valid := smtp.ParseCommand(line)
	if !valid {
		return s.complain(badLine)
	}
	s.trailing = s.trailing && c.Verb == "BDAT"
	v, known := s.verb(c.Verb)
	if !known {
		return s.complain(unknownVerb)
	}
	if s.state&v.in == 0 {
		return v.refuse(s, c.Arg, outOfOrder)
	}
	return v.run(s, ctx, c.Arg)
}

// Malformed answers a line that could not be read: err is of smtp.Reader.ReadLine.
func (s *Session) Malformed(err error) Step {
	exchanging := s.exchange != nil
	s.exchange = nil
	switch {
	case errors.Is(err, smtp.ErrLineTooLong) && exchanging:
		return s.complain(authTooLong)
	case errors.Is(err, smtp.ErrLineTooLong):
		return s.complain(lineTooLong)
	}
	return s.complain(bareLineEnd)
}

// Secured says that the TLS handshake is done, and what ch has since of Names and Binding. All that was said before it is
// forgotten (RFC 3207 §4.2).
func (s *Session) Secured(ch auth.Channel) Step {
	s.reset()
	s.state, s.account, s.origin = greeted, "", smtp.Client{}
	s.peer.Client.Hello = ""
	s.peer.Secured, s.peer.TLS, s.peer.Channel = true, true, ch
	if s.proxied { // whose certificate it is, is not known
		s.peer.Channel.Names = nil
	}
	return s.step(Command)
}

// Shutdown ends a session that waits for a command because the daemon goes down.
func (s *Session) Shutdown() Step { return s.step(Close, goingDown) }

// TimedOut ends a session whose client waited too long (RFC 5321 §4.5.3.2).
func (s *Session) TimedOut() Step { return s.step(Close, timedOut) }

// Inside says whether content is being received: between DATA or the first BDAT and the replies.
func (s *Session) Inside() bool { return s.content != nil }

// Envelope returns the transaction's envelope, nil outside of one. It is for logs.
func (s *Session) Envelope() *smtp.Envelope { return s.env }

// Close gives back what the session holds. It is called once, whatever ended the session.
func (s *Session) Close() { s.reset() }

// reset ends the transaction, if there is one, without a message (RFC 5321 §4.1.1.5).
func (s *Session) reset() {
	s.abandon(errAbandoned)
}

// abandon ends the transaction with what its handler is to see if it reads content already.
func (s *Session) abandon(cause error) {
	if s.chunks == nil || !s.chunks.stop(cause) {
		if s.env != nil {
			s.handler.Abandon(s.env)
		}
	}
	s.forget()
}

// forget leaves the transaction behind.
func (s *Session) forget() {
	s.env, s.content, s.chunks, s.exchange = nil, nil, nil, nil
	s.origin, s.octets = smtp.Client{}, 0
	if s.state != greeted {
		s.state = ready
	}
}
