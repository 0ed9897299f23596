// Package delivery is the mail delivery agent: it says which recipients there are, receives content, puts the
// trace fields before it, has the stores keep it, and answers once for each recipient.
//
// The order of things (RFC 5321 §4.4, §6.1; DESIGN "content first, then placement"): RCPT finds the mailbox and
// asks its store whether it would take the message. The content is received into memory, or a file that has no
// name if it is large or many are under way. Then every copy is placed, each store having all of its copies in
// one call, and only when that has returned are there replies. Nothing is locked while the network is read.
//
// It knows no connection and no protocol, and it never changes content: malformed mail is kept as it came.
package delivery

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"lmtpd/auth/account"
	"lmtpd/delivery/alias"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// Config is what an Agent needs. All fields are needed that do not name a default.
type Config struct {
	Hostname string        // in Received
	Blocks   []Block       // a domain belongs to one of them
	TempDir  string        // for content that is not kept in memory; it must be there
	Memory   int64         // octets of content kept in memory, of all messages together; 0: 64 MiB
	MaxHops  int           // Received fields in a message that came in a circle; 0: 50
	Deadline time.Duration // for a message to be in all of its mailboxes; 0: 120 s
	Lookup   time.Duration // for a recipient to be looked up; 0: 30 s

	Authenticated Disclosure // of clients that have authenticated, in Received

	Queue    Queue         // nil: mail goes nowhere else
	Rewriter Rewriter      // of the reverse-path of mail that is sent on; nil: it stays as it is
	NewID    func() string // of mail that is sent on; needed with a Queue

	// Room says whether there is room to receive content of a size, 0 if that is not known; nil: always.
	Room func(ctx context.Context, size int64) error
	Now  func() time.Time
	Log  *slog.Logger
}

// A Block is a set of domains whose accounts are looked up in one place and whose mailboxes are in one store.
type Block struct {
	Domains    []string       // a recipient without a domain belongs to the first domain of the first block
	Accounts   account.Source // nil: every local-part has an account
	Store      store.Store
	Places     Places
	Aliases    *alias.File // nil: none
	Delimiters string      // each ends a local-part and begins its detail (RFC 5233); "": there are no details
	Detail     Detail
	Quota      store.Quota // of accounts that say nothing themselves; what it ignores is so for all
	OverQuota  OverQuota
	Grace      Grace
}

// Disclosure says what Received tells of a client.
type Disclosure int

const (
	HideClient Disclosure = iota // that it has authenticated
	ShowClient                   // its hello, name and address, and of whom it had the message
)

// Places says whether what accounts tell of the place of their mail, and of whose it is, means something to a store.
type Places int

const (
	PlacesCount   Places = iota
	PlacesIgnored        // it keeps mailboxes under their names alone
)

// Detail says what the detail of an address is for.
type Detail int

const (
	DetailInbox  Detail = iota // nothing: mail goes to INBOX
	DetailFolder               // it names the folder, if that is there; else mail goes to INBOX
	DetailCreate               // it names the folder, which is made and subscribed to if it is not there
)

// OverQuota says what happens to a message that a mailbox's quota does not allow.
type OverQuota int

const (
	Defer  OverQuota = iota // 452: the client keeps it and tries again
	Refuse                  // 552: the client returns it
)

// Grace says how large a message may be that comes while there is room.
type Grace int

const (
	NoGrace    Grace = iota // no larger than the room
	OneMessage              // of any size: the one that brings the mailbox over its quota is taken
)

// An Agent is a session.Handler that delivers. Its methods may be called from many goroutines.
type Agent struct {
	cfg     Config
	domains map[string]*Block
	aliases alias.Domains
	memory  *memory
	ledger  *ledger
	partly  *partly
}

// New returns an Agent.
func New(cfg Config) (*Agent, error) {
	if cfg.Memory == 0 {
		cfg.Memory = 64 << 20
	}
	if cfg.MaxHops == 0 {
		cfg.MaxHops = 50
	}
	if cfg.Deadline == 0 {
		cfg.Deadline = 2 * time.Minute
	}
	if cfg.Lookup == 0 {
		cfg.Lookup = 30 * time.Second
	}
	a := &Agent{cfg: cfg, domains: make(map[string]*Block), memory: newMemory(cfg.Memory, cfg.TempDir), ledger: newLedger(), partly: newPartly()}
	a.aliases = a.aliasDomain
	a.cfg.Blocks = slices.Clone(cfg.Blocks)
	for i := range a.cfg.Blocks {
		b := &a.cfg.Blocks[i]
		if b.Accounts == nil {
			b.Accounts = account.Any{}
		}
		for _, d := range b.Domains {
			d = FoldDomain(d)
			if a.domains[d] != nil {
				return nil, errors.New("domain " + d + " is in two blocks")
			}
			a.domains[d] = b
		}
	}
	if len(a.domains) == 0 {
		return nil, errors.New("no domain to deliver for")
	}
	return a, nil
}

// Sender takes mail from everybody, the null reverse-path included: the MTA has decided already.
func (a *Agent) Sender(ctx context.Context, env *smtp.Envelope) smtp.Reply {
	if a.cfg.Room != nil {
		if err := a.cfg.Room(ctx, env.Size); err != nil {
			a.cfg.Log.WarnContext(ctx, "no room to receive a message", "id", env.ID, "session", env.Session, "cause", err)
			return replyFor(err)
		}
	}
	return smtp.Reply{Code: 250, Status: smtp.StatusAddress, Text: "Sender OK"}
}

// Recipient says whether the recipient's mailbox would take the message now, as far as that can be told, and reserves
// what it needs of a quota.
func (a *Agent) Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	targets, err := a.admit(ctx, query{env: env}, to)
	r := admitted(err).For(to.To)
	if err != nil && env.ID != "" { // else it was asked about without a message
		a.log(ctx, env, outcome{to: to, targets: targets, reply: r, cause: err})
	}
	return r
}

func admitted(err error) smtp.Reply {
	if err == nil {
		return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient OK"}
	}
	return replyFor(err)
}

// admit decides what Recipient answers. A recipient that is several mailboxes is taken if one of
// them takes the message.
func (a *Agent) admit(ctx context.Context, q query, to smtp.Recipient) ([]target, error) {
	ctx, cancel := context.WithTimeout(ctx, a.cfg.Lookup)
	defer cancel()
	targets := a.certainly(ctx, q, to.To)
	if !a.ledger.admits(q.env, len(targets)) {
		return nil, errTooManyTargets
	}
	var refused error
	taken := false
	for i := range targets {
		err := a.check(ctx, q.env, &targets[i])
		q.ex.check(&targets[i], err)
		taken = taken || err == nil
		refused = worse(refused, err)
	}
	if taken {
		return targets, nil
	}
	return targets, refused
}

// check asks for room for the message in one mailbox, and reserves it.
func (a *Agent) check(ctx context.Context, env *smtp.Envelope, t *target) error {
	if t.err != nil || t.isRemote() {
		return t.err
	}
	if !t.counts() {
		t.mailbox.Quota = store.Quota{}
		return t.block.Store.Check(ctx, t.mailbox, store.Usage{Messages: 1, Octets: env.Size})
	}
	return a.ledger.reserve(ctx, env, t, env.Size)
}

// Abandon gives back what was reserved.
func (a *Agent) Abandon(env *smtp.Envelope) { a.ledger.release(env) }
