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
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"
	"unicode"

	"lmtpd/auth/account"
	"lmtpd/protocol/smtp"
	"lmtpd/store"
)

// Config is what an Agent needs. All fields but Memory and MaxHops are needed.
type Config struct {
	Hostname string  // in Received
	Blocks   []Block // a domain belongs to one of them
	TempDir  string  // for content that is not kept in memory; it must be there
	Memory   int64   // octets of content kept in memory, of all messages together; 0: 64 MiB
	MaxHops  int     // Received fields in a message that came in a circle; 0: 50
	Now      func() time.Time
	Log      *slog.Logger
}

// A Block is a set of domains whose accounts are looked up in one place and whose mailboxes are in one store.
type Block struct {
	Domains  []string       // a recipient without a domain belongs to the first domain of the first block
	Accounts account.Source // nil: every local-part has an account
	Store    store.Store
}

// An Agent is a session.Handler that delivers. Its methods may be called from many goroutines.
type Agent struct {
	cfg     Config
	domains map[string]*Block
	memory  *memory
}

// New returns an Agent.
func New(cfg Config) (*Agent, error) {
	if cfg.Memory == 0 {
		cfg.Memory = 64 << 20
	}
	if cfg.MaxHops == 0 {
		cfg.MaxHops = 50
	}
	a := &Agent{cfg: cfg, domains: make(map[string]*Block), memory: newMemory(cfg.Memory, cfg.TempDir)}
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
func (a *Agent) Sender(context.Context, *smtp.Envelope) smtp.Reply {
	return smtp.Reply{Code: 250, Status: smtp.StatusAddress, Text: "Sender OK"}
}

// Recipient says whether the recipient's mailbox would take the message now, as far as that can be told.
func (a *Agent) Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	rt, err := a.route(ctx, to.To)
	if err == nil {
		err = rt.store.Check(ctx, store.Mailbox{Name: rt.mailbox}, store.Usage{Messages: 1, Octets: env.Size})
	}
	if err == nil {
		return smtp.Reply{Code: 250, Status: smtp.StatusValidRecipient, Text: "Recipient OK"}.For(to.To)
	}
	r := replyFor(err).For(to.To)
	if env.ID != "" { // else it was asked about without a message
		a.log(ctx, env, outcome{to: to, mailbox: rt.mailbox, reply: r, cause: err})
	}
	return r
}

// Abandon has nothing to give back: nothing is reserved before the content is there.
func (a *Agent) Abandon(*smtp.Envelope) {}

// A route says where a recipient's mail goes.
type route struct {
	store   store.Store
	mailbox string
}

// What routing finds out, beside store.ErrNoMailbox.
var (
	errNotLocal = errors.New("domain is not local")
	errDisabled = errors.New("account takes no mail")
)

// route finds a recipient's mailbox. That there is no such account is an answer; that the accounts could not be
// looked at is not.
func (a *Agent) route(ctx context.Context, to smtp.Path) (route, error) {
	name, err := MailboxName(to, a.cfg.Blocks[0].Domains[0])
	if err != nil {
		return route{}, err
	}
	b := a.domains[name[strings.LastIndexByte(name, '@')+1:]]
	if b == nil {
		return route{}, errNotLocal
	}
	rt := route{store: b.Store, mailbox: name}
	switch acct, err := b.Accounts.Lookup(ctx, name); {
	case errors.Is(err, account.ErrNotFound):
		return rt, store.ErrNoMailbox
	case err != nil:
		return rt, fmt.Errorf("look up account: %w", err)
	case acct.Disabled.Delivery:
		return rt, errDisabled
	}
	return rt, nil
}

// MailboxName returns the name by which stores know the mailbox of a recipient: its address with local-part and
// domain in lower case, as other delivery agents fold them (RFC 5321 §2.4 leaves the local-part to us). A
// recipient without a domain, which can only be postmaster, is at home in domain.
func MailboxName(to smtp.Path, domain string) (string, error) {
	if to.Domain != "" {
		domain = to.Domain
	}
	if to.Local == "" {
		return "", store.ErrNoMailbox
	}
	return strings.Map(foldRune, to.Local) + "@" + FoldDomain(domain), nil
}

// foldRune puts a letter in lower case, but none of other scripts into ASCII: the Kelvin sign is no k, and a mailbox
// of that name is not its neighbour's.
func foldRune(r rune) rune {
	if l := unicode.ToLower(r); r < unicode.MaxASCII || l > unicode.MaxASCII {
		return l
	}
	return r
}
