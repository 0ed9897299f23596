package auth

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// Guard puts a Throttle before an Authenticator, and logs one line for each exchange that has ended: of level Warn with the
// message "authentication failed" if it has failed, which is what programs such as fail2ban look for. No line has more of the
// client's words than its name.
func Guard(a Authenticator, t *Throttle, log *slog.Logger) Authenticator {
	return &guarded{Authenticator: a, throttle: t, log: log}
}

type guarded struct {
	Authenticator
	throttle *Throttle
	log      *slog.Logger
}

func (g *guarded) Begin(mechanism string, ch Channel) Exchange {
	return &watched{guarded: g, Exchange: g.Authenticator.Begin(mechanism, ch), mechanism: mechanism, channel: ch}
}

// watched is an exchange that is guarded.
type watched struct {
	*guarded
	Exchange
	mechanism string
	channel   Channel
}

// Next has the exchange take one response. An attempt is counted as one only while a response is being judged: how long a
// client takes in between is its own affair.
func (w *watched) Next(ctx context.Context, response []byte) (challenge []byte, account string, err error) {
	if err := w.throttle.Begin(w.channel.Peer); err != nil {
		w.tell(ctx, slog.LevelWarn, "authentication refused", err)
		return nil, "", err
	}
	decided := false
	defer func() {
		if !decided { // a panic, or nothing yet
			w.throttle.Withdraw(w.channel.Peer)
		}
	}()
	challenge, account, err = w.Exchange.Next(ctx, response)
	switch {
	case errors.Is(err, ErrCredentials):
		decided = true
		delay := w.throttle.Fail(w.channel.Peer, w.Claimed())
		w.tell(ctx, slog.LevelWarn, "authentication failed", err)
		wait(ctx, delay)
	case err != nil:
		w.tell(ctx, slog.LevelError, "authentication could not be decided", err)
	case account != "":
		decided = true
		if err := w.throttle.Succeed(w.channel.Peer, w.Claimed(), account); err != nil {
			w.tell(ctx, slog.LevelWarn, "authentication refused", err)
			return nil, "", err
		}
		w.tell(ctx, slog.LevelInfo, "authenticated", nil, slog.String("account", account))
	}
	return challenge, account, err
}

// tell logs what has become of an exchange.
func (w *watched) tell(ctx context.Context, level slog.Level, msg string, cause error, more ...slog.Attr) {
	peer := "unix"
	if w.channel.Peer.IsValid() {
		peer = w.channel.Peer.String()
	}
	attrs := append([]slog.Attr{
		slog.String("session", w.channel.Session),
		slog.String("user", w.Claimed()),
		slog.String("peer", peer),
		slog.String("mechanism", w.mechanism),
	}, more...)
	if cause != nil {
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	w.log.LogAttrs(ctx, level, msg, attrs...)
}

// wait waits, unless ctx ends before.
func wait(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}
