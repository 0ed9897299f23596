package relay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"time"

	"lmtpd/delivery/spool"
)

// Errors of New and Attempt.
var (
	ErrNoServer = errors.New("a route without a server")
	ErrNoRoute  = errors.New("no such route")
)

// A Config says where mail goes.
type Config struct {
	Routes []Route // the first that takes a sender and a recipient is theirs
	// Fold returns the one form of a domain by which it is compared.
	Fold  func(domain string) string
	Hello string // what this host calls itself: a domain or an address literal
	// Dial connects to a server; nil: with package net.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	Now  func() time.Time
	Log  *slog.Logger
}

// A Relay takes messages to smarthosts. It is a spool.Transport, and is used by many goroutines at once.
type Relay struct {
	routes []*route
	fold   func(string) string
}

var _ spool.Transport = (*Relay)(nil)

// A route is a Route with what is known about its servers.
type route struct {
	Route
	destination string // its name; no other has it
	servers     []*server
}

// New returns a relay. It connects to nobody.
func New(cfg Config) (*Relay, error) {
	r := &Relay{fold: cfg.Fold}
	for _, settings := range cfg.Routes {
		name := settings.name()
		if len(settings.Servers) == 0 || settings.Connections < 1 {
			return nil, fmt.Errorf("%w, or a connection to it: %q", ErrNoServer, name)
		}
		one := &route{Route: settings, destination: unique(name, r.routes)}
		for _, a := range settings.Servers {
			one.servers = append(one.servers, newServer(&cfg, &settings, a))
		}
		r.routes = append(r.routes, one)
	}
	return r, nil
}

// Attempt hands a message to the first server of a route that can be used. An error says that none of them can; once somebody has
// an outcome, it is told in those of the others.
func (r *Relay) Attempt(ctx context.Context, destination string, m *spool.Message) ([]spool.Outcome, error) {
	i := slices.IndexFunc(r.routes, func(route *route) bool { return route.destination == destination })
	if i < 0 {
		return nil, fmt.Errorf("%w: %q", ErrNoRoute, destination)
	}
	a := newAttempt(m)
	for len(a.waiting) > 0 {
		if err := r.routes[i].carry(ctx, a); err != nil {
			if !a.begun() {
				return nil, err
			}
			a.settle(spool.Outcome{Fate: spool.Deferred, Cause: err}, everybody)
		}
	}
	return a.outcomes, nil
}

// carry lets the first server that can be used take some or all of the waiting.
func (r *route) carry(ctx context.Context, a *attempt) (troubles error) {
	for _, s := range r.inOrder() {
		err := s.carry(ctx, a)
		switch {
		case err == nil:
			return nil
		case troubles == nil:
			troubles = err
		default:
			troubles = fmt.Errorf("%w; %w", troubles, err)
		}
		if ctx.Err() != nil {
			break
		}
	}
	return troubles
}

// inOrder returns the servers in the order in which they are tried: those that could not be used lately come last.
func (r *route) inOrder() []*server {
	return slices.SortedStableFunc(slices.Values(r.servers), func(a, b *server) int {
		return cmp.Compare(a.troubled(), b.troubled())
	})
}

// Close says goodbye to all servers. Nothing may be attempted after that.
func (r *Relay) Close() error {
	for _, route := range r.routes {
		for _, s := range route.servers {
			s.pool.Close()
		}
	}
	return nil
}
