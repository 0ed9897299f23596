package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"lmtpd/auth"
	"lmtpd/auth/account"
	"lmtpd/delivery"
	"lmtpd/delivery/pickup"
	"lmtpd/delivery/submission"
	"lmtpd/protocol/server"
	"lmtpd/protocol/server/certificate"
	"lmtpd/protocol/session"
	"lmtpd/store"
)

// sweepEvery is how often what crashes have left is removed.
const sweepEvery = 24 * time.Hour

// A daemon is everything that serve runs, wired.
type daemon struct {
	cfg       *Config
	log       *slog.Logger
	server    *server.Server
	session   session.Config
	listeners []net.Listener // of cfg.Listen, by number
	stores    []store.Store  // of cfg.Mailboxes, by number
	sweepers  []store.Sweeper
	searchers []store.Searcher // whose indexes are kept up
	accounts  []account.Source // of all blocks
	close     func() error
	post      post

	certificates *certificate.Store // nil: no listener has TLS
	auth         auth.Authenticator // nil: no listener is for submission
	throttle     *auth.Throttle
	submission   *submission.Handler
	pickup       *pickup.Pickup // nil: nobody would take what it finds
}

// newDaemon opens everything, so that a mistake is told before a client is: listeners first, for they tell
// whether another daemon runs here.
func newDaemon(cfg *Config, log *slog.Logger) (*daemon, error) {
	d := &daemon{cfg: cfg, log: log}
	if err := d.listen(); err != nil {
		return nil, exitFor(err)
	}
	if err := d.open(); err != nil {
		d.unlisten()
		return nil, exitFor(err)
	}
	return d, nil
}

func (d *daemon) listen() error {
	for _, l := range d.cfg.Listen {
		nl, err := listenOn(l)
		if err != nil {
			d.unlisten()
			return err
		}
		d.listeners = append(d.listeners, nl)
	}
	return nil
}

func listenOn(l Listen) (net.Listener, error) {
	if l.Network == "unix" {
		return server.ListenUnix(l.Address, server.SocketOwner{Mode: l.Mode, UID: l.Owner, GID: l.Group})
	}
	nl, err := net.Listen("tcp", l.Address)
	if err != nil {
		return nil, fmt.Errorf("listen on %s: %w", l.Address, err)
	}
	return nl, nil
}

func (d *daemon) unlisten() {
	for _, l := range d.listeners {
		l.Close()
	}
}

// open opens the stores and builds the agent on them.
func (d *daemon) open() (err error) {
	if err := makeData(d.cfg.Data); err != nil {
		return fmt.Errorf("make the directory for data: %w", err)
	}
	// The stores first: they make the directories above them durably, and nothing in tmp needs that.
	if d.stores, d.close, err = openStores(d.cfg, d.log); err != nil {
		return err
	}
	tmp, err := openTemp(d.cfg.Data)
	if err != nil {
		return errors.Join(fmt.Errorf("make the directory for data: %w", err), d.close())
	}
	closeStores := d.close
	d.close = func() error { return errors.Join(closeStores(), tmp.Close()) }
	agent, err := d.agent(tmp)
	if err != nil {
		return errors.Join(err, d.close())
	}
	for _, open := range []func(*delivery.Agent) error{d.openPost, d.openSubmission, d.openPickup} {
		if err := open(agent); err != nil {
			return errors.Join(err, d.close())
		}
	}
	d.sweepers = append(d.sweepers, agent)
	for i, s := range d.stores {
		if sw, can := s.(store.Sweeper); can && slices.Index(d.stores, s) == i { // blocks may share a store
			d.sweepers = append(d.sweepers, sw)
		}
	}
	d.searchers = searchersOf(d.cfg.Mailboxes, d.stores)
	d.server = server.New(server.Config{
		Handler:        agent,
		MaxConns:       d.cfg.Limits.Connections,
		MaxConnsPeer:   d.cfg.Limits.ConnectionsPerPeer,
		CommandTimeout: d.cfg.Limits.CommandTimeout,
		ContentTimeout: d.cfg.Limits.ContentTimeout,
		NewID:          newID,
		Log:            d.log,
	})
	d.session = session.Config{
		Dialect:       session.LMTP(),
		Hostname:      d.cfg.Hostname,
		MaxSize:       d.cfg.Limits.MessageSize,
		MaxRecipients: d.cfg.Limits.Recipients,
		MaxErrors:     d.cfg.Limits.Errors,
		DSN:           d.cfg.DSN == DSNOn,
		NewID:         newID,
	}
	return nil
}

// openTemp opens the directory for content that is not kept in memory.
func openTemp(data string) (*os.File, error) {
	tmp := filepath.Join(data, "tmp")
	if err := os.MkdirAll(tmp, 0o700); err != nil {
		return nil, err
	}
	return os.Open(tmp)
}

