package client

import (
	"cmp"
	"context"
	"net"
	"time"
)

// Options are the settings of a connection. The zero Options will do.
type Options struct {
	// Hello is the domain or address literal this client calls itself (RFC 5321 §4.1.1.1); "" is localhost.
	Hello    string
	Security Security
	Timeouts Timeouts
	// Dial connects; nil: a net.Dialer does.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Trace is called with every line that is sent or received, without its line end and as it is on the wire: what a server sends
	// may hold control characters. Content is one line that tells its octets, and what the client says in an exchange of AUTH is
	// ***. It is called from the goroutine that uses the connection. nil traces nothing.
	Trace func(d Direction, line string)
}

// A Direction says who sent a line.
type Direction string

// The directions, as the RFCs mark them in their examples.
const (
	Client Direction = "C"
	Server Direction = "S"
)

// Timeouts bound every wait (RFC 5321 §4.5.3.2). A field that is zero has the RFC's value; Connect and Quit,
// which the RFC leaves open, have 30 and 10 seconds.
type Timeouts struct {
	Connect  time.Duration // until the connection is there
	Greeting time.Duration // for the server's 220: 5 minutes
	Command  time.Duration // for the reply to any other command, and for a TLS handshake: 5 minutes
	Mail     time.Duration // for the reply to MAIL: 5 minutes
	Rcpt     time.Duration // for the reply to RCPT: 5 minutes
	Data     time.Duration // for the reply to DATA: 2 minutes
	Block    time.Duration // for one block of content to be taken: 3 minutes
	Final    time.Duration // for each reply after the final dot: 10 minutes
	Quit     time.Duration // for the reply to QUIT
}

func (t Timeouts) withDefaults() Timeouts {
	return Timeouts{
		Connect:  cmp.Or(t.Connect, 30*time.Second),
		Greeting: cmp.Or(t.Greeting, 5*time.Minute),
		Command:  cmp.Or(t.Command, 5*time.Minute),
		Mail:     cmp.Or(t.Mail, 5*time.Minute),
		Rcpt:     cmp.Or(t.Rcpt, 5*time.Minute),
		Data:     cmp.Or(t.Data, 2*time.Minute),
		Block:    cmp.Or(t.Block, 3*time.Minute),
		Final:    cmp.Or(t.Final, 10*time.Minute),
		Quit:     cmp.Or(t.Quit, 10*time.Second),
	}
}
