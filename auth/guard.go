package auth

import (
	"context"
	"errors"
	"log/slog"
)

// Guard puts a Throttle before an Authenticator, and logs one line for each exchange that has come to an end: of level Warn with
// the message "authentication failed" if it has failed, which is what programs such as fail2ban look for. In it the peer comes
// before the name, which is the peer's own word. No line has more of the client's words than its name.
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
	over      error // it has failed, which was logged
}

// A Parting exchange may have failed and go on, because its mechanism has the client be told why. It counts at once: a client may
// leave without a word.
type Parting interface {
	Exchange

	// Refused is why it has failed; nil: it has not, as far as is known.
	Refused() error
}

// Next has the exchange take one response. How long a client takes in between is its own affair.
func (w *watched) Next(ctx context.Context, response []byte) (challenge []byte, account string, err error) {
	if w.over != nil {
		return nil, "", w.over
	}
	if err := w.throttle.Admit(w.channel.Peer, w.Claimed()); err != nil {
		return w.refuse(ctx, err)
	}
	challenge, account, err = w.Exchange.Next(ctx, response)
	failed := err
	if p, ok := w.Exchange.(Parting); ok && failed == nil {
		failed = p.Refused()
	}
	switch {
	case errors.Is(failed, ErrCredentials):
		return w.fail(ctx, challenge, failed, err)
	case err != nil:
		w.tell(ctx, slog.LevelError, "authentication could not be decided", err)
		return nil, "", err
	}
	return w.pass(ctx, challenge, account)
}

// fail counts and logs a failure, and lets it be told when its time has come.
func (w *watched) fail(ctx context.Context, challenge []byte, failed, err error) ([]byte, string, error) {
	hold, banned := w.throttle.Fail(w.channel.Peer, w.Claimed())
	if banned != nil {
		return w.refuse(ctx, banned)
	}
	w.over = failed
	w.tell(ctx, slog.LevelWarn, "authentication failed", failed)
	_ = w.throttle.hold(ctx, hold) // it has failed, whether it is told or not
	return challenge, "", err
}

// pass lets a challenge or a success be told, when the failures before it have been.
func (w *watched) pass(ctx context.Context, challenge []byte, account string) ([]byte, string, error) {
	hold, banned := w.throttle.Pass(w.channel.Peer, w.Claimed())
	if banned != nil {
		return w.refuse(ctx, banned)
	}
	if err := w.throttle.hold(ctx, hold); err != nil {
		w.tell(ctx, slog.LevelError, "authentication could not be decided", err)
		return nil, "", err
	}
	if account != "" {
		w.throttle.Succeed(w.channel.Peer, w.Claimed())
		w.tell(ctx, slog.LevelInfo, "authenticated", nil, slog.String("account", account))
	}
	return challenge, account, nil
}

func (w *watched) refuse(ctx context.Context, banned error) ([]byte, string, error) {
	w.over = banned
	w.tell(ctx, slog.LevelWarn, "authentication refused", banned)
	return nil, "", banned
}

// tell logs what has become of an exchange.
func (w *watched) tell(ctx context.Context, level slog.Level, msg string, cause error, more ...slog.Attr) {
	peer := "unix"
	if w.channel.Peer.IsValid() {
		peer = w.channel.Peer.String()
	}
	attrs := append([]slog.Attr{
		slog.String("session", w.channel.Session),
		slog.String("peer", peer),
		slog.String("mechanism", w.mechanism),
		slog.String("user", w.Claimed()),
	}, more...)
	if cause != nil {
		attrs = append(attrs, slog.String("cause", cause.Error()))
	}
	w.log.LogAttrs(ctx, level, msg, attrs...)
}
