package smtp

import (
	"net/netip"
	"strings"
)

// An Envelope is what a transaction says about a message beside its content (RFC 5321 §2.3.1), and who says it.
type Envelope struct {
	ID      string // the transaction's, in Received, in the replies and in every log line
	Session string // the session's
	With    string // the protocol's name for Received (RFC 3848, RFC 6531 §4.3)

	Peer   Client // who is connected
	Origin Client // who gave the message to the peer, as XFORWARD told; zero if it did not

	Account   string  // as whom the client has authenticated; "": as nobody
	Submitter bool    // the client may submit without that
	Answers   Answers // to the content

	From       Path
	Recipients []Recipient // those that were accepted, in order; replies[i] answers Recipients[i]

	Size  int64 // as SIZE= announced it; 0: not announced
	Body  Body  // as BODY= said; "" is 7BIT
	UTF8  Encoding
	Ret   Ret
	EnvID string // decoded
}

// Answers says how many replies there are to a message's content.
type Answers int

const (
	OneEach   Answers = iota // one for each recipient: LMTP, and PRDR
	OneForAll                // one for the message
)

// A Client is one end of a connection as Received names it.
type Client struct {
	Hello string         // what it called itself
	Name  string         // what the DNS calls it, where somebody looked; else ""
	Addr  netip.AddrPort // zero for a unix socket or where it is not known
	ID    string         // the peer's queue ID (XFORWARD IDENT)
	Proto string         // "ESMTP" and so on (XFORWARD PROTO); "" for the peer itself
}

// IsZero says whether nothing is known.
func (c Client) IsZero() bool { return c == Client{} }

// A Recipient is a forward-path with its parameters.
type Recipient struct {
	To       Path
	Notify   Notify
	Original OriginalRecipient
}

// Clone returns a copy that holds on to no more memory than it needs: a parsed recipient is part of its command line.
func (r Recipient) Clone() Recipient {
	r.To = Path{Local: strings.Clone(r.To.Local), Domain: strings.Clone(r.To.Domain)}
	r.Original = OriginalRecipient{Type: strings.Clone(r.Original.Type), Address: strings.Clone(r.Original.Address)}
	return r
}
