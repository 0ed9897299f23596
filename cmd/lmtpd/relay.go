package main

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/urfave/cli/v2"

	"lmtpd/auth"
	"lmtpd/delivery"
	"lmtpd/delivery/relay"
	"lmtpd/protocol/client"
	"lmtpd/protocol/server/certificate"
)

// openRelay makes what takes mail to the servers of the configuration; nil is nothing. All files are read, so that a mistake is
// told before a message waits for it; nobody is connected to.
func openRelay(cfg *Config, log *slog.Logger) (*relay.Relay, error) {
	if len(cfg.Relay.Routes) == 0 {
		return nil, nil
	}
	var wrong []error
	config := relay.Config{Fold: delivery.FoldDomain, Hello: cfg.Relay.Hello, Now: time.Now, Log: log}
	for _, r := range cfg.Relay.Routes {
		route, err := r.open(log)
		wrong = append(wrong, err)
		config.Routes = append(config.Routes, route)
	}
	if err := errors.Join(wrong...); err != nil {
		return nil, cli.Exit(fmt.Errorf("relay: %w", err), exConfig)
	}
	return relay.New(config)
}

// open makes a route of package relay.
func (r Route) open(log *slog.Logger) (relay.Route, error) {
	opened := relay.Route{
		Senders:     r.Senders,
		Recipients:  r.Recipients,
		Servers:     r.Servers,
		Connections: r.Connections,
		Login:       relay.Login{Name: r.User, Mechanism: r.Mechanism},
		Security:    client.Security{Start: r.TLS.start(), Fingerprint: r.Fingerprint},
	}
	if r.User != "" || r.Mechanism != "" {
		opened.Login.Credentials = r.credentials
		if _, err := r.credentials(); err != nil {
			return opened, err
		}
		r.warn(log)
	}
	if r.CA != "" {
		all, err := certificate.ReadCA(r.CA)
		if err != nil {
			return opened, err
		}
		roots := x509.NewCertPool()
		for _, ca := range all {
			roots.AddCert(ca)
		}
		opened.Security.Config = &tls.Config{RootCAs: roots}
	}
	return opened, nil
}

// start is what package client makes of whether TLS must be.
func (r RelayTLS) start() client.StartTLS {
	return []client.StartTLS{client.Required, client.Opportunistic, client.NoStartTLS}[r]
}

// warn tells who else can read the password or token.
func (r Route) warn(log *slog.Logger) {
	path := cmp.Or(r.Password, r.Token)
	if info, err := os.Stat(path); err == nil && certificate.Exposed(info.Mode()) {
		log.Warn("relay: everybody on this host can read the secret", "file", path)
	}
}

// credentials are asked for at each login: a password or token that was changed needs no new start.
func (r Route) credentials() (auth.Credentials, error) {
	c := auth.Credentials{Name: r.User}
	var err error
	switch {
	case r.Password != "":
		c.Password, err = readSecretFile(r.Password)
	case r.Token != "":
		c.Token, err = readSecretFile(r.Token)
	}
	return c, err
}

// readSecretFile reads a password or token that is all that there is in a file, but for one line end.
func readSecretFile(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	secret, err := passwordFrom(f)
	if err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return secret, nil
}
