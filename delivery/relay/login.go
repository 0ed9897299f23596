package relay

import (
	"context"
	"errors"
	"fmt"

	"lmtpd/auth"
	"lmtpd/protocol/client"
)

// Errors of logging in.
var (
	ErrLogin     = errors.New("cannot log in")
	ErrPlaintext = errors.New("others could listen to it")
)

// A Login is as whom this host authenticates. The zero Login is nobody.
type Login struct {
	Name      string // of the account, for Destination; Credentials have it too
	Mechanism string // "": the strongest that both know
	// Credentials is asked at each login, so that a password or token may change meanwhile; nil: there is no login.
	Credentials func() (auth.Credentials, error)
}

// logIn authenticates, if the server wants to know who this host is.
func (s *server) logIn(ctx context.Context, c *client.Conn) error {
	if s.login.Credentials == nil {
		return nil
	}
	credentials, err := s.login.Credentials()
	if err == nil {
		err = s.sayable(c, credentials)
	}
	if err == nil {
		err = c.Auth(ctx, s.login.Mechanism, credentials)
	}
	if err != nil {
		return fmt.Errorf("%w at %s: %w", ErrLogin, s.address, err)
	}
	return nil
}

// sayable returns an error if a mechanism that is asked for by name would tell the secret to those who listen, and TLS was asked
// for too, opportunistic as it is. Where neither is left to chance, the mechanism is used as it is told.
func (s *server) sayable(c *client.Conn, credentials auth.Credentials) error {
	if s.login.Mechanism == "" || c.Secured() || s.options.Security.Start == client.NoStartTLS {
		return nil
	}
	if len(auth.Choose([]string{s.login.Mechanism}, credentials, auth.Channel{Host: s.address.Host()})) == 0 {
		return fmt.Errorf("%w: %s", ErrPlaintext, s.login.Mechanism)
	}
	return nil
}
