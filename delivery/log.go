package delivery

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"lmtpd/protocol/smtp"
)

// log writes the one line that there is for each recipient of a message.
func (a *Agent) log(ctx context.Context, env *smtp.Envelope, o outcome, more ...slog.Attr) {
	level, status := slog.LevelInfo, "delivered"
	switch {
	case o.reply.Transient():
		level, status = slog.LevelWarn, "deferred"
	case o.reply.Permanent():
		status = "bounced"
	case o.fate() == PassedOn:
		status = "queued"
	}
	if !a.cfg.Log.Enabled(ctx, level) {
		return
	}
	attrs := make([]slog.Attr, 0, 16)
	attrs = append(attrs,
		slog.String("id", env.ID),
		slog.String("session", env.Session),
		slog.String("from", "<"+env.From.String()+">"),
		slog.String("to", "<"+o.to.To.String()+">"),
		slog.String("mailbox", joined(o.targets, (*target).name)),
		slog.String("folder", joined(o.targets, func(t *target) string { return t.kept })),
	)
	attrs = append(attrs, more...)
	attrs = append(attrs, slog.String("dsn", o.reply.Enhanced()), slog.String("status", status))
	if o.queued != "" {
		attrs = append(attrs, slog.String("queued", o.queued))
	}
	if o.cause != nil {
		attrs = append(attrs, slog.String("cause", o.cause.Error()))
	}
	a.cfg.Log.LogAttrs(ctx, level, "delivery", append(attrs, originAttrs(env, o.to)...)...)
}

// name is that of the mailbox, or the address elsewhere.
func (t *target) name() string {
	if t.isRemote() {
		return t.address
	}
	return t.mailbox.Name
}

// maxLogged is how many mailboxes a line names.
const maxLogged = 10

// joined lists something of all targets, or of the first and how many more there are.
func joined(targets []target, what func(*target) string) string {
	if len(targets) == 1 {
		return what(&targets[0])
	}
	var list []string
	for i := range targets[:min(len(targets), maxLogged)] {
		list = append(list, what(&targets[i]))
	}
	if more := len(targets) - maxLogged; more > 0 {
		list = append(list, fmt.Sprintf("and %d more", more))
	}
	return strings.Join(list, ",")
}

// originAttrs tells what the client said about where the message came from.
func originAttrs(env *smtp.Envelope, to smtp.Recipient) []slog.Attr {
	var attrs []slog.Attr
	if env.Account != "" {
		attrs = append(attrs, slog.String("account", env.Account))
	}
	if env.EnvID != "" {
		attrs = append(attrs, slog.String("envid", env.EnvID))
	}
	if to.Notify != 0 {
		attrs = append(attrs, slog.String("notify", to.Notify.String()))
	}
	if !to.Original.IsZero() {
		attrs = append(attrs, slog.String("orcpt", to.Original.Type+";"+to.Original.Address))
	}
	if env.Origin.Addr.Addr().IsValid() {
		attrs = append(attrs, slog.String("client", env.Origin.Addr.Addr().String()))
	}
	if env.Origin.ID != "" {
		attrs = append(attrs, slog.String("client_id", env.Origin.ID))
	}
	return attrs
}

func (d *delivery) sizeAttr() slog.Attr {
	if !d.whole {
		return slog.Attr{}
	}
	return slog.Int64("size", d.octets)
}

// delayAttr is in seconds, as MTAs log it.
func delayAttr(d time.Duration) slog.Attr {
	return slog.Float64("delay", d.Round(100*time.Microsecond).Seconds())
}
