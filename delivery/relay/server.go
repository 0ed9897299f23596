package relay

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"lmtpd/delivery/spool"
	"lmtpd/protocol/client"
)

// troubleRest is for how long a server that could not be used is tried after the others.
const troubleRest = time.Minute

// A server is one of a route's.
type server struct {
	address client.Address
	login   Login
	options client.Options
	pool    *client.Pool
	gate    *gate
	now     func() time.Time
	log     *slog.Logger

	offers atomic.Pointer[client.Extensions] // those of the last session; nil: there was none
	rests  atomic.Int64                      // until when it comes after the others, as time.Time.UnixNano
}

// troubled is 1 if the server could not be used lately, else 0.
func (s *server) troubled() int {
	if s.now().UnixNano() < s.rests.Load() {
		return 1
	}
	return 0
}

// newServer returns a server that nobody has connected to yet.
func newServer(cfg *Config, r *Route, a client.Address) *server {
	s := &server{
		address: a,
		login:   r.Login,
		options: client.Options{Hello: cfg.Hello, Security: r.Security, Dial: cfg.Dial},
		gate:    newGate(r.Connections),
		now:     cfg.Now,
		log:     cfg.Log,
	}
	if a.Network == "unix" {
		s.options.Security = client.Security{} // nobody listens on the way
	}
	s.pool = &client.Pool{Dial: s.dial}
	return s
}

// dial begins a session: whatever keeps it from that makes the server one that cannot be used.
func (s *server) dial(ctx context.Context) (*client.Conn, error) {
	c, err := client.Dial(ctx, s.address, s.options)
	if err != nil {
		return nil, &unusable{err}
	}
	if err := s.logIn(ctx, c); err != nil {
		c.Close()
		return nil, &unusable{err}
	}
	offers := c.Extensions()
	s.offers.Store(&offers)
	s.rests.Store(0)
	return c, nil
}

// offered returns what the server offered last; nil: not known.
func (s *server) offered() client.Extensions {
	if last := s.offers.Load(); last != nil {
		return *last
	}
	return nil
}

// carry hands over as many of the waiting as go into one transaction. An error says that the server cannot be used.
func (s *server) carry(ctx context.Context, a *attempt) error {
	if err := s.gate.enter(ctx); err != nil {
		return fmt.Errorf("wait for a connection: %w", err)
	}
	err := s.transact(ctx, a)
	if busy(err) && s.gate.rest() {
		return s.carry(ctx, a) // the place is kept; there are connections to wait for
	}
	s.gate.leave()
	if err != nil && ctx.Err() == nil {
		s.trouble(err)
	}
	return err
}

// transact does one transaction. What is not known of the server until there is a session is judged again then.
func (s *server) transact(ctx context.Context, a *attempt) error {
	for {
		offers := s.offers.Load()
		if err := a.judge(s.offered()); err != nil {
			a.settle(spool.Outcome{Fate: spool.Deferred, Cause: err}, everybody)
		}
		if len(a.waiting) == 0 {
			return nil
		}
		batch := a.batch(s.offered())
		results, name, err := s.pool.Send(ctx, a.message(batch, s.offered()))
		var bad *unusable
		switch {
		case errors.As(err, &bad):
			return bad
		case errors.Is(err, client.ErrNotOffered) && s.offers.Load() != offers:
			continue
		}
		if r := refusedLogin(results); !r.IsZero() {
			return &unusable{fmt.Errorf("%w: %w", ErrLogin, r)}
		}
		a.take(batch, results, func(r client.Result) spool.Outcome { return outcome(r, name, s.taken(), err) })
		return nil
	}
}

// taken is the fate of what the server has taken.
func (s *server) taken() spool.Fate {
	if s.offered().Has("DSN") {
		return spool.PassedOn
	}
	return spool.Relayed
}

// trouble lets the server rest, and tells the log why. That nobody is let in does not mend itself.
func (s *server) trouble(err error) {
	s.rests.Store(s.now().Add(troubleRest).UnixNano())
	level := slog.LevelWarn
	if errors.Is(err, ErrLogin) {
		level = slog.LevelError
	}
	s.log.Log(context.Background(), level, "relay: server cannot be used", "server", s.address.String(), "cause", err)
}
