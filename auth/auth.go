// Package auth is both sides of SASL (RFC 4422), the server's and the client's: the exchanges of its mechanisms, and what stands
// against guessing.
//
// It knows neither the protocol that carries the exchanges nor where passwords are kept: the first asks an Authenticator, or a
// Client (protocol/session and protocol/client do, as RFC 4954 has it), the second is behind Accounts and Tokens.
//
// Both have the mechanisms PLAIN (RFC 4616), LOGIN, CRAM-MD5 (RFC 2195), SCRAM-SHA-1 (RFC 5802), SCRAM-SHA-256 (RFC 7677) and their
// -PLUS forms with the bindings tls-exporter (RFC 9266) and tls-server-end-point (RFC 5929), EXTERNAL (RFC 4422 App. A),
// OAUTHBEARER (RFC 7628) and XOAUTH2. A client also has what is too weak to be offered and still asked for: DIGEST-MD5 (RFC 2831,
// Historic by RFC 6331) and NTLM (MS-NLMP). Choose says with which of them a client may log in. Guard has a Throttle slow an
// Authenticator down for those who guess, and keeps the log.
//
// What is not kept: SASLprep (RFC 4013). Names and passwords are taken as they are, as package password takes them, and
// Dovecot; a client that prepares what is not ASCII, which those of SCRAM should, may so say another password than was stored.
// Security layers, since TLS is there for that; the channel binding tls-unique, which TLS 1.3 does not have; as a server, the errors
// of RFC 5802 §7, since the protocol says that an exchange has failed and "unknown-user" is not for strangers; of DIGEST-MD5, a
// second authentication from the first's nonce (RFC 2831 §2.2); of NTLM, its MIC and its channel binding; ANONYMOUS, GSSAPI.
package auth

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"
)

// ErrCredentials is wrapped by the errors of an exchange that has failed: wrong password, no such account, one that may not
// log in, a response that does not follow the mechanism. They are one and the same to the client. Any other error says that it
// could not be told.
var ErrCredentials = errors.New("authentication credentials invalid")

// A Banned is the error of an exchange with a peer or for a name that has failed too often.
type Banned struct {
	For time.Duration // that it is still banned
}

func (b Banned) Error() string { return fmt.Sprintf("banned for %s", b.For.Round(time.Second)) }

// A Channel is what is known of the connection that an exchange takes place on.
type Channel struct {
	Session string     // its session, for logs
	Peer    netip.Addr // zero for a unix socket
	Secured bool       // nobody can listen: TLS, or a unix socket
	Names   []string   // who the peer is without a password: of its certificate, or the user at the other end of a unix socket

	Host    string   // of a client's channel: the server's host, as the client names it; "" is this one
	Offered []string // of a client's channel: the mechanisms that the server offers

	// Binding returns the channel's binding data of a type: "tls-exporter" (RFC 9266) or "tls-server-end-point"
	// (RFC 5929 §4); an error where it has none of that type. nil: it has none at all.
	Binding func(kind string) ([]byte, error)
}

// An Authenticator offers mechanisms. Its methods may be called from many goroutines.
type Authenticator interface {
	// Mechanisms lists what is offered on a channel now; none: authentication is not offered.
	Mechanisms(ch Channel) []string

	// Begin begins an exchange with one of those.
	Begin(mechanism string, ch Channel) Exchange
}

// An Exchange is the server's side of one exchange (RFC 4422 §3). It is used by one goroutine at a time.
type Exchange interface {
	// Next takes the client's response (nil: it has sent none so far; empty is something else) and returns the next
	// challenge, or the account when the exchange has succeeded: challenge and err are nil then. An error ends the exchange:
	// one that wraps ErrCredentials says that it has failed, a Banned that it is not to be tried, any other that it could not
	// be told.
	Next(ctx context.Context, response []byte) (challenge []byte, account string, err error)

	// Claimed is the name that the client has given so far, as it gave it; "" is none.
	Claimed() string
}

// Accounts is where mechanisms find out who somebody is. Its methods may be called from many goroutines. Their errors are
// ErrCredentials, which is wrapped, or say that it could not be told; what they say is logged. Names are UTF-8 without control
// characters of at most 511 octets, passwords any octets but NUL, as many as the protocol lets through.
type Accounts interface {
	// Verify returns the account of a name, if that is its password and it may log in.
	Verify(ctx context.Context, name, password string) (account string, err error)

	// Key returns what the account of a name keeps for a mechanism: "CRAM-MD5", "SCRAM-SHA-1" or "SCRAM-SHA-256". For a
	// name that has none, or may not log in, it returns a decoy, always the same for one name, and no error.
	Key(ctx context.Context, name, mechanism string) (Key, error)

	// Named returns the account of a name that is proven without a password, if it may log in.
	Named(ctx context.Context, name string) (account string, err error)
}

// A Key is what a server keeps in place of a password.
type Key struct {
	Account string // whose it is; "" is a decoy's, with which the exchange goes on to its end and fails

	Outer, Inner []byte // CRAM-MD5: the states of MD5 after the pads of HMAC, as its MarshalBinary has them (RFC 2104 §4)

	Salt              []byte // SCRAM (RFC 5802 §3)
	Rounds            int
	Stored, ServerKey []byte
}

// Tokens is where bearer tokens are looked at (RFC 6750).
type Tokens interface {
	// Token returns the name that a token was issued for. An error wraps ErrCredentials, or says that it could not be told.
	Token(ctx context.Context, token string) (name string, err error)
}
