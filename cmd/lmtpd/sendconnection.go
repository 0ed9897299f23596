package main

import (
	"context"
	"slices"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth"
	"lmtpd/protocol/client"
)

// connectionFlags say how one gets to a server. They are those of every command that is a client.
func connectionFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{Name: "tls", DefaultText: "starttls to log in, else opportunistic; none to this host", Usage: "`WHEN` to use TLS: none, opportunistic, starttls or implicit"},
		&cli.StringFlag{Name: "ca", DefaultText: "those of the system", Usage: "trust the certificates in `FILE`"},
		&cli.StringFlag{Name: "fingerprint", Usage: "trust the certificate with this SHA-256 fingerprint, `HEX`, and no other"},
		&cli.StringFlag{Name: "cert", Usage: "show the certificate in `FILE`"},
		&cli.StringFlag{Name: "key", DefaultText: "in that of --cert", Usage: "whose key is in `FILE`"},
		&cli.StringFlag{Name: "auth", DefaultText: "the strongest", Usage: "authenticate by `MECHANISM`"},
		&cli.StringFlag{Name: "user", Usage: "authenticate as `NAME`"},
		&cli.StringFlag{Name: "as", Usage: "and act as `NAME`"},
		&cli.StringFlag{Name: "password-file", DefaultText: "ask", Usage: "read the password from `FILE`; - is standard input"},
		&cli.StringFlag{Name: "token-file", Usage: "read a bearer token, for OAUTHBEARER and XOAUTH2, from `FILE`; - is standard input"},
		&cli.StringFlag{Name: "hello", DefaultText: "this host", Usage: "call yourself `DOMAIN`"},
		&cli.DurationFlag{Name: "timeout", DefaultText: "those of RFC 5321", Usage: "wait no longer than `TIME` for anything, as in 30s"},
	}
}

// A connection is how one gets to a server, and as whom.
type connection struct {
	address      client.Address
	options      client.Options
	authenticate bool
	mechanism    string // "": the strongest
	credentials  auth.Credentials
}

// readConnection reads the flags, and the files that they name, for the server at a URL.
func readConnection(c *cli.Context, url string) (connection, error) {
	var s connection
	var err error
	if s.address, err = client.ParseAddress(url); err != nil {
		return s, usage(c, "%s", err)
	}
	s.options = client.Options{Hello: systemName()}
	if c.IsSet("hello") {
		s.options.Hello = c.String("hello")
	}
	if c.IsSet("timeout") {
		if s.options.Timeouts, err = timeouts(c); err != nil {
			return s, err
		}
	}
	if c.Bool("verbose") {
		s.options.Trace = traceTo(c.App.ErrWriter)
	}
	s.authenticate = slices.ContainsFunc([]string{"auth", "user", "as", "password-file", "token-file"}, c.IsSet)
	if err := s.readSecurity(c); err != nil {
		return s, err
	}
	return s, s.readCredentials(c)
}

func timeouts(c *cli.Context) (client.Timeouts, error) {
	d := c.Duration("timeout")
	if d <= 0 {
		return client.Timeouts{}, usage(c, "--timeout %s: no time at all", d)
	}
	return client.Timeouts{Connect: d, Greeting: d, Command: d, Mail: d, Rcpt: d, Data: d, Block: d, Final: d, Quit: min(d, 10*time.Second)}, nil
}

// dial connects, and authenticates if that is asked for.
func (s connection) dial(ctx context.Context) (*client.Conn, error) {
	conn, err := client.Dial(ctx, s.address, s.options)
	if err != nil || !s.authenticate {
		return conn, err
	}
	if err := conn.Auth(ctx, s.mechanism, s.credentials); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}
