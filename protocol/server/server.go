// Package server runs sessions on connections: it listens, reads, writes, keeps deadlines and limits, does TLS
// handshakes, and shuts down. What is said is protocol/session's; what becomes of the mail is its Handler's.
//
// Each connection has one goroutine, and one place where a panic stops. Replies to pipelined commands leave in
// one write (RFC 2920 §3.1), because they are only written when nothing that was read ahead is left. Timeouts
// are those of RFC 5321 §4.5.3.2; a TLS handshake has 30 s, as does a PROXY header. A connection that waits costs about 16 KB.
package server

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"lmtpd/protocol/session"
)

// ErrServerClosed is returned by Serve after Shutdown.
var ErrServerClosed = errors.New("server closed")

// LevelTrace is the log level of whole dialogues, below debug. Secrets are masked, content is counted.
const LevelTrace = slog.LevelDebug - 4

// Config is what all endpoints of a server share.
type Config struct {
	Handler        session.Handler
	MaxConns       int           // connections at each listener, so that clients of one cannot lock out those of another; 0: 1000
	MaxConnsPeer   int           // connections of one IP address, or IPv6 /64; 0: 100. Unix sockets have none
	CommandTimeout time.Duration // for a whole command line; 0: 5 min (RFC 5321 §4.5.3.2.7)
	ContentTimeout time.Duration // for each block of content; 0: 3 min (RFC 5321 §4.5.3.2.5)
	NewID          func() string // names sessions
	Log            *slog.Logger
}

// An Endpoint is what is said on a listener, and to whom.
type Endpoint struct {
	Session session.Config
	Handler session.Handler // nil: the server's
	TLS     *tls.Config     // nil: none. Of a certificate.Store, for channel bindings of type tls-server-end-point
	Start   TLSStart
	Proxy   ProxyHeader
	Trusted func(peer netip.Addr) bool // whose XFORWARD, XCLIENT and PROXY are believed; the zero Addr is a unix socket. nil: nobody's
	Allowed func(uid uint32) bool      // who may connect to a unix socket; nil: everybody

	// Who a peer is without a password, for SASL EXTERNAL; nil: nobody.
	OfCertificate func(verified *x509.Certificate) []string
	OfUID         func(uid uint32) []string // at the other end of a unix socket
}

// TLSStart says when TLS begins, if there is any.
type TLSStart int

const (
	StartTLS    TLSStart = iota // when the client asks for it (RFC 3207)
	ImplicitTLS                 // at once (RFC 8314 §3)
)

// ProxyHeader says whether connections of those who are trusted begin with who they are made for.
type ProxyHeader int

const (
	NoProxyHeader ProxyHeader = iota
	ProxyProtocol             // of HAProxy, version 1 or 2
)

// A Server serves connections. Its methods may be called from several goroutines.
type Server struct {
	cfg    Config
	ctx    context.Context // ends when Shutdown has waited long enough
	cancel context.CancelFunc

	closing atomic.Bool // set before the connections that wait are woken

	mu        sync.Mutex
	listeners map[net.Listener]struct{}
	conns     map[*conn]struct{}
	at        map[*Endpoint]int
	peers     map[netip.Prefix]int
	idle      sync.Cond // signalled when a connection ends
}

// New returns a server.
func New(cfg Config) *Server {
	cfg.MaxConns = orDefault(cfg.MaxConns, 1000)
	cfg.MaxConnsPeer = orDefault(cfg.MaxConnsPeer, 100)
	cfg.CommandTimeout = orDefault(cfg.CommandTimeout, 5*time.Minute)
	cfg.ContentTimeout = orDefault(cfg.ContentTimeout, 3*time.Minute)
	s := &Server{
		cfg:       cfg,
		listeners: make(map[net.Listener]struct{}),
		conns:     make(map[*conn]struct{}),
		at:        make(map[*Endpoint]int),
		peers:     make(map[netip.Prefix]int),
	}
	s.idle.L = &s.mu
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
}

func orDefault[T comparable](v, d T) T {
	var zero T
	if v == zero {
		return d
	}
	return v
}

// Serve accepts connections on l until Shutdown, and then returns ErrServerClosed. It closes l.
func (s *Server) Serve(l net.Listener, ep Endpoint) error {
	if !s.listen(l) {
		l.Close()
		return ErrServerClosed
	}
	defer s.unlisten(l)
	for pause := time.Duration(0); ; {
		nc, err := l.Accept()
		if err == nil {
			pause = 0
			s.admit(nc, &ep)
			continue
		}
		if s.closing.Load() {
			return ErrServerClosed
		}
		if errors.Is(err, net.ErrClosed) {
			return err
		}
		// Out of file descriptors as a rule: those who hang up give some back.
		pause = min(max(2*pause, 5*time.Millisecond), time.Second)
		s.cfg.Log.Error("cannot accept", "listener", l.Addr().String(), "cause", err)
		select {
		case <-time.After(pause):
		case <-s.ctx.Done():
		}
	}
}

func (s *Server) listen(l net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing.Load() {
		return false
	}
	s.listeners[l] = struct{}{}
	return true
}

func (s *Server) unlisten(l net.Listener) {
	l.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, l)
}

// Conns says how many connections there are.
func (s *Server) Conns() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Shutdown closes the listeners and tells sessions that wait for a command 421 4.3.2; those inside a message
// finish it first. When ctx ends the rest is hung up on, and Shutdown returns the context's error: at once when they
// have ended, and after a second at the latest, for a Handler may hang in a disk that does not answer.
func (s *Server) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	s.closing.Store(true)
	for l := range s.listeners {
		l.Close()
	}
	for c := range s.conns {
		c.wake()
	}
	s.mu.Unlock()

	defer s.cancel()
	ended := make(chan struct{})
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		for len(s.conns) > 0 {
			s.idle.Wait()
		}
		close(ended)
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
	}
	s.hangUp()
	select {
	case <-ended:
	case <-time.After(hangUpTime):
	}
	return ctx.Err()
}

// hangUpTime is how long those that were hung up on have to end.
const hangUpTime = time.Second

// hangUp ends what does not end by itself.
func (s *Server) hangUp() {
	s.cancel()
	s.mu.Lock()
	defer s.mu.Unlock()
	for c := range s.conns {
		c.close()
	}
}