func (d *daemon) agent(tmp *os.File) (*delivery.Agent, error) {
	blocks, err := d.cfg.blocks(d.stores, d.log)
	if err != nil {
		return nil, err
	}
	if err := checkAliases(d.cfg, aliasesOf(blocks)); err != nil {
		d.log.Warn("mail for some aliases will be deferred", "cause", err)
	}
	rewriter, err := openRewriter(d.cfg)
	if err != nil {
		return nil, err
	}
	space := store.NewSpace(d.cfg.Limits.MinFree, time.Now)
	closeStores := d.close
	d.close = func() error { return errors.Join(closeStores(), closeSources(sourcesOf(blocks))) }
	d.accounts = sourcesOf(blocks)
	return delivery.New(delivery.Config{
		Hostname: d.cfg.Hostname,
		Blocks:   blocks,
		TempDir:  tmp.Name(),
		Room:     func(ctx context.Context, size int64) error { return space.Check(ctx, int(tmp.Fd()), size) },
		Memory:   d.cfg.Limits.Memory,
		MaxHops:  d.cfg.Limits.Hops,
		Deadline: d.cfg.Limits.Deadline,
		Now:      time.Now,
		Log:      d.log,

		Authenticated: d.cfg.Submission.disclosure(),
		Queue:         &d.post,
		Rewriter:      rewriter,
		NewID:         newID,
	})
}

// run serves until ctx ends, and then lets messages in progress finish.
func (d *daemon) run(ctx context.Context) error {
	var running sync.WaitGroup
	failed := make(chan error, len(d.listeners)+1)
	for i, l := range d.listeners {
		running.Go(func() {
			if err := d.server.Serve(l, d.endpoint(d.cfg.Listen[i])); !errors.Is(err, server.ErrServerClosed) {
				failed <- err
			}
		})
	}
	stopPost := d.post.run(failed, d.cfg.Limits.Shutdown)
	sweeping, stopSweep := context.WithCancel(ctx)
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		d.upkeep(sweeping)
	}()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	stopSweep()
	d.shutDown()
	running.Wait()
	if !stopPost() {
		d.log.Error("attempts do not end") // nor would closing the spool
		return err
	}
	select {
	case <-swept:
	case <-time.After(time.Second):
		d.log.Error("the sweep does not end")
		return err
	}
	if n := d.server.Conns(); n > 0 {
		// Their deliveries hang in a disk that does not answer, and so would closing the stores.
		d.log.Error("sessions do not end", "connections", n)
		return err
	}
	return errors.Join(err, d.close())
}

// summary says in one line where the daemon listens and where mail goes.
func (d *daemon) summary() string {
	var parts []string
	for i, l := range d.cfg.Listen {
		parts = append(parts, l.name(d.listeners[i].Addr()))
	}
	text := "listening on " + strings.Join(parts, ", ")
	for _, m := range d.cfg.Mailboxes {
		text += fmt.Sprintf("; mail for %s goes to %s", strings.Join(m.Domains, ", "), m.Store)
	}
	return text
}

// name names a listener as the configuration does, with the port that it was given if that said 0.
func (l Listen) name(a net.Addr) string {
	if l.Network == "unix" {
		return l.Protocol + " unix:" + l.Address
	}
	return l.Protocol + " " + a.String()
}

// shutDown ends the sessions within the time there is. Those that are cut off are no error of ours: their
// clients have heard no reply and keep their mail.
func (d *daemon) shutDown() {
	ctx, cancel := context.WithTimeout(context.Background(), d.cfg.Limits.Shutdown)
	defer cancel()
	if d.throttle != nil {
		d.throttle.Stop()
	}
	d.log.Info("shutting down", "connections", d.server.Conns())
	if d.server.Shutdown(ctx) != nil {
		d.log.Warn("sessions were cut off", "after", d.cfg.Limits.Shutdown)
	}
}

// Contain says whether a peer may speak for others. The zero Addr is a unix socket.
func (p Clients) Contain(peer netip.Addr) bool {
	if !peer.IsValid() {
		return p.Unix
	}
	return slices.ContainsFunc(p.Nets, func(n netip.Prefix) bool { return n.Contains(peer) })
}

// sweep removes what crashes have left, at once and then daily.
func (d *daemon) sweep(ctx context.Context) {
	tick := time.NewTicker(sweepEvery)
	defer tick.Stop()
	for {
		for _, s := range d.sweepers {
			d.sweepOne(ctx, s)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (d *daemon) sweepOne(ctx context.Context, s store.Sweeper) {
	removed, err := s.Sweep(ctx)
	if removed > 0 {
		d.log.Info("swept", "files", removed)
	}
	if err != nil && ctx.Err() == nil {
		d.log.Warn("sweep", "cause", err)
	}
}
