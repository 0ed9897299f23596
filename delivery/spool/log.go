package spool

import (
	"context"
	"fmt"
	"log/slog"
	"time"
)

// logResult writes one line for each recipient of an attempt. Of what has been delivered here the delivery agent has written one.
func (s *Spool) logResult(r result) {
	for i := range r.recipients {
		o := Outcome{Cause: r.unusable}
		if r.unusable == nil {
			o = r.outcomes[i]
		}
		level := slog.LevelInfo
		switch {
		case o.stays():
			level = slog.LevelWarn
		case o.Server == "" && o.Fate == Delivered:
			level = slog.LevelDebug
		}
		if ctx := context.Background(); s.cfg.Log.Enabled(ctx, level) {
			s.cfg.Log.LogAttrs(ctx, level, "attempt", r.attrs(i, &o)...)
		}
	}
}

func (r *result) attrs(i int, o *Outcome) []slog.Attr {
	m := r.message
	attrs := append(make([]slog.Attr, 0, 16),
		slog.String("id", m.ID),
		slog.String("from", "<"+m.From.String()+">"),
		slog.String("to", "<"+m.Recipients[i].To.String()+">"),
		slog.String("destination", r.destination),
		slog.Int64("size", m.Content.Size()),
		slog.Float64("delay", seconds(r.ended.Sub(m.Arrived))),
		slog.String("delays", fmt.Sprint(seconds(r.begun.Sub(m.Arrived)), "/", seconds(r.ended.Sub(r.begun)))), // before the attempt, and in it
		slog.Int("attempt", r.attempts+1),
		slog.String("dsn", o.Reply.Enhanced()),
		slog.String("status", o.Fate.String()),
	)
	if m.Account != "" {
		attrs = append(attrs, slog.String("account", m.Account))
	}
	if o.Server != "" {
		attrs = append(attrs, slog.String("server", o.Server))
	}
	if !o.Reply.IsZero() {
		attrs = append(attrs, slog.String("reply", o.Reply.String()))
	}
	if o.Fate == Unknown {
		attrs = append(attrs, slog.Bool("twice", true)) // it may be there, and come again
	}
	if o.Cause != nil {
		attrs = append(attrs, slog.String("cause", o.Cause.Error()))
	}
	return attrs
}

// String is the status of a log line.
func (f Fate) String() string {
	switch f {
	case Delivered:
		return "delivered"
	case Relayed, PassedOn:
		return "relayed"
	case Expanded:
		return "expanded"
	case Bounced:
		return "bounced"
	}
	return "deferred"
}

func seconds(d time.Duration) float64 { return d.Round(100 * time.Microsecond).Seconds() }
