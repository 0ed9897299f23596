package main

import (
	"io/fs"
	"log/slog"
	"net/netip"
	"time"

	"lmtpd/protocol/server"
	"lmtpd/store"
)

// A Config is what one lmtpd is to do. Every field has a default, named beside it; a configuration file and
// flags change it (see loadConfig).
type Config struct {
	File     string // the file it was read from; "" if none
	Hostname string // in greeting, Received and names of files; the system's name, made to look like a domain
	Data     string // "./lmtpd-data": where everything is kept that has no place of its own

	DSN DSN // on

	Listen     []Listen // one listener: LMTP on 127.0.0.1:2424
	TLS        TLS
	Auth       Auth
	Submission Submission
	Queue      Queue
	Mailboxes  []Mailboxes // one block: localhost, any account, maildir:DATA/mail/%d/%n
	Limits     Limits
	Log        Log
}

// DSN says who answers for delivery status notifications (RFC 3461) that senders ask for.
type DSN int

const (
	DSNOn  DSN = iota // lmtpd: the MTA is offered DSN, and hands the duty over
	DSNOff            // the MTA: it is not offered DSN, and says itself that it has relayed the message
)

// A Listen is one listener.
type Listen struct {
	Protocol string  // "lmtp", "submission" or "submissions"
	Network  string  // "tcp" or "unix"
	Address  string  // "host:port", or the path of the socket
	TLS      TLSMode // lmtp: off; submission: STARTTLS; submissions: implicit, and nothing else

	// Who may submit without authentication: nobody. For submission only.
	Trust Clients

	// For unix sockets only.
	Mode  fs.FileMode // 0660
	Owner int         // uid that the socket file is given to; -1: left alone
	Group int         // gid likewise
	Peers []uint32    // uids that may connect (SO_PEERCRED); the own one and root

	// Whose XFORWARD, XCLIENT and PROXY are believed: nobody's.
	Proxies Clients
	Proxy   server.ProxyHeader // none; ProxyProtocol: connections of Proxies begin with one
}

// TLSMode says whether and when TLS begins.
type TLSMode int

const (
	TLSOff      TLSMode = iota
	TLSStart            // when the client asks for it with STARTTLS
	TLSImplicit         // with the first octet
)

// submits says whether clients submit mail there.
func (l Listen) submits() bool { return l.Protocol != "lmtp" }

// place is where it listens, in one string.
func (l Listen) place() string { return l.Network + ":" + l.Address }

// Clients are some of the clients of a listener.
type Clients struct {
	Unix bool           // whoever may connect to this unix socket
	Nets []netip.Prefix // whoever connects from there
}

// Mailboxes is one block of mailboxes: some domains, whose accounts are looked up in one place and whose mail
// is kept in one store.
type Mailboxes struct {
	Domains  []string // lower-cased
	Accounts string   // "any": there is a mailbox for every local-part; "system", "file:PATH" or "sqlite:PATH"
	Store    StoreURL // maildir:DATA/mail/%d/%n
	Search   bool     // false; true: serve keeps the full-text index of the store up
	Aliases  string   // path of an aliases(5) file; "": none
	Terms
}

// Limits bound what a client, and all of them together, can make the daemon do.
type Limits struct {
	MessageSize        int64         // 50 MiB: of content, as in SIZE (RFC 1870)
	Recipients         int           // 1000 in one transaction
	Connections        int           // 1000 at once
	ConnectionsPerPeer int           // 100 at once from one address; does not count for unix sockets
	Errors             int           // 10 bad commands in a session
	Hops               int           // 50 Received fields, then it is a loop (RFC 5321 §6.3)
	Deliveries         int           // 16 copies of one message written at the same time
	PerMailbox         int           // 10 deliveries into one mailbox at the same time
	Deadline           time.Duration // 2m for a message to be in its mailboxes
	MinFree            store.Floor   // nothing: octets and inodes to be left free wherever mail is written
	Memory             int64         // 64 MiB: content of all sessions in memory; the rest goes to temporary files
	Shutdown           time.Duration // 30s for messages in progress to finish
	CommandTimeout     time.Duration // 5m to wait for a command (RFC 5321 §4.5.3.2.7)
	ContentTimeout     time.Duration // 3m to wait for the next block of content (RFC 5321 §4.5.3.2.5)
}

// A Log says how the log is written to standard error.
type Log struct {
	Format string     // "text", or "json"
	Level  slog.Level // info; server.LevelTrace is below debug
}

// defaultLimits is Limits without any configuration.
func defaultLimits() Limits {
	return Limits{
		MessageSize:        50 << 20,
		Recipients:         1000,
		Connections:        1000,
		ConnectionsPerPeer: 100,
		Errors:             10,
		Hops:               50,
		Deliveries:         16,
		PerMailbox:         10,
		Deadline:           2 * time.Minute,
		Memory:             64 << 20,
		Shutdown:           30 * time.Second,
		CommandTimeout:     5 * time.Minute,
		ContentTimeout:     3 * time.Minute,
	}
}

// The defaults that are values by themselves.
const (
	defaultData     = "./lmtpd-data"
	defaultAddress  = "127.0.0.1:2424"
	defaultDomain   = "localhost"
	defaultAccounts = "any"
	defaultMode     = fs.FileMode(0o660)
)
