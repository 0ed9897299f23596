// Package submission is the policy of a message submission agent (RFC 6409), put before whoever takes the mail: who may submit,
// under which addresses, and how much; and what is mended of a message on its way in.
//
// Who submits has authenticated, or is among those that need not (RFC 6409 §4.3). The reverse-path, and each mailbox in From and Sender,
// must be his own, as Owners has it. Bcc is taken out (RFC 5322 §3.6.3), Date and Message-ID are put in where there is none
// (RFC 6409 §8.2, §8.3); nothing else of the content is changed, an address without a domain neither. Malformed content is
// taken as it comes.
//
// The limits are on messages and recipients that were taken, in the last hour and the last day, and start anew with the daemon.
package submission

import (
	"context"
	"io"
	"log/slog"
	"time"

	"lmtpd/protocol/smtp"
)

// An Agent is who takes the mail: a session.Handler.
type Agent interface {
	Sender(ctx context.Context, env *smtp.Envelope) smtp.Reply
	Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply
	Deliver(ctx context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply
	Abandon(env *smtp.Envelope)
}

// Owners tells whose an address is. Its method may be called from many goroutines.
type Owners interface {
	// Owns says whether an account may send under an address, which has no domain if that is how it was written. An error
	// says that it could not be told.
	Owns(ctx context.Context, account string, address smtp.Path) (bool, error)
}

// Check says whether an address of a kind must be the client's own.
type Check int

const (
	Own Check = iota // it must
	Any              // it need not
)

// Config is what a Handler needs.
type Config struct {
	Agent    Agent
	Owners   Owners
	Sender   Check // of the reverse-path
	From     Check // of the mailboxes in From and in Sender
	Limits   Limits
	Hostname string // in Message-ID
	Now      func() time.Time
	Log      *slog.Logger
}

// A Handler is a session.Handler. Its methods may be called from many goroutines.
type Handler struct {
	cfg   Config
	meter *meter
}

// New returns a Handler.
func New(cfg Config) *Handler { return &Handler{cfg, newMeter(cfg.Limits, cfg.Now)} }

// The replies of the policy.
var (
	authRequired   = smtp.Reply{Code: 530, Status: smtp.StatusSecurity, Text: "Authentication required"}
	notYours       = smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "Not an address of yours"}
	notYoursFrom   = smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "From is not an address of yours"}
	notYoursSender = smtp.Reply{Code: 550, Status: smtp.StatusNotAuthorized, Text: "Sender is not an address of yours"}
	cannotTell     = smtp.Reply{Code: 451, Status: smtp.StatusSystem, Text: "Temporary failure, try again later"}
	tooMuch        = smtp.Reply{Code: 450, Status: smtp.StatusNotAuthorized, Text: "Sending limit reached, try again later"}
)

// Sender answers MAIL. The null reverse-path is nobody's and everybody's: notifications have it (RFC 5321 §4.5.5).
func (h *Handler) Sender(ctx context.Context, env *smtp.Envelope) smtp.Reply {
	if env.Account == "" && !env.Submitter {
		return authRequired
	}
	if h.cfg.Sender == Own && env.Account != "" && !env.From.IsNull() {
		if r := h.owned(ctx, env, env.From, notYours); !r.IsZero() {
			return r
		}
	}
	if limit := h.meter.reached(client(env), 1, 0); limit != "" {
		return h.limited(ctx, env, limit)
	}
	return h.cfg.Agent.Sender(ctx, env)
}

// owned returns a refusal if an address is not the client's, else the zero Reply.
func (h *Handler) owned(ctx context.Context, env *smtp.Envelope, address smtp.Path, refusal smtp.Reply) smtp.Reply {
	owns, err := h.cfg.Owners.Owns(ctx, env.Account, address)
	if owns && err == nil {
		return smtp.Reply{}
	}
	log := h.cfg.Log.With("id", env.ID, "session", env.Session, "account", env.Account, "address", address.String())
	if err != nil {
		log.WarnContext(ctx, "cannot tell whose an address is", "cause", err)
		return cannotTell
	}
	log.WarnContext(ctx, "submission refused: not the account's address")
	return refusal
}

// Recipient answers RCPT.
func (h *Handler) Recipient(ctx context.Context, env *smtp.Envelope, to smtp.Recipient) smtp.Reply {
	if env.Account == "" && !env.Submitter { // VRFY
		return authRequired
	}
	if limit := h.meter.reached(client(env), 1, len(env.Recipients)+1); limit != "" {
		return h.limited(ctx, env, limit).For(to.To)
	}
	return h.cfg.Agent.Recipient(ctx, env, to)
}

func (h *Handler) limited(ctx context.Context, env *smtp.Envelope, limit string) smtp.Reply {
	h.cfg.Log.WarnContext(ctx, "submission limit reached", "id", env.ID, "session", env.Session, "account", client(env), "limit", limit)
	return tooMuch
}

// Deliver has the agent take the content, as it is mended on the way.
func (h *Handler) Deliver(ctx context.Context, env *smtp.Envelope, content io.Reader) []smtp.Reply {
	who, count := client(env), len(env.Recipients)
	if limit := h.meter.take(who, count); limit != "" { // others have sent meanwhile
		h.cfg.Agent.Abandon(env)
		return each(env, h.limited(ctx, env, limit))
	}
	less := amount{1, count} // all of it, if the agent panics
	defer func() { h.meter.giveBack(who, less) }()
	e := h.mended(ctx, env, content)
	replies := h.cfg.Agent.Deliver(ctx, env, e)
	if !e.refusal.IsZero() && len(replies) > 0 {
		replies = each(env, e.refusal)
	}
	if n := taken(env, replies); n > 0 {
		less = amount{0, count - n}
	}
	return replies
}

// mended is the content with its header mended.
func (h *Handler) mended(ctx context.Context, env *smtp.Envelope, content io.Reader) *editor {
	e := &editor{src: content, missing: []addition{
		{"date", "Date: " + h.cfg.Now().Format(time.RFC1123Z) + "\r\n"},
		{"message-id", "Message-ID: <" + env.ID + "@" + h.cfg.Hostname + ">\r\n"},
	}}
	if h.cfg.From == Own && env.Account != "" {
		e.authors = &authors{check: func(address smtp.Path, refusal smtp.Reply) smtp.Reply { return h.owned(ctx, env, address, refusal) }}
	}
	return e
}

// Abandon says that there will be no message.
func (h *Handler) Abandon(env *smtp.Envelope) { h.cfg.Agent.Abandon(env) }

// client is whom limits are for: the account, or where who has none connects from.
func client(env *smtp.Envelope) string {
	if env.Account != "" {
		return env.Account
	}
	if a := env.Peer.Addr.Addr().Unmap(); a.IsValid() {
		return "[" + a.String() + "]"
	}
	return "[unix]"
}

// each is a reply about the message as each recipient hears it.
func each(env *smtp.Envelope, r smtp.Reply) []smtp.Reply {
	replies := make([]smtp.Reply, len(env.Recipients))
	for i, to := range env.Recipients {
		replies[i] = r
		if env.Answers == smtp.OneEach {
			replies[i] = r.For(to.To)
		}
	}
	return replies
}

// taken is how many of the recipients have the message. With one reply for all, that is all of them or none.
func taken(env *smtp.Envelope, replies []smtp.Reply) (n int) {
	for _, r := range replies {
		if r.Positive() {
			n++
		}
	}
	if env.Answers == smtp.OneForAll && n < len(env.Recipients) {
		return 0
	}
	return n
}
