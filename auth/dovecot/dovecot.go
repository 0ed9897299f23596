// Package dovecot has the authentication service of a Dovecot on the same host, or another one, say who a client is, so that
// there is no second database of passwords. It is a client of Dovecot's authentication protocol, version 1.2, which those of
// Dovecot 2.0 and later understand.
//
// The mechanisms (RFC 4422) are those that Dovecot has configured (auth_mechanisms). What is said in them passes through, of
// whatever mechanism it is; of it only the name that a client claims is looked at, for the log and the throttle. Dovecot is told
// the session, the client's address, whether the channel is secured, and the name of a client's certificate, so that its own
// checks (allow_nets, auth_ssl_require_client_cert, its penalty for guessing) have something to go by. The account is the name
// that Dovecot has made of the client's.
//
// What is not kept: mechanisms with channel binding (-PLUS), which are of a later version of the protocol; ANONYMOUS, and who
// logs in as Dovecot's anonymous user by another mechanism; accounts that Dovecot passes on to another host (proxy), since their
// passwords may not have been looked at here. Accounts that may not log in (nologin) do not.
//
// Dovecot needs a socket that this program may connect to:
//
//	service auth {
//	  unix_listener auth-client {
//	    mode = 0660
//	    group = lmtpd
//	  }
//	}
package dovecot

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"lmtpd/auth"
)

// Config is what a Client needs.
type Config struct {
	Network string        // "unix" or "tcp"; "": what the address looks like
	Address string        // the path of a socket, which may have "unix:" before it, or HOST:PORT
	Service string        // what Dovecot knows those who log in here by; "": smtp
	Timeout time.Duration // for one answer, which Dovecot is late with when it is a failure; 0: a minute
	Log     *slog.Logger  // of connections
}

const (
	defaultService = "smtp"
	defaultTimeout = time.Minute
)

// ErrClosed says that the Client was closed.
var ErrClosed = errors.New("the client of Dovecot's authentication service is closed")

// A Client is an auth.Authenticator. It keeps one connection, on which all exchanges take place at once. Its methods may be called
// from many goroutines.
type Client struct {
	cfg  Config
	dial func(context.Context) (net.Conn, error)
	stop context.CancelFunc
	done chan struct{} // closed when there will be no more connections

	mu         sync.Mutex
	conn       *conn         // nil: there is none now
	failed     error         // why there is none; nil: it has not been tried
	mechanisms []mechanism   // of the last one
	changed    chan struct{} // closed, and another one made, when conn or failed is another
}

// New returns a Client, after a first attempt to connect. That it failed is no error but logged, and Ready tells: others are
// made until Close. As long as none has succeeded, there are no mechanisms.
func New(cfg Config) (*Client, error) {
	network, address, err := where(cfg.Network, cfg.Address)
	if err != nil {
		return nil, err
	}
	cfg.Network, cfg.Address = network, address
	return start(cfg, func(ctx context.Context) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, address)
	}), nil
}

// where reads an address.
func where(network, address string) (string, string, error) {
	path, marked := strings.CutPrefix(address, "unix:")
	if network == "" && (marked || strings.Contains(address, "/")) {
		network = "unix"
	}
	if network == "unix" {
		if path == "" {
			return "", "", errors.New("the socket of Dovecot's authentication service has no path")
		}
		return network, path, nil
	}
	if network != "" && network != "tcp" {
		return "", "", fmt.Errorf("no authentication service of Dovecot's is asked over %q", network)
	}
	if _, port, err := net.SplitHostPort(address); err != nil || port == "" {
		return "", "", fmt.Errorf("%q is neither the path of a socket nor HOST:PORT", address)
	}
	return "tcp", address, nil
}

// start returns a Client that connects as dial does, after its first attempt.
func start(cfg Config, dial func(context.Context) (net.Conn, error)) *Client {
	if cfg.Service == "" {
		cfg.Service = defaultService
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	ctx, stop := context.WithCancel(context.Background())
	c := &Client{cfg: cfg, dial: dial, stop: stop, done: make(chan struct{}), changed: make(chan struct{})}
	first := c.changed
	go c.keep(ctx)
	<-first
	return c
}

// Close ends the connection. Exchanges that wait for an answer are of those of which it could not be told.
func (c *Client) Close() error {
	c.stop()
	<-c.done
	return nil
}

// Ready returns nil when there is a connection, for which it waits as an exchange does. The error says why there is none.
func (c *Client) Ready(ctx context.Context) error {
	_, err := c.connection(ctx)
	return err
}

// Mechanisms lists those that Dovecot offers and that can work on a channel, in the order that Dovecot has them in.
func (c *Client) Mechanisms(ch auth.Channel) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []string
	for _, m := range c.mechanisms {
		if m.works(ch) {
			list = append(list, m.name)
		}
	}
	return list
}

// Begin begins an exchange. That of a mechanism which is not offered on the channel fails.
func (c *Client) Begin(mechanism string, ch auth.Channel) auth.Exchange {
	e := &exchange{client: c, mechanism: mechanism, channel: ch}
	if !slices.Contains(c.Mechanisms(ch), mechanism) {
		e.over = failure("the mechanism is not offered")
	}
	return e
}

// failure is an error that wraps auth.ErrCredentials, with a cause for the log.
func failure(cause string) error { return fmt.Errorf("%w: %s", auth.ErrCredentials, cause) }
